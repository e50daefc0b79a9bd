/**
 * Goal: windows of a count are those of a row-by-row reference, side by side and overlapping, with keys of every form
 * and without, with results of every kind; rows that are in none are counted.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import {
  CountAggregateOperator,
  type CountAggregateOptions,
} from '../../../../engine/operators/windows/count-aggregate-operator.ts';
import { int64Type } from '../../../../engine/schema/field-type.ts';
import { type Field, fieldOf } from '../../../../engine/schema/schema.ts';
import { checkOperator, type Row } from '../../../support/operator-harness.ts';
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
    { numRuns: 40 },
  );
});

test('many keys, and windows of many pieces, go through several blocks of panes', () => {
  const options = optionsOf(keyFields.int32, 100, 99);
  const given = Array.from({ length: 30_000 }, (_, id): Row => {
    return { k: id % 7 === 0 ? id : id % 3, v: id % 11, text: `row ${id % 5}` };
  });
  checkOperator({
    ...{ input: options.input, rows: given, isOrdered: false },
    build: (context) => new CountAggregateOperator(context, options),
    expected: reference(given, options).found,
  });
});
