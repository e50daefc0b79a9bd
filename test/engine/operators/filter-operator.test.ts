/** Goal: filter keeps exactly the rows for which the condition is true, copying only when few are left. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../engine/batch/batch.ts';
import type { Expr } from '../../../engine/expr/expr.ts';
import { FilterOperator } from '../../../engine/operators/filter-operator.ts';
import { boolType, int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { batchOf, checkOperator, feed, newContext } from '../../support/operator-harness.ts';

const input = schemaOf(fieldOf('n', int32Type, true), fieldOf('text', utf8Type));

function above(limit: number): Expr {
  const left: Expr = { kind: 'column', name: 'n', type: int32Type, nullable: true };
  const right: Expr = { kind: 'literal', value: limit, type: int32Type, nullable: false };
  return { kind: 'compare', op: 'gt', left, right, type: boolType, nullable: true };
}

test('rows above a limit; a null is not', () => {
  const row = fc.record({
    n: fc.option(fc.integer({ min: 0, max: 9 })),
    text: fc.string({ unit: fc.constantFrom('a', 'longer text '), maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), fc.integer({ min: -1, max: 9 }), (rows, limit) =>
      checkOperator({
        input,
        rows,
        keepsNothing: true,
        expected: rows.filter(({ n }) => n !== null && n > limit),
        build: (context) => new FilterOperator(context, above(limit)),
      }),
    ),
    { numRuns: 40 },
  );
});

test.each([
  [1, 'selects'],
  [8, 'copies'],
])('above %i of 0 to 9 it %s', (limit, how) => {
  const { memory, context } = newContext('tested');
  const operator = new FilterOperator(context, above(limit));
  const rows = Array.from({ length: 100 }, (_, n) => ({ n: n % 10, text: 'x' }));
  const batch = batchOf(memory.scope('input'), input, rows);
  const found: Batch[] = [];
  feed(operator, batch, { offer: (filtered) => found.push(filtered) > 0 });
  expect(found.map(({ storedRows }) => storedRows)).toEqual([how === 'copies' ? 10 : 100]);
  for (const filtered of [...found, batch]) filtered.release();
  operator.close();
  memory.assertEmpty();
});
