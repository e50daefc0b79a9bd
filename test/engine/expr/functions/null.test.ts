/** Goal: functions that choose leave nulls out, and coalesce drops the errors of what it does not reach. */
import { expect, test } from 'vitest';
import { arithmeticExpr, callExpr } from '../../../../engine/expr/expr-factory.ts';
import type { FunctionName } from '../../../../engine/expr/function-name.ts';
import { literalAlone, literalBeside } from '../../../../engine/expr/literal.ts';
import type { Value } from '../../../../engine/expr/value.ts';
import {
  type FieldType,
  float64Type,
  int32Type,
  int64Type,
  typeText,
  utf8Type,
} from '../../../../engine/schema/field-type.ts';
import { callOn, column, errorOf, valueOfExpr } from '../../../support/expressions.ts';

test.each<[FunctionName, FieldType, Value[], Value]>([
  ['coalesce', int32Type, [null, 2, 3], 2],
  ['coalesce', utf8Type, [null, null], null],
  ['coalesce', utf8Type, ['', 'b'], ''],
  ['greatest', int64Type, [2n, null, 3n], 3n],
  ['greatest', utf8Type, ['\uffff', '😀', 'a'], '😀'],
  ['greatest', float64Type, [1, Number.NaN, 2], Number.NaN],
  ['greatest', float64Type, [Number.NaN, 1], Number.NaN],
  ['least', float64Type, [Number.NaN, 1, 2], 1],
  ['least', float64Type, [2, Number.NaN], 2],
  ['least', { kind: 'bool' }, [true, false], false],
  ['least', int32Type, [null, null], null],
])('%s of %o %o is %o', (name, type, values, expected) => {
  expect(callOn(name, ...values.map((value) => [type, value] as const))).toBe(expected);
});

test('numbers of several types become one', () => {
  expect(callOn('coalesce', [int32Type, 1], [int64Type, 2n])).toBe(1n);
  expect(callOn('least', [int32Type, 1], [float64Type, 0.5])).toBe(0.5);
  const decimal: FieldType = { kind: 'decimal', precision: 4, scale: 2 };
  const best = callExpr('greatest', column('a', decimal), column('b', int32Type));
  expect(typeText(best.type)).toBe('decimal(12,2)');
  expect(valueOfExpr(best, { a: 1250n, b: 13 })).toBe(1300n);
});

test('it is nullable only where all are', () => {
  const [a, b] = [column('a', utf8Type), column('b', utf8Type, false)];
  expect(callExpr('coalesce', a, b).nullable).toBe(false);
  expect(callExpr('coalesce', a, a).nullable).toBe(true);
  expect(callExpr('concat', a, b).nullable).toBe(true);
});

test('what coalesce does not reach has no error', () => {
  const n = column('n', int32Type);
  const next = arithmeticExpr('add', n, literalBeside(1, int32Type));
  const max = 2 ** 31 - 1;
  expect(valueOfExpr(callExpr('coalesce', n, next), { n: max })).toBe(max);
  expect(valueOfExpr(callExpr('coalesce', next, n), { n: max })).toBe('EXPR_OVERFLOW');
  expect(valueOfExpr(callExpr('least', n, next), { n: max })).toBe('EXPR_OVERFLOW');
});

test('types that have nothing in common are refused by name', () => {
  expect(errorOf(() => callExpr('coalesce', column('a', int32Type), literalAlone('x')))).toBe(
    'EXPR_TYPE_MISMATCH: coalesce does not take "a" (int32) and "x" (utf8)',
  );
  expect(errorOf(() => callExpr('coalesce'))).toBe(
    'EXPR_TYPE_MISMATCH: coalesce does not take nothing',
  );
});
