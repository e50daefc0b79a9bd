/** Goal: project gives a column per expression, and shares those that are there already. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../engine/batch/batch.ts';
import type { Expr, NamedExpr } from '../../../engine/expr/expr.ts';
import { ProjectOperator } from '../../../engine/operators/project-operator.ts';
import { boolType, int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { batchOf, checkOperator, feed, newContext } from '../../support/operator-harness.ts';

const input = schemaOf(fieldOf('n', int32Type, true), fieldOf('text', utf8Type));
const output = schemaOf(fieldOf('title', utf8Type), fieldOf('isMissing', boolType));
const n: Expr = { kind: 'column', name: 'n', type: int32Type, nullable: true };
const text: Expr = { kind: 'column', name: 'text', type: utf8Type, nullable: false };
const columns: NamedExpr[] = [
  { name: 'title', expr: text },
  { name: 'isMissing', expr: { kind: 'isNull', input: n, type: boolType, nullable: false } },
];

test('references and expressions', () => {
  const row = fc.record({
    n: fc.option(fc.integer()),
    text: fc.string({ unit: fc.constantFrom('a', 'longer text '), maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), (rows) =>
      checkOperator({
        input,
        rows,
        keepsNothing: true,
        expected: rows.map((each) => ({ title: each.text, isMissing: each.n === null })),
        build: (context) => new ProjectOperator(context, { output, columns }),
      }),
    ),
    { numRuns: 40 },
  );
});

test('a referenced column is not copied', () => {
  const { memory, context } = newContext('tested');
  const operator = new ProjectOperator(context, { output, columns });
  const batch = batchOf(memory.scope('input'), input, [{ n: 1, text: 'a' }]);
  const found: Batch[] = [];
  feed(operator, batch, { offer: (projected) => found.push(projected) > 0 });
  expect(found[0]?.columns[0]?.values).toBe(batch.columns[1]?.values);
  for (const each of [...found, batch]) each.release();
  operator.close();
  memory.assertEmpty();
});
