/**
 * Goal: a running aggregate says of each key what it was and what it is, whenever its changes are due, and the
 * changes come to what the rows come to: for added rows, and for parts that are taken back.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  RunningAggregateOperator,
  type RunningAggregateOptions,
} from '../../../../engine/operators/changes/running-aggregate-operator.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { rowKinds, rowKindType } from '../../../../engine/plan/row-kind.ts';
import {
  float64Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { applied, appliedByKey, rowText, sorted } from '../../../support/changelog.ts';
import {
  checkOperator,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';

/** A barrier brings an update forward: changes-snapshot.test.ts. */
const isNotRestarted = true;

const { insert, updateBefore, updateAfter, delete: gone } = rowKinds;

const input = schemaOf(
  fieldOf('key', utf8Type, true),
  fieldOf('n', int32Type, true),
  fieldOf('f', float64Type),
  fieldOf('text', utf8Type),
);
const output = schemaOf(
  fieldOf('key', utf8Type, true),
  fieldOf('present', int64Type),
  fieldOf('sum', int64Type, true),
  fieldOf('mean', float64Type, true),
  fieldOf('most', float64Type),
  fieldOf('least', utf8Type),
  fieldOf('kind', rowKindType),
);
const wholeOptions: RunningAggregateOptions = {
  ...{ input, output, phase: 'whole', keys: ['key'], weight: null, kindColumn: 'kind' },
  aggregates: [
    { name: 'present', function: 'count', columns: ['n'] },
    { name: 'sum', function: 'sum', columns: ['n'] },
    { name: 'mean', function: 'avg', columns: ['n'] },
    { name: 'most', function: 'max', columns: ['f'] },
    { name: 'least', function: 'min', columns: ['text'] },
  ],
  ...{ givesBefore: true, extremes: [], everyMs: 100, ttlMs: null },
};

/** The reference: what the rows of each key come to. */
function group(rows: readonly Row[]): Row[] {
  const groups = new Map<unknown, Row[]>();
  for (const row of rows) groups.set(row.key, [...(groups.get(row.key) ?? []), row]);
  return [...groups].map(([key, members]) => {
    const numbers = members.flatMap(({ n }) => (n === null ? [] : [Number(n)]));
    const sum = numbers.reduce((total, n) => total + n, 0);
    return {
      key,
      present: BigInt(numbers.length),
      sum: numbers.length === 0 ? null : BigInt(sum),
      mean: numbers.length === 0 ? null : sum / numbers.length,
      most: Math.max(...members.map(({ f }) => Number(f))),
      least: members.map(({ text }) => String(text)).sort()[0],
    };
  });
}

/** What a reference gives out when changes are due: of each key that has rows since, what it was and what it is. */
function changesOf(steps: readonly Step[], givesBefore: boolean): Row[] {
  const changes: Row[] = [];
  let rows: Row[] = [];
  let before = new Map<unknown, Row>();
  const give = () => {
    const after = new Map(group(rows).map((row) => [row.key, row]));
    for (const [key, row] of after) {
      const old = before.get(key);
      if (old !== undefined && rowText(old) === rowText(row)) continue;
      if (old !== undefined && givesBefore) changes.push({ ...old, kind: updateBefore });
      changes.push({ ...row, kind: old === undefined ? insert : updateAfter });
    }
    before = after;
  };
  for (const step of steps) {
    if ('row' in step) rows = [...rows, step.row];
    else give();
  }
  give();
  return changes;
}

const longText = 'a text that is too long to be in its view';
const anyRow = fc.record({
  key: fc.constantFrom('a', 'b', null, longText),
  n: fc.constantFrom(null, 1, -7, 2_000_000),
  f: fc.constantFrom(0, 1.5, -2.25),
  text: fc.constantFrom('x', 'y', longText, `${longText}!`),
});
/** Rows, and times at which all that came is due. */
const anySteps = fc
  .array(fc.oneof({ weight: 4, arbitrary: anyRow }, { weight: 1, arbitrary: fc.constant(null) }), {
    maxLength: 60,
  })
  .map((given) =>
    given.map((row, at): Step => (row === null ? { wake: (at + 1) * 1_000 } : { row })),
  );

/** With a byte for the table, all groups go to disk in front of each update, and come back for it. */
const onDisk = { tableBytes: 1 };

const wholeOf = (more: Partial<RunningAggregateOptions> = {}) => {
  return (context: OperatorContext) =>
    new RunningAggregateOperator(context, { ...wholeOptions, ...more });
};

