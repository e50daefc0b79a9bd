/**
 * Arithmetic of the reference evaluator: exact for integers, timestamps, dates and decimals, or a
 * failure; floats as IEEE 754 has them.
 */
import { assert } from '../../base/assert.ts';
import { type FieldType, typeText } from '../schema/field-type.ts';
import { isFloat, isInteger } from './arithmetic-type.ts';
import {
  decimalPrecisionMax,
  decimalText,
  divideRounded,
  fitsPrecision,
  powerOfTen,
  rescaled,
} from './decimal.ts';
import type { ArithmeticOp, Expr } from './expr.ts';
import { exprText } from './expr-text.ts';
import { Failure } from './failure.ts';
import type { Value } from './value.ts';
import { widenerOf } from './widen.ts';

type ArithmeticExpr = Expr & { readonly kind: 'arithmetic' };

/** Computes an operation on two values, neither of them null. */
export function calculatorOf(expr: ArithmeticExpr): (left: Value, right: Value) => Value | Failure {
  const { op, type, left } = expr;
  if (isFloat(type)) return floatCalculator(expr);
  if (type.kind === 'decimal') return decimalCalculator(expr);
  const isOfNumbers = isInteger(left.type) || left.type.kind === 'date';
  if (isOfNumbers && type.kind !== 'int64') {
    return (a, b) => {
      if (isDivision(op) && b === 0) return divisionByZero(expr, a);
      // What is above 2^53 is rounded, and far out of range all the same.
      const value = calculate(op, Number(a), Number(b));
      // An integer is never -0.
      return (value | 0) === value ? value | 0 : overflowOf(expr, a, b);
    };
  }
  return (a, b) => {
    const [dividend, divisor] = [BigInt(a as bigint), BigInt(b as bigint)];
    if (isDivision(op) && divisor === 0n) return divisionByZero(expr, a);
    const value = calculateBig(op, dividend, divisor);
    return BigInt.asIntN(64, value) === value ? value : overflowOf(expr, a, b);
  };
}

function isDivision(op: ArithmeticOp): boolean {
  return op === 'divide' || op === 'intDivide' || op === 'modulo';
}

function floatCalculator({ op, type, left, right }: ArithmeticExpr) {
  const leftOf = widenerOf(left.type, type);
  const rightOf = widenerOf(right.type, type);
  // Rounding once more makes of the float64 result what float32 arithmetic gives.
  const round = type.kind === 'float32' ? Math.fround : (value: number) => value;
  return (a: Value, b: Value) => round(calculate(op, leftOf(a) as number, rightOf(b) as number));
}

function decimalCalculator(expr: ArithmeticExpr) {
  const { op, type, left, right } = expr;
  assert(type.kind === 'decimal', 'decimals are calculated by their own rules');
  const [leftScale, rightScale] = [scaleOf(left.type), scaleOf(right.type)];
  const scale = Math.max(leftScale, rightScale);
  return (a: Value, b: Value): Value | Failure => {
    const [first, second] = [BigInt(a as bigint), BigInt(b as bigint)];
    if (isDivision(op) && second === 0n) return divisionByZero(expr, a);
    let value: bigint;
    if (op === 'multiply') {
      value = rescaled(first * second, leftScale + rightScale, type.scale);
    } else if (op === 'divide') {
      const raised = type.scale + rightScale - leftScale;
      const dividend = first * powerOfTen(Math.max(raised, 0));
      value = divideRounded(dividend, second * powerOfTen(Math.max(-raised, 0)));
    } else {
      const [x, y] = [rescaled(first, leftScale, scale), rescaled(second, rightScale, scale)];
      value = rescaled(calculateBig(op, x, y), scale, type.scale);
    }
    return fitsPrecision(value, type.precision) ? value : overflowOf(expr, a, b);
  };
}

function scaleOf(type: FieldType): number {
  return type.kind === 'decimal' ? type.scale : 0;
}

function calculate(op: ArithmeticOp, left: number, right: number): number {
  switch (op) {
    case 'add':
      return left + right;
    case 'subtract':
      return left - right;
    case 'multiply':
      return left * right;
    case 'divide':
      return left / right;
    case 'intDivide':
      return Math.trunc(left / right);
    case 'modulo':
      return left % right;
  }
}

function calculateBig(op: ArithmeticOp, left: bigint, right: bigint): bigint {
  switch (op) {
    case 'add':
      return left + right;
    case 'subtract':
      return left - right;
    case 'multiply':
      return left * right;
    case 'divide':
    case 'intDivide':
      return left / right;
    case 'modulo':
      return left % right;
  }
}

function overflowOf(expr: ArithmeticExpr, left: Value, right: Value): Failure {
  const { type } = expr;
  const [a, b] = [operandText(expr.left.type, left), operandText(expr.right.type, right)];
  return new Failure({
    code: 'EXPR_OVERFLOW',
    expr,
    what: `"${exprText(expr)}" does not fit ${typeText(type)}`,
    values: `, where its sides are ${a} and ${b}`,
    hint: overflowHints[type.kind] ?? overflowHint,
  });
}

const overflowHints: Partial<Record<FieldType['kind'], string>> = {
  int32: 'Cast one side to int64 first: an int64 beside an int32 makes an int64.',
  decimal: `Cast the sides to decimals with fewer digits first: a result has at most ${decimalPrecisionMax}.`,
};
const overflowHint = 'Keep such rows out with a where in front, or cast one side to float64 first.';

function divisionByZero(expr: ArithmeticExpr, left: Value): Failure {
  const dividend = operandText(expr.left.type, left);
  return new Failure({
    code: 'EXPR_DIVIDE_BY_ZERO',
    expr,
    what: `"${exprText(expr)}" divides ${dividend} by zero`,
    hint: 'Keep such rows out with a where in front, or choose with when(b.ne(0), a.intDiv(b)).',
  });
}

function operandText(type: FieldType, value: Value): string {
  return type.kind === 'decimal' ? decimalText(value as bigint, type.scale) : String(value);
}
