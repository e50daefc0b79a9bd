/** Goal: nodes mean what expr.ts says, nulls and failures included. */
import { expect, test } from 'vitest';
import type { Expr } from '../../../engine/expr/expr.ts';
import {
  arithmeticExpr,
  castExpr,
  compareExpr,
  inExpr,
  isNullExpr,
  logicExpr,
  notExpr,
  whenExpr,
} from '../../../engine/expr/expr-factory.ts';
import { exprText } from '../../../engine/expr/expr-text.ts';
import { literalAlone, literalBeside, nullLiteral } from '../../../engine/expr/literal.ts';
import type { Value } from '../../../engine/expr/value.ts';
import {
  boolType,
  dateType,
  type FieldType,
  float32Type,
  float64Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { column, errorOf, valueOfExpr } from '../../support/expressions.ts';

const n = column('n', int32Type);
const [a, b] = [column('a', boolType), column('b', boolType)];
const one = literalBeside(1, int32Type);
/** Fails where n is 0. */
const failing = compareExpr('eq', arithmeticExpr('intDivide', one, n), one);
const zero = 'EXPR_DIVIDE_BY_ZERO';

test.each<[Value, Value, Value, Value]>([
  [true, true, true, true],
  [true, false, false, true],
  [false, false, false, false],
  [true, null, null, true],
  [false, null, false, null],
  [null, null, null, null],
])('%s and, or %s are %s, %s, in either order', (left, right, both, any) => {
  for (const row of [
    { a: left, b: right },
    { a: right, b: left },
  ]) {
    expect(valueOfExpr(logicExpr('and', a, b), row)).toBe(both);
    expect(valueOfExpr(logicExpr('or', a, b), row)).toBe(any);
  }
});

test.each<[Value, Value, Value]>([
  [false, false, zero],
  [true, zero, true],
  [null, zero, zero],
])('beside a failure %s makes %s with and, %s with or', (value, both, any) => {
  for (const sides of [
    [a, failing],
    [failing, a],
  ] as const) {
    expect(valueOfExpr(logicExpr('and', ...sides), { a: value, n: 0 })).toBe(both);
    expect(valueOfExpr(logicExpr('or', ...sides), { a: value, n: 0 })).toBe(any);
  }
});

test('a failure of an operand is one of the result, beside a null as well', () => {
  const results: Expr[] = [
    notExpr(failing),
    isNullExpr(failing),
    compareExpr('eq', failing, nullLiteral(boolType)),
    castExpr(failing, utf8Type, true),
    inExpr(failing, [literalAlone(true)]),
    whenExpr([{ condition: failing, value: one }], one),
  ];
  for (const expr of results) expect(valueOfExpr(expr, { n: 0 }), exprText(expr)).toBe(zero);
});

test('when takes the first condition that is true, and computes nothing else', () => {
  const text = (value: string) => literalAlone(value);
  const expr = whenExpr(
    [
      { condition: compareExpr('eq', n, literalBeside(0, int32Type)), value: text('zero') },
      { condition: failing, value: text('one') },
      { condition: a, value: text('a') },
    ],
    null,
  );
  expect(exprText(expr)).toBe(
    'case when n = 0 then "zero" when 1 div n = 1 then "one" when a then "a" end',
  );
  expect(valueOfExpr(expr, { n: 0 })).toBe('zero');
  expect(valueOfExpr(expr, { n: 1 })).toBe('one');
  expect(valueOfExpr(expr, { n: 5, a: true })).toBe('a');
  expect(valueOfExpr(expr, { n: 5, a: null })).toBe(null);
  expect(valueOfExpr(expr, { n: null, a: true })).toBe('a');
  expect(expr.nullable).toBe(true);
});

test('when brings numbers to one type', () => {
  const wide = column('wide', int64Type, false);
  const expr = whenExpr([{ condition: a, value: n }], wide);
  expect(expr).toMatchObject({ type: { kind: 'int64' }, nullable: true });
  expect(valueOfExpr(expr, { a: true, n: 7, wide: 8n })).toBe(7n);
  expect(valueOfExpr(expr, { a: null, n: 7, wide: 8n })).toBe(8n);
  expect(whenExpr([{ condition: a, value: wide }], wide).nullable).toBe(false);
});

test.each<[Value, boolean, Value]>([
  [1, false, true],
  [3, false, false],
  [3, true, null],
  [1, true, true],
  [null, false, null],
])('%s in (1, 2.5) with a null %s is %s', (value, hasNull, expected) => {
  const values = [literalBeside(1, int32Type), literalBeside(2.5, int32Type)];
  if (hasNull) values.push(nullLiteral(int32Type));
  const expr = inExpr(n, values);
  expect(valueOfExpr(expr, { n: value })).toBe(expected);
  expect(exprText(expr)).toBe(hasNull ? 'n in (1, 2.5, null)' : 'n in (1, 2.5)');
});

test('nothing is in nothing', () => {
  expect(valueOfExpr(inExpr(n, []), { n: 1 })).toBe(false);
});

const decimal = (precision: number, scale: number): FieldType => ({
  kind: 'decimal',
  precision,
  scale,
});

test.each<[FieldType, Value, FieldType, Value, number]>([
  [int32Type, 1, float64Type, 1.5, -1],
  [int64Type, 2n ** 53n + 1n, float64Type, 2 ** 53, 0],
  [int32Type, -1, int64Type, -1n, 0],
  [decimal(4, 2), 1250n, int32Type, 12, 1],
  [decimal(4, 2), 1250n, decimal(3, 1), 125n, 0],
  [decimal(4, 2), -1250n, float64Type, -12.5, 0],
  [float32Type, Math.fround(0.1), float64Type, 0.1, 1],
  [utf8Type, 'a', utf8Type, 'ab', -1],
  [utf8Type, '\ud83d\ude00', utf8Type, '\ufffd', 1],
  [utf8Type, 'é', utf8Type, 'z', 1],
  [boolType, false, boolType, true, -1],
  [dateType, 3, dateType, 3, 0],
  [{ kind: 'binary' }, new Uint8Array([1, 255]), { kind: 'binary' }, new Uint8Array([2]), -1],
  [{ kind: 'binary' }, new Uint8Array([1]), { kind: 'binary' }, new Uint8Array([1, 0]), -1],
])('%o %o beside %o %o compares as %i', (left, x, right, y, order) => {
  const sides = [column('x', left), column('y', right)] as const;
  const found = (['lt', 'eq', 'gt', 'le', 'ne', 'ge'] as const).map((op) =>
    valueOfExpr(compareExpr(op, ...sides), { x, y }),
  );
  expect(found).toEqual([order < 0, order === 0, order > 0, order <= 0, order !== 0, order >= 0]);
});

test('NaN is not equal, and neither less nor greater', () => {
  const x = column('x', float64Type);
  const found = (['eq', 'lt', 'le', 'gt', 'ge', 'ne'] as const).map((op) =>
    valueOfExpr(compareExpr(op, x, x), { x: Number.NaN }),
  );
  expect(found).toEqual([false, false, false, false, false, true]);
});

test('types that do not go together are refused by name', () => {
  const s = column('s', utf8Type);
  const list = column('tags', { kind: 'list', item: { type: utf8Type, nullable: false } });
  const refusals: [() => unknown, string][] = [
    [() => compareExpr('gt', s, n), 'gt does not take "s" (utf8) and "n" (int32)'],
    [
      () => compareExpr('ge', list, list),
      'ge does not take "tags" (list<utf8>) and "tags" (list<utf8>)',
    ],
    [() => logicExpr('and', a, n), 'and does not take "a" (bool) and "n" (int32)'],
    [() => notExpr(n), 'not needs a bool, "n" is int32'],
    [() => whenExpr([{ condition: n, value: one }], null), 'when needs a condition, "n" is int32'],
    [
      () => whenExpr([{ condition: a, value: n }], s),
      'when does not take "n" (int32) and "s" (utf8)',
    ],
    [() => castExpr(list, int32Type, false), 'cast makes no int32 of "tags", which is list<utf8>'],
    [() => castExpr(a, dateType, true), 'tryCast makes no date of "a", which is bool'],
    [() => inExpr(n, [literalAlone('x')]), 'eq does not take "n" (int32) and "x" (utf8)'],
    [() => arithmeticExpr('multiply', s, n), 'mul does not take "s" (utf8) and "n" (int32)'],
  ];
  for (const [run, message] of refusals) {
    expect(errorOf(run)).toBe(`EXPR_TYPE_MISMATCH: ${message}`);
  }
});
