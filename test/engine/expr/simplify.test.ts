/**
 * Goal: folded and simplified expressions have the values of the ones that were written, folded ones
 * their errors as well, and both compute less.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Expr } from '../../../engine/expr/expr.ts';
import { mapExpr } from '../../../engine/expr/expr-children.ts';
import {
  arithmeticExpr,
  callExpr,
  castExpr,
  compareExpr,
  isNullExpr,
  logicExpr,
  notExpr,
  whenExpr,
} from '../../../engine/expr/expr-factory.ts';
import { exprText } from '../../../engine/expr/expr-text.ts';
import { foldLiterals } from '../../../engine/expr/fold-literals.ts';
import { literalAlone, nullLiteral, typedLiteral } from '../../../engine/expr/literal.ts';
import { mayFail } from '../../../engine/expr/may-fail.ts';
import { simplify } from '../../../engine/expr/simplify.ts';
import type { Value } from '../../../engine/expr/value.ts';
import {
  boolType,
  float64Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../engine/schema/schema.ts';
import { valuesOf } from '../../support/batches.ts';
import { column, valueOfExpr } from '../../support/expressions.ts';
import { randomExpr } from '../../support/random-exprs.ts';

const schema = {
  fields: [
    fieldOf('b', boolType, true),
    fieldOf('i', int32Type, true),
    fieldOf('l', int64Type),
    fieldOf('f', float64Type, true),
    fieldOf('t', utf8Type),
  ],
};

const rows: fc.Arbitrary<Record<string, Value>> = fc.record(
  Object.fromEntries(
    schema.fields.map(({ name, type, nullable }) => {
      const values = valuesOf(type) as fc.Arbitrary<Value>;
      return [name, nullable ? fc.option(values) : values];
    }),
  ),
);

/** Expressions some of whose columns are replaced by the row's values. */
const cases = fc
  .record({
    expr: randomExpr(schema, 6),
    row: rows,
    literal: fc.subarray(['b', 'i', 'l', 'f', 't']),
  })
  .map(({ expr, row, literal }) => ({
    row,
    expr: mapExpr(expr, (part) => {
      if (part.kind !== 'column' || !literal.includes(part.name)) return part;
      const value = row[part.name] ?? null;
      return typeof value === 'number' && !Number.isFinite(value)
        ? part
        : typedLiteral(value, part.type);
    }),
  }));

const isFailure = (value: Value) => typeof value === 'string' && value.startsWith('EXPR_');

test('folding changes no value and no error', () => {
  fc.assert(
    fc.property(cases, ({ expr, row }) => {
      const folded = foldLiterals(expr);
      expect(valueOfExpr(folded, row), exprText(folded)).toEqual(valueOfExpr(expr, row));
      // Up to six texts are made, each of up to 1,024 units.
      expect(exprText(folded).length).toBeLessThanOrEqual(exprText(expr).length + 6 * 1030);
    }),
    { numRuns: 1000 },
  );
});

test('simplifying changes no value, and adds no error', () => {
  fc.assert(
    fc.property(cases, ({ expr, row }) => {
      const simple = simplify(foldLiterals(expr));
      const value = valueOfExpr(expr, row);
      if (!isFailure(value)) expect(valueOfExpr(simple, row), exprText(simple)).toEqual(value);
    }),
    { numRuns: 1000 },
  );
});

test('what says that it can not fail does not', () => {
  fc.assert(
    fc.property(cases, ({ expr, row }) => {
      if (!mayFail(expr)) expect(isFailure(valueOfExpr(expr, row))).toBe(false);
    }),
    { numRuns: 1000 },
  );
});

const x = column('x', boolType);
const n = column('n', int32Type, false);
const text = column('t', utf8Type, false);
const [yes, no] = [literalAlone(true), literalAlone(false)];
const int = (value: number) => typedLiteral(value, int32Type);
const positive = compareExpr('gt', n, int(0));

test.each<[Expr, string]>([
  [logicExpr('and', x, yes), 'x'],
  [logicExpr('and', no, x), 'false'],
  [logicExpr('or', x, no), 'x'],
  [logicExpr('or', yes, x), 'true'],
  [logicExpr('and', positive, positive), 'n > 0'],
  [notExpr(notExpr(x)), 'x'],
  [isNullExpr(n), 'false'],
  [isNullExpr(x), 'x is null'],
  [compareExpr('gt', n, arithmeticExpr('multiply', int(2), int(50))), 'n > 100'],
  [arithmeticExpr('add', int(2 ** 31 - 1), int(1)), '2147483647 + 1'],
  [arithmeticExpr('divide', literalAlone(0), literalAlone(0)), 'NaN'],
  [compareExpr('eq', callExpr('lower', literalAlone('A')), text), '"a" = t'],
  [whenExpr([{ condition: no, value: int(1) }], int(2)), '2'],
  [whenExpr([{ condition: yes, value: n }], null), 'n'],
  [
    whenExpr(
      [
        { condition: x, value: n },
        { condition: yes, value: int(3) },
      ],
      int(2),
    ),
    'case when x then n else 3 end',
  ],
  [whenExpr([{ condition: nullLiteral(boolType), value: n }], null), 'null'],
  [castExpr(n, int32Type, false), 'n'],
  [callExpr('coalesce', n, int(1)), 'n'],
  [callExpr('coalesce', callExpr('length', text), int(1)), 'length(t)'],
])('%#: %j', (expr, expected) => {
  expect(exprText(simplify(foldLiterals(expr)))).toBe(expected);
});
