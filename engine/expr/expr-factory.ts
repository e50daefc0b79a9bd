/**
 * Factories of expression nodes: the one place where expressions are typed and type-checked. What
 * comes out is frozen, and right by construction, so that no later stage checks again.
 *
 *     compare      two numbers of any type, or two values of one other type   → bool
 *     arithmetic   int32 ⊕ int32 → int32, int64 if one is int64, float64 if one is float64
 *                  timestamp ± int → timestamp, timestamp − timestamp → int64
 *
 * A result is nullable when an operand is: in SQL's three-valued logic null means "not known".
 */
import { typedError } from '../../base/typed-error.ts';
import {
  boolType,
  type FieldType,
  float64Type,
  int32Type,
  int64Type,
  isSameType,
  typeText,
} from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';
import type { ArithmeticOp, CompareOp, Expr } from './expr.ts';
import { exprText } from './expr-text.ts';

export function columnExpr({ name, type, nullable }: Field): Expr {
  return Object.freeze({ kind: 'column', name, type, nullable });
}

export function compareExpr(op: CompareOp, left: Expr, right: Expr): Expr {
  if (commonTypeOf(left.type, right.type) === null) {
    throw mismatch(op, left, right, 'Compare values of one type, or two numbers.');
  }
  const nullable = left.nullable || right.nullable;
  return Object.freeze({ kind: 'compare', op, left, right, type: boolType, nullable });
}

export function arithmeticExpr(op: ArithmeticOp, left: Expr, right: Expr): Expr {
  const type = arithmeticTypeOf(op, left.type, right.type);
  if (type === null) {
    const hint =
      'Numbers can be added, subtracted and multiplied; to or from a timestamp a whole number, in its unit, can be added or subtracted.';
    throw mismatch(op, left, right, hint);
  }
  const nullable = left.nullable || right.nullable;
  return Object.freeze({ kind: 'arithmetic', op, left, right, type, nullable });
}

export function logicExpr(op: 'and' | 'or', left: Expr, right: Expr): Expr {
  if (left.type.kind !== 'bool' || right.type.kind !== 'bool') {
    throw mismatch(op, left, right, `Both sides of ${op} are conditions, such as x.gt(1).`);
  }
  const nullable = left.nullable || right.nullable;
  return Object.freeze({ kind: 'logic', op, left, right, type: boolType, nullable });
}

export function notExpr(input: Expr): Expr {
  if (input.type.kind !== 'bool') {
    const message = `not needs a bool, "${exprText(input)}" is ${typeText(input.type)}`;
    throw typedError('EXPR_TYPE_MISMATCH', message, {
      hint: 'Use not() on a condition, such as x.eq(1).not().',
    });
  }
  return Object.freeze({ kind: 'not', input, type: boolType, nullable: input.nullable });
}

export function isNullExpr(input: Expr): Expr {
  return Object.freeze({ kind: 'isNull', input, type: boolType, nullable: false });
}

export function isNumeric(type: FieldType): boolean {
  return type.kind === 'int32' || type.kind === 'int64' || type.kind === 'float64';
}

/** The type that values of both types are compared in, or null when there is none. */
function commonTypeOf(a: FieldType, b: FieldType): FieldType | null {
  if (isNumeric(a) && isNumeric(b)) return arithmeticTypeOf('add', a, b);
  return isSameType(a, b) ? a : null;
}

/** The type of `left op right`, or null when there is no such operation. */
export function arithmeticTypeOf(
  op: ArithmeticOp,
  left: FieldType,
  right: FieldType,
): FieldType | null {
  if (isNumeric(left) && isNumeric(right)) return numberTypeOf(op, left, right);
  if (left.kind !== 'timestamp' || (op !== 'add' && op !== 'subtract')) return null;
  if (right.kind === 'timestamp') {
    if (op !== 'subtract' || right.unit !== left.unit) return null;
    // Read as the timestamps themselves are: ms as a number, µs as a bigint.
    return { kind: 'int64', js: left.unit === 'ms' ? 'number' : 'bigint' };
  }
  return right.kind === 'int32' || right.kind === 'int64' ? left : null;
}

function numberTypeOf(op: ArithmeticOp, left: FieldType, right: FieldType): FieldType | null {
  if (op === 'divide') return float64Type;
  if (left.kind === 'float64' || right.kind === 'float64') {
    return op === 'intDivide' ? null : float64Type;
  }
  if (left.kind === 'int32' && right.kind === 'int32') return int32Type;
  // A sum is read as a bigint when one of its operands is.
  const isNumber = [left, right].every((type) => type.kind !== 'int64' || type.js === 'number');
  return isNumber ? { kind: 'int64', js: 'number' } : int64Type;
}

function mismatch(op: string, left: Expr, right: Expr, hint: string): Error {
  const side = (expr: Expr) => `"${exprText(expr)}" (${typeText(expr.type)})`;
  const message = `${op} does not take ${side(left)} and ${side(right)}`;
  return typedError('EXPR_TYPE_MISMATCH', message, { hint });
}
