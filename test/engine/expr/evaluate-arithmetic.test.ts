/** Goal: arithmetic is exact or a failure that names both sides; floats are IEEE 754's. */
import { expect, test } from 'vitest';
import { evaluatorOf } from '../../../engine/expr/evaluator.ts';
import type { ArithmeticOp } from '../../../engine/expr/expr.ts';
import { arithmeticExpr } from '../../../engine/expr/expr-factory.ts';
import { Failure } from '../../../engine/expr/failure.ts';
import type { Value } from '../../../engine/expr/value.ts';
import {
  dateType,
  type FieldType,
  float32Type,
  float64Type,
  int8Type,
  int32Type,
  int64Type,
  typeText,
  uint32Type,
} from '../../../engine/schema/field-type.ts';
import { column, valueOfExpr } from '../../support/expressions.ts';

const decimal = (precision: number, scale: number): FieldType => ({
  kind: 'decimal',
  precision,
  scale,
});
const ms: FieldType = { kind: 'timestamp', unit: 'ms' };
const [min32, max32] = [-(2 ** 31), 2 ** 31 - 1];
const [min64, max64] = [-(2n ** 63n), 2n ** 63n - 1n];
const zero = 'EXPR_DIVIDE_BY_ZERO';
const overflow = 'EXPR_OVERFLOW';

test.each<[FieldType, Value, ArithmeticOp, FieldType, Value, string, Value]>([
  [int32Type, max32, 'add', int32Type, 1, 'int32', overflow],
  [int32Type, max32, 'add', int64Type, 1n, 'int64', 2n ** 31n],
  [int32Type, 65_536, 'multiply', int32Type, 65_536, 'int32', overflow],
  [int32Type, 0, 'multiply', int32Type, -1, 'int32', 0],
  [int8Type, 100, 'add', int8Type, 100, 'int32', 200],
  [uint32Type, 2 ** 32 - 1, 'add', int32Type, 1, 'int64', 2n ** 32n],
  [int64Type, max64, 'add', int64Type, 1n, 'int64', overflow],
  [int64Type, min64, 'intDivide', int64Type, -1n, 'int64', overflow],
  [int32Type, min32, 'intDivide', int32Type, -1, 'int32', overflow],
  [int32Type, -7, 'intDivide', int32Type, 2, 'int32', -3],
  [int32Type, 1, 'intDivide', int32Type, -2, 'int32', 0],
  [int32Type, -7, 'modulo', int32Type, 2, 'int32', -1],
  [int32Type, -4, 'modulo', int32Type, 2, 'int32', 0],
  [int64Type, -7n, 'modulo', int32Type, 2, 'int64', -1n],
  [int64Type, min64, 'modulo', int64Type, -1n, 'int64', 0n],
  [int32Type, 7, 'intDivide', int32Type, 0, 'int32', zero],
  [int64Type, 7n, 'modulo', int32Type, 0, 'int64', zero],
  [int32Type, 7, 'divide', int32Type, 2, 'float64', 3.5],
  [int64Type, 7n, 'divide', int64Type, 0n, 'float64', 1 / 0],
  [float64Type, 0, 'divide', float64Type, 0, 'float64', Number.NaN],
  [float64Type, -5.5, 'modulo', float64Type, 2, 'float64', -1.5],
  [float64Type, 5, 'modulo', float64Type, 0, 'float64', Number.NaN],
  [float64Type, 1e308, 'add', float64Type, 1e308, 'float64', 1 / 0],
  [float32Type, 16_777_216, 'add', float32Type, 1, 'float32', 16_777_216],
  [float32Type, 16_777_216, 'add', int32Type, 1, 'float64', 16_777_217],
  [decimal(4, 2), 1250n, 'add', decimal(3, 1), 5n, 'decimal(5,2)', 1300n],
  [decimal(4, 2), 1250n, 'subtract', int32Type, 13, 'decimal(13,2)', -50n],
  [decimal(4, 2), 1250n, 'multiply', decimal(3, 1), -21n, 'decimal(8,3)', -26_250n],
  [decimal(4, 2), 100n, 'divide', decimal(1, 0), 3n, 'decimal(8,6)', 333_333n],
  [decimal(4, 2), -200n, 'divide', decimal(1, 0), 3n, 'decimal(8,6)', -666_667n],
  [decimal(4, 2), 100n, 'divide', decimal(4, 2), 0n, 'decimal(11,7)', zero],
  [decimal(4, 2), -750n, 'modulo', decimal(2, 0), 2n, 'decimal(4,2)', -150n],
  [decimal(4, 2), 250n, 'multiply', float64Type, 2, 'float64', 5],
  [decimal(38, 0), 10n ** 37n, 'add', decimal(38, 0), 0n, 'decimal(38,0)', 10n ** 37n],
  [decimal(38, 0), 10n ** 38n - 1n, 'add', decimal(1, 0), 1n, 'decimal(38,0)', overflow],
  [decimal(38, 10), 15n, 'multiply', decimal(38, 10), 10n ** 9n, 'decimal(38,6)', 0n],
  [decimal(38, 10), 5n * 10n ** 4n, 'multiply', decimal(38, 10), 10n ** 9n, 'decimal(38,6)', 1n],
  [ms, 1000n, 'add', int32Type, 5, 'timestamp(ms)', 1005n],
  [ms, max64, 'add', int64Type, 1n, 'timestamp(ms)', overflow],
  [ms, 1000n, 'subtract', ms, 1n, 'int64', 999n],
  [dateType, 10, 'add', int64Type, 2n ** 62n, 'date', overflow],
  [dateType, 10, 'subtract', int32Type, 11, 'date', -1],
  [dateType, 10, 'subtract', dateType, 30, 'int32', -20],
  [dateType, min32, 'subtract', dateType, 1, 'int32', overflow],
  [int32Type, null, 'intDivide', int32Type, 0, 'int32', null],
])('%o %o %s %o %o is a %s: %o', (left, x, op, right, y, type, expected) => {
  const expr = arithmeticExpr(op, column('x', left), column('y', right));
  expect(typeText(expr.type)).toBe(type);
  expect(valueOfExpr(expr, { x, y })).toBe(expected);
});

test.each<[FieldType, ArithmeticOp, FieldType]>([
  [float64Type, 'intDivide', int32Type],
  [decimal(4, 2), 'intDivide', int32Type],
  [ms, 'multiply', int32Type],
  [ms, 'add', float64Type],
  [ms, 'subtract', { kind: 'timestamp', unit: 'us' }],
  [ms, 'add', ms],
  [int32Type, 'add', ms],
  [dateType, 'subtract', ms],
])('%o %s %o is refused', (left, op, right) => {
  const run = () => arithmeticExpr(op, column('x', left), column('y', right));
  expect(run).toThrow(expect.objectContaining({ name: 'EXPR_TYPE_MISMATCH' }));
});

test('messages have the expression, the row and the values as they are written', () => {
  const [price, count] = [column('price', decimal(4, 2)), column('count', int32Type)];
  const message = (op: ArithmeticOp, row: Readonly<Record<string, Value>>) => {
    const expr = arithmeticExpr(op, op === 'intDivide' ? count : price, count);
    const value = evaluatorOf(expr, (name) => () => row[name] ?? null)(3);
    return value instanceof Failure ? value.errorIn(3).message : value;
  };
  expect(message('divide', { price: 1250n, count: 0 })).toBe(
    '"price / count" divides 12.50 by zero in row 3 of the batch',
  );
  expect(message('intDivide', { count: 0 })).toBe(
    '"count div count" divides 0 by zero in row 3 of the batch',
  );
});
