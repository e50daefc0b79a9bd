/** Goal: a user's filter keeps what Array.filter keeps, and only true or false are answers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FilterRowsOperator } from '../../../engine/operators/filter-rows-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { checkOperator, type Row, runModes, runOperator } from '../../support/operator-harness.ts';

const input = schemaOf(fieldOf('text', utf8Type, true), fieldOf('n', int32Type, true));
const rowsOf = fc.array(
  fc.record({
    text: fc.option(
      fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.toWellFormed()),
    ),
    n: fc.option(fc.integer()),
  }),
  { maxLength: 30 },
);

test('rows for which the function is true, in their order', () => {
  const masks = fc.constantFrom(1, 2, 3, 7);
  fc.assert(
    fc.property(rowsOf, masks, (rows, mask) => {
      const keeps = (row: Row) => (String(row.text).length & mask) !== 0;
      checkOperator({
        input,
        rows,
        expected: rows.filter(keeps),
        build: (context) => new FilterRowsOperator(context, { input, filter: keeps }),
      });
    }),
    { numRuns: 30 },
  );
});

test.each([
  ['all', () => true],
  ['none', () => false],
  ['few', (row: Row) => Number(row.n) % 100 === 0],
])('%s of many rows', (_, filter) => {
  const rows = Array.from({ length: 10_000 }, (_unused, n) => ({ text: `row number ${n}`, n }));
  checkOperator({
    input,
    rows,
    expected: rows.filter(filter),
    build: (context) => new FilterRowsOperator(context, { input, filter }),
  });
});

test.each([
  [() => undefined, 'returned undefined where true or false is due: is a return missing?'],
  [(row: Row) => row.n, 'returned 1 where true or false is due; compare to make it one'],
  [async () => true, 'where true or false is due; compare to make it one'],
  [
    () => {
      throw new Error('no luck');
    },
    'failed: no luck',
  ],
])('an answer that is neither true nor false is told: %s', (filter, text) => {
  const [mode] = runModes;
  if (mode === undefined) throw new Error('there are modes');
  const build = (context: OperatorContext) => new FilterRowsOperator(context, { input, filter });
  const run = () => runOperator({ input, rows: [{ text: 'a', n: 1 }], build, expected: [] }, mode);
  expect(run).toThrow('user function "filter" of operator "tested"');
  expect(run).toThrow(text);
});
