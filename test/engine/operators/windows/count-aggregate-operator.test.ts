/**
 * Goal: windows of a count are those of a row-by-row reference, side by side and overlapping, with keys of every form
 * and without, with results of every kind; rows that are in none are counted.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Batch, batchRowsMax } from '../../../../engine/batch/batch.ts';
import { readRows } from '../../../../engine/batch/row-reader.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import {
  CountAggregateOperator,
  type CountAggregateOptions,
} from '../../../../engine/operators/windows/count-aggregate-operator.ts';
import { int64Type } from '../../../../engine/schema/field-type.ts';
import { type Field, fieldOf } from '../../../../engine/schema/schema.ts';
import { rowText } from '../../../support/changelog.ts';
import {
  batchOf,
  checkOperator,
  feed,
  lehmer,
  newContext,
  type Row,
} from '../../../support/operator-harness.ts';
import { takeOver } from '../../../support/restarted-operator.ts';
import { checkSnapshotsOnce } from '../../../support/snapshot-harness.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';
import { runWithinShare } from '../within-share.ts';
import { resultsOf, type TimedRow } from './window-reference.ts';

const keyFields = {
  int32: fieldOf('k', { kind: 'int32' }, true),
  text: fieldOf('k', { kind: 'utf8' }, true),
  decimal: fieldOf('k', { kind: 'decimal', precision: 38, scale: 0 }, true),
};
type KeyKind = keyof typeof keyFields;

const keyOf = {
  int32: (k: number) => k,
  text: (k: number) => (k === 0 ? 'a' : `a key of more than 8 bytes, ${k}`),
  decimal: (k: number) => `${k + 1}000000000000000000000`,
} as const;

function optionsOf(key: Field | null, rows: number, slideRows: number): CountAggregateOptions {
  const keys = key === null ? [] : [key];
  const values = [fieldOf('v', { kind: 'int32' }, true), fieldOf('text', { kind: 'utf8' }, false)];
  const results = [
    fieldOf('n', int64Type),
    fieldOf('sum', int64Type, true),
    fieldOf('least', { kind: 'int32' }, true),
    fieldOf('mean', { kind: 'float64' }, true),
    fieldOf('top', { kind: 'utf8' }),
  ];
  return {
    input: { fields: [...keys, ...values] },
    output: { fields: [...keys, ...results] },
    keys: keys.map(({ name }) => name),
    aggregates: [
      { name: 'n', function: 'count', columns: [] },
      { name: 'sum', function: 'sum', columns: ['v'] },
      { name: 'least', function: 'min', columns: ['v'] },
      { name: 'mean', function: 'avg', columns: ['v'] },
      { name: 'top', function: 'max', columns: ['text'] },
    ],
    ...{ rows, slideRows },
  };
}

/** What comes out, and how many rows are in no window. */
function reference(given: readonly Row[], { rows, slideRows }: CountAggregateOptions) {
  const found: Row[] = [];
  let incomplete = 0;
  for (const [k, own] of Map.groupBy(given, (row) => row['k'])) {
    let covered = 0;
    for (let start = 0; start + rows <= own.length; start += slideRows) {
      const window = own.slice(start, start + rows);
      const top = window
        .map((row) => String(row['text']))
        .sort()
        .at(-1);
      const key = k === undefined ? {} : { k };
      found.push({ ...key, ...resultsOf(window as unknown as TimedRow[]), top });
      covered = start + rows;
    }
    incomplete += own.length - covered;
  }
  return { found, incomplete };
}

const someRows = fc.array(
  fc.record({
    k: fc.option(fc.integer({ min: 0, max: 3 })),
    v: fc.option(fc.integer({ min: -9, max: 9 })),
    text: fc.constantFrom('', 'x', 'a text of more than twelve bytes', 'zebra in the garden'),
  }),
  { maxLength: 60 },
);
const sizes = fc.integer({ min: 1, max: 9 }).chain((rows) => {
  return fc.tuple(fc.constant(rows), fc.integer({ min: 1, max: rows }));
});

test('windows are those of the reference', () => {
  const kinds = fc.constantFrom<KeyKind>('int32', 'text', 'decimal');
  fc.assert(
    fc.property(someRows, sizes, kinds, (given, [rows, slideRows], kind) => {
      const options = optionsOf(keyFields[kind], rows, slideRows);
      const keyed = given.map((row): Row => {
        return { ...row, k: row.k === null ? null : keyOf[kind](row.k) };
      });
      const { found, incomplete } = reference(keyed, options);
      let made: CountAggregateOperator | undefined;
      checkOperator({
        ...{ input: options.input, rows: keyed, isOrdered: false },
        build: (context: OperatorContext) => (made = new CountAggregateOperator(context, options)),
        expected: found,
      });
      expect(made?.notedRows).toEqual({ incomplete });
    }),
    { numRuns: 80 },
  );
});

test('windows whose panes go to disk between batches are the same', () => {
  let spilledBytes = 0;
  const kinds = fc.constantFrom<KeyKind>('int32', 'text', 'decimal');
  const room = fc.constantFrom(1, 70_000);
  fc.assert(
    fc.property(someRows, sizes, kinds, room, (given, [rows, slideRows], kind, most) => {
      const options = { ...optionsOf(keyFields[kind], rows, slideRows), recordBytesMax: most };
      const keyed = given.map((row): Row => {
        return { ...row, k: row.k === null ? null : keyOf[kind](row.k) };
      });
      const onWritten = (bytes: number) => {
        spilledBytes += bytes;
      };
      const { found, incomplete } = reference(keyed, options);
      let made: CountAggregateOperator | undefined;
      checkOperator({
        ...{ input: options.input, rows: keyed, isOrdered: false },
        build: (context: OperatorContext) => {
          const spill = { ...context.spill, onWritten };
          made = new CountAggregateOperator({ ...context, spill }, options);
          return made;
        },
        expected: found,
      });
      expect(made?.notedRows).toEqual({ incomplete });
    }),
    { numRuns: 30 },
  );
  expect(spilledBytes).toBeGreaterThan(0);
});

