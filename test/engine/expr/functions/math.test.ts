/** Goal: functions on numbers are exact or overflow, round as SQL does, and are IEEE 754's for floats. */
import { expect, test } from 'vitest';
import { callExpr } from '../../../../engine/expr/expr-factory.ts';
import type { FunctionName } from '../../../../engine/expr/function-name.ts';
import { typedLiteral } from '../../../../engine/expr/literal.ts';
import type { Value } from '../../../../engine/expr/value.ts';
import {
  type FieldType,
  float32Type,
  float64Type,
  int8Type,
  int32Type,
  int64Type,
  typeText,
  uint32Type,
} from '../../../../engine/schema/field-type.ts';
import { callOn, column } from '../../../support/expressions.ts';

const decimal = (precision: number, scale: number): FieldType => ({
  kind: 'decimal',
  precision,
  scale,
});

test.each<[FunctionName, FieldType, Value, Value]>([
  ['abs', int8Type, -128, 128],
  ['abs', int32Type, -(2 ** 31), 'EXPR_OVERFLOW'],
  ['abs', int64Type, -(2n ** 63n), 'EXPR_OVERFLOW'],
  ['abs', int64Type, -7n, 7n],
  ['abs', float64Type, -0, 0],
  ['abs', float64Type, -1 / 0, 1 / 0],
  ['abs', float64Type, Number.NaN, Number.NaN],
  ['abs', decimal(4, 2), -1250n, 1250n],
  ['neg', int32Type, 0, 0],
  ['neg', int32Type, -(2 ** 31), 'EXPR_OVERFLOW'],
  ['neg', uint32Type, 2 ** 32 - 1, -(2n ** 32n) + 1n],
  ['neg', int64Type, -(2n ** 63n), 'EXPR_OVERFLOW'],
  ['neg', float64Type, 0, -0],
  ['neg', decimal(4, 2), 1250n, -1250n],
  ['floor', float64Type, -1.5, -2],
  ['floor', int64Type, 7n, 7n],
  ['floor', decimal(4, 2), -1201n, -13n],
  ['floor', decimal(4, 2), -1200n, -12n],
  ['ceil', float64Type, -1.5, -1],
  ['ceil', decimal(4, 2), 1201n, 13n],
  ['ceil', decimal(4, 2), -1299n, -12n],
  ['sqrt', int32Type, 9, 3],
  ['sqrt', float64Type, -1, Number.NaN],
  ['sqrt', decimal(4, 2), 225n, 1.5],
  ['ln', float64Type, 0, -1 / 0],
  ['ln', int64Type, 1n, 0],
  ['exp', float64Type, 1000, 1 / 0],
  ['exp', float32Type, null, null],
])('%s of %o %o is %o', (name, type, value, expected) => {
  expect(callOn(name, [type, value])).toBe(expected);
});

test.each`
  value                  | digits | rounded
  ${2.5}                 | ${0}   | ${3}
  ${-2.5}                | ${0}   | ${-3}
  ${0.49999999999999994} | ${0}   | ${0}
  ${-0.2}                | ${0}   | ${-0}
  ${1.25}                | ${1}   | ${1.3}
  ${-1234.5678}          | ${2}   | ${-1234.57}
  ${2 ** 52 + 1}         | ${0}   | ${2 ** 52 + 1}
  ${1e300}               | ${20}  | ${1e300}
  ${Number.NaN}          | ${0}   | ${Number.NaN}
  ${-1 / 0}              | ${3}   | ${-1 / 0}
`('$value rounded to $digits digits is $rounded', ({ value, digits, rounded }) => {
  expect(callOn('round', [float64Type, value], digits)).toBe(rounded);
});

test('decimals are rounded half away from zero, and have fewer digits then', () => {
  const price = column('price', decimal(5, 3));
  const rounded = callExpr('round', price, typedLiteral(1, int32Type));
  expect(typeText(rounded.type)).toBe('decimal(4,1)');
  expect(callOn('round', [decimal(5, 3), 99_950n], 1)).toBe(1000n);
  expect(callOn('round', [decimal(5, 3), -1250n], 1)).toBe(-13n);
  expect(callOn('round', [decimal(5, 3), -1249n], 1)).toBe(-12n);
  expect(callOn('round', [decimal(5, 3), 1249n], 3)).toBe(1249n);
  expect(callOn('round', [int64Type, 5n])).toBe(5n);
  expect(callOn('round', [float32Type, Math.fround(0.15)], 1)).toBe(Math.fround(0.2));
});

test('powers are of floats', () => {
  expect(callOn('pow', [int32Type, 2], [int64Type, 10n])).toBe(1024);
  expect(callOn('pow', [float64Type, 0], [float64Type, -1])).toBe(1 / 0);
  expect(callOn('pow', [decimal(3, 1), 25n], [int32Type, 2])).toBe(6.25);
  expect(callOn('pow', [float64Type, 2], [float64Type, null])).toBe(null);
});

test.each([
  [int8Type, 'int32'],
  [uint32Type, 'int64'],
  [int64Type, 'int64'],
  [float32Type, 'float32'],
  [decimal(9, 2), 'decimal(9,2)'],
])('the opposite of %o is %s', (type, text) => {
  expect(typeText(callExpr('neg', column('x', type)).type)).toBe(text);
});
