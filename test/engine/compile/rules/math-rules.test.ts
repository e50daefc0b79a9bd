/** Goal: rounding without digits, and sums of many terms, compile and give what the reference gives. */
import { test } from 'vitest';
import { arithmeticExpr, callExpr, columnExpr } from '../../../../engine/expr/expr-factory.ts';
import { literalOfType } from '../../../../engine/expr/literal.ts';
import { float32Type, float64Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { expectSame } from '../../../support/compiled-exprs.ts';

const rows = [[0.5], [-0.5], [2.4999], [1e300], [-0], [null], [Number.NaN]];

test.each([float32Type, float64Type])('$kind is rounded to a whole number', (type) => {
  const field = fieldOf('v', type, true);
  const small = rows.filter(([value]) => type.kind === 'float64' || value !== 1e300);
  expectSame([callExpr('round', columnExpr(field))], schemaOf(field), small);
});

test('a sum of a hundred terms, one within the other', () => {
  const field = fieldOf('v', float64Type, true);
  const term = (at: number) =>
    arithmeticExpr('multiply', columnExpr(field), literalOfType(at + 1, float64Type));
  const sum = Array.from({ length: 99 }, (_, at) => term(at + 1)).reduce(
    (all, one) => arithmeticExpr('add', all, one),
    term(0),
  );
  expectSame([sum], schemaOf(field), rows);
});