test('with the least memory that is said to do, many keys have their windows', () => {
  const options = optionsOf(keyFields.text, 3, 2);
  const keyCount = 20_000;
  const rows = Array.from({ length: 4 * keyCount }, (_, id): Row => {
    return { k: `a key of more than 8 bytes, ${id % keyCount}`, v: id % 11, text: `row ${id % 5}` };
  });
  const build = (context: OperatorContext) => new CountAggregateOperator(context, options);
  const run = (shareBytes: number) => {
    return runWithinShare({ rows, build, schema: options.input, shareBytes });
  };
  const error = typedErrorOf(() => run(1 << 20));
  expect(error?.info.code).toBe('MEMORY_TOO_SMALL');
  const { found, spilledBytes } = run(Number(error?.info.details?.['leastBytes']));
  expect(spilledBytes).toBeGreaterThan(0);
  const textsOf = (all: readonly Row[]) => all.map(rowText).sort();
  expect(textsOf(found)).toEqual(textsOf(reference(rows, options).found));
});

test('without keys they are of all rows', () => {
  fc.assert(
    fc.property(someRows, sizes, (given, [rows, slideRows]) => {
      const options = optionsOf(null, rows, slideRows);
      const plain = given.map(({ v, text }): Row => ({ v, text }));
      checkOperator({
        ...{ input: options.input, rows: plain, isOrdered: false },
        build: (context) => new CountAggregateOperator(context, options),
        expected: reference(plain, options).found,
      });
    }),
    { numRuns: 25 },
  );
});

test('many keys, and windows of many pieces, go through several blocks of panes', () => {
  const options = optionsOf(keyFields.int32, 100, 99);
  const given = Array.from({ length: 30_000 }, (_, id): Row => {
    return { k: id % 7 === 0 ? id : id % 3, v: id % 11, text: `row ${id % 5}` };
  });
  checkOperator({
    ...{ input: options.input, rows: given, isOrdered: false, isNotRestarted: true },
    build: (context) => new CountAggregateOperator(context, options),
    expected: reference(given, options).found,
  });
});

test('open windows go on in other tasks, on disk too', () => {
  const kinds = fc.constantFrom<KeyKind>('int32', 'text', 'decimal');
  const room = fc.constantFrom(1, 1 << 20);
  const seeds = fc.integer({ min: 1, max: 1_000_000 });
  const many = fc.array(fc.tuple(fc.nat(3), fc.nat(9)), { maxLength: 80, size: 'max' });
  fc.assert(
    fc.property(many, sizes, kinds, room, seeds, (given, [rows, slideRows], kind, most, seed) => {
      const options = { ...optionsOf(keyFields[kind], rows, slideRows), recordBytesMax: most };
      const build = (context: OperatorContext) => new CountAggregateOperator(context, options);
      const keyed = given.map(([k, v]): Row => ({ k: keyOf[kind](k), v, text: `text ${v}` }));
      const { found: expected } = reference(keyed, options);
      const { input, keys } = options;
      checkSnapshotsOnce({ input, rows: keyed, keys, build, expected }, seed);
    }),
    { numRuns: 25 },
  );
});

test('of many records the panes of a key come back in their order', { timeout: 60_000 }, () => {
  // A pane takes the record that one of another key has left, so newer ones lie in front of older ones, among more than are put
  // in order at once.
  const options = optionsOf(keyFields.int32, 3, 1);
  const keyCount = 90_000;
  const { scope, kernels, context, memory } = newContext('counts', false, 1 << 30);
  const counts = new Uint32Array(keyCount);
  const sums = new Map<number, number>();
  const outbox = {
    offer(batch: Batch): boolean {
      for (const { k, sum } of readRows(batch)) sums.set(Number(k), Number(sum));
      batch.release();
      return true;
    },
  };
  const random = lehmer(5);
  /** The n-th row of a key has the value n. */
  const feedRound = (operator: CountAggregateOperator, share: number) => {
    const keys = Array.from({ length: keyCount }, (_, k) => k).filter(() => random() < share);
    for (let from = 0; from < keys.length; from += batchRowsMax) {
      const rows = keys.slice(from, from + batchRowsMax).map((k): Row => {
        counts[k] = (counts[k] ?? 0) + 1;
        return { k, v: counts[k], text: '' };
      });
      const batch = batchOf(scope, options.input, rows);
      feed(operator, batch, outbox);
      batch.release();
    }
  };
  const first = new CountAggregateOperator(context, options);
  for (const share of [1, 1, 0.5, 0.5, 0.5]) feedRound(first, share);
  const next = new CountAggregateOperator(context, options);
  takeOver(first, next, { scope, kernels }, outbox);
  // The first window behind it has the panes that are there; which of them it drops shows in the one that follows.
  feedRound(next, 1);
  sums.clear();
  feedRound(next, 1);
  const wrong = [...counts].filter((n, k) => sums.get(k) !== 3 * n - 3);
  expect(wrong).toEqual([]);
  next.close();
  memory.assertEmpty();
});
