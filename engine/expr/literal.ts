/**
 * Literals: JavaScript values inside an expression, given the type of what they stand beside.
 * int64 and timestamp values become decimal text, so that a plan sent as JSON keeps them exact.
 */
import { typedError } from '../../base/typed-error.ts';
import {
  boolType,
  type FieldType,
  float64Type,
  int32Type,
  int64Type,
  typeText,
  utf8Type,
} from '../schema/field-type.ts';
import type { Expr } from './expr.ts';

/** What may stand as a literal in an expression. */
export type LiteralValue = string | number | bigint | boolean | Date;

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** A literal that stands beside an expression of type `type`. */
export function literalBeside(value: unknown, type: FieldType): Expr {
  switch (type.kind) {
    case 'bool':
    case 'utf8':
      if (typeof value === (type.kind === 'bool' ? 'boolean' : 'string')) {
        return literal(type, value as string | boolean);
      }
      break;
    case 'int32':
    case 'int64':
    case 'float64': {
      const number = numericLiteral(value, type);
      if (number !== null) return number;
      break;
    }
    case 'timestamp': {
      const units = value instanceof Date ? value.getTime() * unitsPerMs(type) : value;
      const whole = wholeNumberOf(units);
      if (whole !== null) return literal(type, whole.toString());
      break;
    }
  }
  throw mismatch(value, type);
}

/**
 * A literal that is added, subtracted or multiplied: as `literalBeside`, but never of a wider type,
 * for the result would be wider than the compiler says.
 */
export function literalOfType(value: unknown, type: FieldType): Expr {
  const expr = literalBeside(value, type);
  if (expr.type.kind === type.kind) return expr;
  throw mismatch(value, type);
}

/** A literal that stands alone, as a column of `select`: its type follows from the value. */
export function literalAlone(value: LiteralValue): Expr {
  if (typeof value === 'string') return literal(utf8Type, value);
  if (typeof value === 'boolean') return literal(boolType, value);
  if (typeof value === 'bigint') return literalBeside(value, int64Type);
  if (value instanceof Date) return literalBeside(value, { kind: 'timestamp', unit: 'ms' });
  return literalBeside(value, float64Type);
}

/** Whether `value` is one that `literalAlone` takes. */
export function isLiteralValue(value: unknown): value is LiteralValue {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value) || value instanceof Date;
}

function numericLiteral(value: unknown, type: FieldType): Expr | null {
  if (typeof value === 'number' && !Number.isFinite(value)) return null;
  if (type.kind === 'float64') {
    if (typeof value === 'number') return literal(float64Type, value);
    const isExact = typeof value === 'bigint' && BigInt(Number(value)) === value;
    return isExact ? literal(float64Type, Number(value)) : null;
  }
  // A fraction beside an integer is a float64, and the comparison is done in float64.
  if (typeof value === 'number' && !Number.isInteger(value)) return literal(float64Type, value);
  const whole = wholeNumberOf(value);
  if (whole === null) return null;
  const fitsInt32 = BigInt.asIntN(32, whole) === whole;
  if (type.kind === 'int32' && fitsInt32) return literal(int32Type, Number(whole));
  return literal(type.kind === 'int64' ? type : int64Type, whole.toString());
}

/** The value as an integer in the range of int64; null when it is none, or no longer exact. */
function wholeNumberOf(value: unknown): bigint | null {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return null;
  if (typeof value !== 'number' && typeof value !== 'bigint') return null;
  const whole = BigInt(value);
  return whole >= int64Min && whole <= int64Max ? whole : null;
}

function unitsPerMs(type: FieldType): number {
  return type.kind === 'timestamp' && type.unit === 'us' ? 1000 : 1;
}

function literal(type: FieldType, value: string | number | boolean): Expr {
  return Object.freeze({ kind: 'literal', value, type, nullable: false });
}

function mismatch(value: unknown, type: FieldType): Error {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  const hint =
    value === null || value === undefined
      ? 'Write isNull() or isNotNull() to ask whether a value is there.'
      : `Give ${expected[type.kind] ?? 'a column'}, or another column of that type.`;
  const message = `${shown} can't stand beside a value of type ${typeText(type)}`;
  return typedError('EXPR_TYPE_MISMATCH', message, { hint });
}

const expected: Partial<Record<FieldType['kind'], string>> = {
  bool: 'true or false',
  utf8: 'a string',
  int32: 'a whole number (a bigint where a number is not exact)',
  int64: 'a whole number (a bigint where a number is not exact)',
  float64: 'a finite number',
  timestamp: 'a Date, or a whole number in the unit of the timestamp',
};