test('what is due comes as it was and as it is, whatever the batches', () => {
  fc.assert(
    fc.property(anySteps, fc.boolean(), fc.boolean(), (steps, givesBefore, isOnDisk) => {
      const expected = changesOf(steps, givesBefore);
      const build = wholeOf({ givesBefore, ...(isOnDisk && onDisk) });
      checkOperator({ input, steps, build, expected, isOrdered: false, isNotRestarted });
    }),
    { numRuns: 60 },
  );
});

test.each([{}, onDisk])(
  'changes of a table that is full at once come to the same rows, %j',
  (more) => {
    const rows = Array.from({ length: 700 }, (_, at) => {
      return { key: `key ${at % 211}`, n: at, f: at % 5, text: `t${at % 3}` };
    });
    for (const mode of runModes) {
      const found = runOperator(
        { input, rows, build: wholeOf({ slotsMax: 64, ...more }), expected: [] },
        mode,
      );
      expect(found.length, mode.name).toBeGreaterThan(211);
      expect(applied(found, 'kind'), mode.name).toEqual(sorted(group(rows)));
      expect(appliedByKey(found, 'kind', ['key']), mode.name).toEqual(sorted(group(rows)));
    }
  },
);

test('groups of several chunks, while the table grows', () => {
  const rows = Array.from({ length: 9_000 }, (_, at) => {
    return { key: `key ${at % 3_001}`, n: at % 7, f: 1, text: 't' };
  });
  const [mode] = runModes;
  const found = runOperator({ input, rows, build: wholeOf(), expected: [] }, mode as never);
  expect(found.every(({ kind }) => kind === insert)).toBe(true);
  expect(applied(found, 'kind')).toEqual(sorted(group(rows)));
});

const signedInput = schemaOf(
  fieldOf('key', int64Type),
  fieldOf('value', int64Type),
  fieldOf('weight', int64Type),
);
const signedOutput = schemaOf(
  fieldOf('key', int64Type),
  fieldOf('rows', int64Type),
  fieldOf('sum', int64Type),
  fieldOf('kind', rowKindType),
);
const signedOptions: RunningAggregateOptions = {
  ...{ input: signedInput, output: signedOutput, phase: 'final', keys: ['key'] },
  ...{
    weight: 'weight',
    kindColumn: 'kind',
    givesBefore: true,
    extremes: [],
    everyMs: 100,
    ttlMs: null,
  },
  aggregates: [
    { name: 'rows', function: 'sum', columns: ['weight'] },
    { name: 'sum', function: 'sum', columns: ['value'] },
  ],
};

/** Rows that come, some of which go again: pairs of key and value. */
const anyLives = fc.array(
  fc.record({ key: fc.bigInt(0n, 3n), value: fc.bigInt(-5n, 5n), goesAfter: fc.nat(12) }),
  { maxLength: 30 },
);

/** A life's row at its place; and the same taken back some places later, for those whose number is small. */
function stepsOfLives(lives: readonly { key: bigint; value: bigint; goesAfter: number }[]) {
  const timed: { readonly at: number; readonly row: Row }[] = [];
  for (const [at, { key, value, goesAfter }] of lives.entries()) {
    timed.push({ at, row: { key, value, weight: 1n } });
    if (goesAfter > 6) continue;
    timed.push({ at: at + goesAfter + 0.5, row: { key, value: -value, weight: -1n } });
  }
  return timed.sort((a, b) => a.at - b.at).map(({ row }) => row);
}

test('rows that go are taken out, and a group without rows is gone', () => {
  fc.assert(
    fc.property(anyLives, fc.array(fc.boolean()), (lives, dues) => {
      const rows = stepsOfLives(lives);
      const steps = rows.flatMap((row, at): Step[] =>
        dues[at] === true ? [{ row }, { wake: (at + 1) * 1_000 }] : [{ row }],
      );
      const left = new Map<bigint, { rows: bigint; sum: bigint }>();
      for (const { key, value, weight } of rows as Record<string, bigint>[]) {
        const known = left.get(key as bigint) ?? { rows: 0n, sum: 0n };
        known.rows += weight as bigint;
        known.sum += value as bigint;
        left.set(key as bigint, known);
      }
      const expected = [...left].flatMap(([key, row]) => (row.rows > 0n ? [{ key, ...row }] : []));
      // Without a limit what is gone stays; with none it is swept out whenever half of the groups are gone.
      for (const more of [{ goneMax: 100 }, { goneMax: 0 }, onDisk, { goneMax: 0, ...onDisk }]) {
        const build = (context: OperatorContext) =>
          new RunningAggregateOperator(context, { ...signedOptions, ...more });
        for (const mode of runModes) {
          const found = runOperator({ input: signedInput, steps, build, expected: [] }, mode);
          expect(applied(found, 'kind'), mode.name).toEqual(sorted(expected));
          expect(appliedByKey(found, 'kind', ['key']), mode.name).toEqual(sorted(expected));
        }
      }
    }),
    { numRuns: 40 },
  );
});

