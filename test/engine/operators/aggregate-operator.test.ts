/** Goal: groups are those of a Map, for every key type, in one phase or in two, with tables that overflow. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AggregateOperator,
  type AggregateOptions,
} from '../../../engine/operators/aggregate-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import {
  boolType,
  type FieldType,
  float64Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { checkOperator, type Row, runModes, runOperator } from '../../support/operator-harness.ts';

const aggregates: AggregateOptions['aggregates'] = [
  { name: 'rows', function: 'count', columns: [] },
  { name: 'present', function: 'count', columns: ['n'] },
  { name: 'sum', function: 'sum', columns: ['n'] },
  { name: 'least', function: 'min', columns: ['n'] },
  { name: 'most', function: 'max', columns: ['f'] },
];
/** The aggregate that merges partial results of another, which have its name. */
const mergeOf = ({ name, function: kind }: (typeof aggregates)[number]) => ({
  name,
  function: kind === 'count' ? ('sum' as const) : kind,
  columns: [name],
});
const schemasOf = (key: FieldType) => ({
  input: schemaOf(
    fieldOf('key', key, true),
    fieldOf('n', int32Type, true),
    fieldOf('f', float64Type),
  ),
  output: schemaOf(
    fieldOf('key', key, true),
    fieldOf('rows', int64Type),
    fieldOf('present', int64Type),
    fieldOf('sum', int64Type, true),
    fieldOf('least', int32Type, true),
    fieldOf('most', float64Type),
  ),
});

/** The reference: a Map of groups, row by row. */
function group(rows: readonly Row[]): Row[] {
  const groups = new Map<unknown, Row[]>();
  for (const row of rows) groups.set(row.key, [...(groups.get(row.key) ?? []), row]);
  return [...groups].map(([key, members]) => {
    const numbers = members.flatMap(({ n }) => (n === null ? [] : [Number(n)]));
    return {
      key,
      rows: BigInt(members.length),
      present: BigInt(numbers.length),
      sum: numbers.length === 0 ? null : BigInt(numbers.reduce((sum, n) => sum + n, 0)),
      least: numbers.length === 0 ? null : Math.min(...numbers),
      most: Math.max(...members.map(({ f }) => Number(f))),
    };
  });
}

/** All rows as one group, without its key. */
function groupOfAll(rows: readonly Row[]): Row[] {
  return group(rows.map((row) => ({ ...row, key: null }))).map(({ key: _, ...results }) => results);
}

const keys: [string, FieldType, fc.Arbitrary<unknown>][] = [
  ['utf8', utf8Type, fc.string({ unit: fc.constantFrom('a', 'b', 'long-part'), maxLength: 4 })],
  ['int64', int64Type, fc.bigInt({ min: -3n, max: 3n })],
  ['int32', int32Type, fc.integer({ min: -3, max: 3 })],
  ['float64', float64Type, fc.constantFrom(0, 1.5, Number.NaN, -2)],
  ['bool', boolType, fc.boolean()],
];
const rowOf = (key: fc.Arbitrary<unknown>) =>
  fc.record({
    key: fc.option(key),
    n: fc.option(fc.integer({ min: -1_000_000, max: 1_000_000 })),
    f: fc.integer({ min: -9, max: 9 }),
  });
const rowsOf = (key: fc.Arbitrary<unknown>) => fc.array(rowOf(key), { maxLength: 40 });
/** More keys than a table of 64 slots holds. */
const manyKeys = fc
  .integer({ min: 0, max: 99 })
  .map((n) => (n % 2 === 0 ? `k${n}` : `a long key ${n}`));

test.each(keys)('groups by a key of %s', (_, type, key) => {
  const { input, output } = schemasOf(type);
  fc.assert(
    fc.property(rowsOf(key), (rows) =>
      checkOperator({
        input,
        rows,
        isOrdered: false,
        expected: group(rows),
        build: (context) =>
          new AggregateOperator(context, {
            input,
            output,
            phase: 'whole',
            keys: ['key'],
            aggregates,
          }),
      }),
    ),
    { numRuns: 20 },
  );
});

