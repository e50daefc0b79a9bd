/** Goal: a user's reduce folds the rows of a key as Array.reduce does, in one phase or in two. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FoldOperator } from '../../../engine/operators/fold-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import { float64Type, int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { checkOperator, type Row, runModes, runOperator } from '../../support/operator-harness.ts';

const rowSchema = schemaOf(
  fieldOf('user', utf8Type, true),
  fieldOf('day', int64Type, true),
  fieldOf('amount', float64Type),
);
const rowsOf = fc.array(
  fc.record({
    user: fc.option(fc.constantFrom('a', 'b', 'a longer name')),
    day: fc.option(fc.bigInt({ min: 0n, max: 3n })),
    amount: fc.integer({ min: -1000, max: 1000 }),
  }),
  { maxLength: 40 },
);

type Sale = { user: string | null; day: bigint | null; amount: number };
const added = (left: Sale, right: Sale) => ({ ...left, amount: left.amount + right.amount });
const larger = (left: Sale, right: Sale) => (right.amount > left.amount ? right : left);

/** One row per key, folded in order of arrival. */
function folded(
  rows: readonly Sale[],
  keys: readonly (keyof Sale)[],
  reduce: (left: Sale, right: Sale) => Sale,
): Sale[] {
  const groups = new Map<string, Sale>();
  for (const row of rows) {
    const key = keys.map((name) => `${typeof row[name]} ${row[name]}`).join('|');
    const before = groups.get(key);
    groups.set(key, before === undefined ? row : reduce(before, row));
  }
  return [...groups.values()];
}

test.each([
  ['one key', ['user']],
  ['two keys', ['day', 'user']],
] as const)('%s, new rows and rows that were there', (_, keys) => {
  fc.assert(
    fc.property(rowsOf, fc.constantFrom(added, larger), (rows, reduce) =>
      checkOperator({
        input: rowSchema,
        rows,
        expected: folded(rows, keys, reduce),
        isOrdered: false,
        build: (context) =>
          new FoldOperator(context, {
            input: rowSchema,
            output: rowSchema,
            keys,
            phase: 'final',
            reduce,
          }),
      }),
    ),
    { numRuns: 40 },
  );
});

test('rounds of the partial phase, folded again, give what one round gives', () => {
  fc.assert(
    fc.property(rowsOf, (rows) => {
      const input = rowSchema;
      const options = { input, output: input, keys: ['user'], reduce: added } as const;
      for (const mode of runModes) {
        const build = (context: OperatorContext) =>
          new FoldOperator(context, { ...options, phase: 'partial', roundRowsMax: 5 });
        const partial = runOperator({ input, rows, build, expected: [] }, mode);
        expect(partial.length).toBeLessThanOrEqual(rows.length);
        checkOperator({
          input,
          rows: partial,
          expected: folded(rows, ['user'], added),
          isOrdered: false,
          build: (context) => new FoldOperator(context, { ...options, phase: 'final' }),
        });
      }
    }),
    { numRuns: 10 },
  );
});

test('keys behind the fields of the user are grouped by, and not seen', () => {
  const input = schemaOf(...rowSchema.fields, fieldOf('even', int64Type));
  const rows = [1, 2, 3, 4, 5].map((n) => ({
    user: null,
    day: null,
    amount: n,
    even: BigInt(n % 2),
  }));
  const seen = new Set<string>();
  checkOperator({
    input,
    rows,
    expected: [
      { user: null, day: null, amount: 6 },
      { user: null, day: null, amount: 9 },
    ],
    isOrdered: false,
    build: (context) =>
      new FoldOperator(context, {
        input,
        output: rowSchema,
        keys: ['even'],
        phase: 'final',
        reduce: (left: Sale, right: Sale & { copy(): Row }) => {
          for (const name of Object.keys(right.copy())) seen.add(name);
          return added(left, { ...right.copy(), amount: right.amount } as Sale);
        },
      }),
  });
  expect([...seen]).toEqual(['user', 'day', 'amount']);
});

test('a group of many batches', () => {
  const rows = Array.from({ length: 30_000 }, (_, n) => ({
    user: 'a',
    day: BigInt(n & 1),
    amount: 1,
  }));
  checkOperator({
    input: rowSchema,
    rows,
    expected: [
      { user: 'a', day: 0n, amount: 15_000 },
      { user: 'a', day: 1n, amount: 15_000 },
    ],
    build: (context) =>
      new FoldOperator(context, {
        input: rowSchema,
        output: rowSchema,
        keys: ['day'],
        phase: 'final',
        reduce: added,
      }),
  });
});

test.each([
  [() => undefined, 'gave out undefined where a row is due'],
  [(left: Sale) => ({ ...left, user: 'c' }), 'changed a key field'],
  [
    (left: Sale) => ({ user: left.user, day: left.day }),
    'the value of column "amount" is null or missing',
  ],
  [
    () => {
      throw new Error('no luck');
    },
    'failed: no luck',
  ],
])('what goes wrong is told: %s', (reduce, text) => {
  const [mode] = runModes;
  if (mode === undefined) throw new Error('there are modes');
  const rows = [1, 2].map((amount) => ({ user: 'a', day: null, amount }));
  const build = (context: OperatorContext) =>
    new FoldOperator(context, {
      input: rowSchema,
      output: rowSchema,
      keys: ['user'],
      phase: 'final',
      reduce,
    });
  const run = () => runOperator({ input: rowSchema, rows, build, expected: [] }, mode);
  expect(run).toThrow('user function "reduce" of operator "tested"');
  expect(run).toThrow(text);
});