test.each([{}, onDisk])('a group that goes and comes is deleted and inserted, %j', (more) => {
  const one = (weight: bigint, value: bigint): Step => ({ row: { key: 1n, value, weight } });
  const steps = [one(1n, 5n), { wake: 1_000 }, one(-1n, -5n), { wake: 2_000 }, one(1n, 6n)];
  const row = { key: 1n, rows: 1n };
  checkOperator({
    ...{ input: signedInput, steps, isNotRestarted },
    build: (context) => new RunningAggregateOperator(context, { ...signedOptions, ...more }),
    expected: [
      { ...row, sum: 5n, kind: insert },
      { ...row, sum: 5n, kind: gone },
      { ...row, sum: 6n, kind: insert },
    ],
  });
});

test.each([{}, onDisk])('a key without rows for its time to live is forgotten, %j', (more) => {
  const row = (key: string): Step => ({ row: { key, n: 1, f: 1, text: 'x' } });
  const options: RunningAggregateOptions = {
    ...wholeOptions,
    output: schemaOf(
      fieldOf('key', utf8Type, true),
      fieldOf('rows', int64Type),
      fieldOf('least', utf8Type),
      fieldOf('kind', rowKindType),
    ),
    aggregates: [
      { name: 'rows', function: 'count', columns: [] },
      { name: 'least', function: 'min', columns: ['text'] },
    ],
    ttlMs: 1_000,
    ...more,
  };
  const due = [row('a'), row('b'), row('b'), row('a'), row('b')];
  checkOperator({
    ...{ input, isNotRestarted },
    steps: due.flatMap((step, at): Step[] => [step, { wake: (at + 1) * 1_000 }]),
    build: (context) => new RunningAggregateOperator(context, options),
    expected: [
      { key: 'a', rows: 1n, least: 'x', kind: insert },
      { key: 'b', rows: 1n, least: 'x', kind: insert },
      { key: 'b', rows: 1n, least: 'x', kind: updateBefore },
      { key: 'b', rows: 2n, least: 'x', kind: updateAfter },
      // Its last row was 3,000 ms ago.
      { key: 'a', rows: 1n, least: 'x', kind: insert },
      { key: 'b', rows: 2n, least: 'x', kind: updateBefore },
      { key: 'b', rows: 3n, least: 'x', kind: updateAfter },
    ],
  });
});

test.each([{}, onDisk])(
  'a sweep keeps what groups are made of: texts, means, chunks, %j',
  (more) => {
    const rowAt = (at: number) => ({
      key: `key ${at} is long`,
      n: at,
      f: at,
      text: `text ${at}, long`,
    });
    const rows = Array.from({ length: 3_000 }, (_, at) => rowAt(at));
    const again = rows.map((row) => ({ ...row, n: row.n + 4, f: -1, text: 'a' }));
    const given = (some: readonly Row[]) => some.map((row): Step => ({ row }));
    const steps = [...given(rows), { wake: 1_000 }, ...given(again), { wake: 2_000 }];
    const [mode] = runModes;
    const build = wholeOf({ ttlMs: 2_000, ...more });
    const found = runOperator({ input, steps, build, expected: [] }, mode as never);
    expect(applied(found, 'kind')).toEqual(sorted(group([...rows, ...again])));
  },
);

test('without keys there is one group, also without rows', () => {
  const globalOutput = schemaOf(
    fieldOf('rows', int64Type),
    fieldOf('most', float64Type, true),
    fieldOf('kind', rowKindType),
  );
  const options: RunningAggregateOptions = {
    ...{ ...wholeOptions, keys: [], output: globalOutput },
    aggregates: [
      { name: 'rows', function: 'count', columns: [] },
      { name: 'most', function: 'max', columns: ['f'] },
    ],
  };
  const build = (context: OperatorContext) => new RunningAggregateOperator(context, options);
  checkOperator({ input, rows: [], build, expected: [{ rows: 0n, most: null, kind: insert }] });
  const row = (f: number): Step => ({ row: { key: 'a', n: 1, f, text: 'x' } });
  checkOperator({
    ...{ input, build, isNotRestarted, steps: [row(2), { wake: 1_000 }, row(3), { wake: 2_000 }] },
    expected: [
      { rows: 1n, most: 2, kind: insert },
      { rows: 1n, most: 2, kind: updateBefore },
      { rows: 2n, most: 3, kind: updateAfter },
    ],
  });
});