test('partial groups of a tiny table, merged by the final phase, are the whole groups', () => {
  const { input, output } = schemasOf(utf8Type);
  const build = (phase: 'partial' | 'final') => (context: OperatorContext) =>
    new AggregateOperator(context, {
      input: phase === 'final' ? output : input,
      output,
      phase,
      keys: ['key'],
      aggregates: phase === 'final' ? aggregates.map(mergeOf) : aggregates,
      ...(phase === 'partial' && { slotsMax: 64 }),
    });
  fc.assert(
    fc.property(fc.array(rowOf(manyKeys), { minLength: 80, maxLength: 160 }), (rows) => {
      for (const mode of runModes) {
        const partial = runOperator({ input, rows, build: build('partial'), expected: [] }, mode);
        checkOperator({
          input: output,
          rows: partial,
          build: build('final'),
          expected: group(rows),
          isOrdered: false,
        });
      }
    }),
    { numRuns: 5 },
  );
});

test('without keys there is one group, even of no rows, in one phase or in two', () => {
  const { input, output: keyed } = schemasOf(int32Type);
  const fields = keyed.fields.slice(1).map((field) => {
    return fieldOf(field.name, field.type, field.type !== int64Type || field.nullable);
  });
  const output = { fields };
  const nothing = { rows: 0n, present: 0n, sum: null, least: null, most: null };
  const expectedOf = (rows: readonly Row[]) => {
    const [group] = groupOfAll(rows);
    return [group ?? nothing];
  };
  const build = (phase: 'partial' | 'final' | 'whole') => (context: OperatorContext) =>
    new AggregateOperator(context, {
      input: phase === 'final' ? output : input,
      output,
      phase,
      keys: [],
      aggregates: phase === 'final' ? aggregates.map(mergeOf) : aggregates,
    });
  fc.assert(
    fc.property(rowsOf(fc.constant(0)), (rows) => {
      const expected = expectedOf(rows);
      checkOperator({ input, rows, build: build('whole'), expected });
      for (const mode of runModes) {
        const partial = runOperator({ input, rows, build: build('partial'), expected: [] }, mode);
        checkOperator({ input: output, rows: partial, build: build('final'), expected });
      }
    }),
    { numRuns: 10, examples: [[[]]] },
  );
});

test('many groups grow the table in slices', () => {
  const { input, output } = schemasOf(utf8Type);
  const rows = Array.from({ length: 60_000 }, (_, n) => ({ key: `key number ${n}`, n, f: 0 }));
  const whole = runModes.find(({ name }) => name === 'all at once, whole');
  if (whole === undefined) throw new Error('the mode exists');
  const build = (context: OperatorContext) =>
    new AggregateOperator(context, { input, output, phase: 'whole', keys: ['key'], aggregates });
  const found = runOperator({ input, rows, build, expected: [] }, whole);
  expect(new Set(found.map(({ key }) => key)).size).toBe(60_000);
  expect(found.every(({ rows: count }) => count === 1n)).toBe(true);
});

test('a sum out of range names operator and column', () => {
  const input = schemaOf(fieldOf('key', utf8Type), fieldOf('n', int64Type));
  const output = schemaOf(fieldOf('key', utf8Type), fieldOf('total', int64Type));
  const rows = [1, 2].map(() => ({ key: 'a', n: 2n ** 62n }));
  const build = (context: OperatorContext) =>
    new AggregateOperator(context, {
      input,
      output,
      phase: 'whole',
      keys: ['key'],
      aggregates: [{ name: 'total', function: 'sum', columns: ['n'] }],
    });
  const [mode] = runModes;
  if (mode === undefined) throw new Error('there are modes');
  expect(() => runOperator({ input, rows, build, expected: [] }, mode)).toThrow(
    'sum "total" of operator "tested" does not fit an int64',
  );
});

test('a partial table grows for keys that come again, and then gives out each once', () => {
  const { input, output } = schemasOf(int32Type);
  const keyCount = 300_000;
  const rows = Array.from({ length: 3 * keyCount }, (_, n) => ({
    key: (n * 7919) % keyCount,
    n: 1,
    f: 0,
  }));
  const [whole] = runModes;
  if (whole === undefined) throw new Error('there are modes');
  const build = (context: OperatorContext) =>
    new AggregateOperator(context, { input, output, phase: 'partial', keys: ['key'], aggregates });
  // Each key comes once in 300,000 rows; a table of the first size would be full before one came again.
  const sorted = rows.toSorted((a, b) => (a.key % 1000) - (b.key % 1000));
  const found = runOperator({ input, rows: sorted, build, expected: [] }, whole);
  expect(found.length).toBe(keyCount);
  expect(found.every(({ rows: count }) => count === 3n)).toBe(true);
});
