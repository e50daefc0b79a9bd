/**
 * Literals: JavaScript values inside an expression, given the type of what they stand beside.
 *
 * What a literal holds, so that a plan sent as JSON keeps it exact:
 *
 *     int64, timestamp, decimal   decimal text (of a decimal the unscaled value: 12.50 is "1250")
 *     date   days since 1970      binary   hexadecimal text       others   as they are
 *     float32, float64            a number; -0, NaN and the infinities, which JSON lacks, as texts
 */
import { typedError } from '../../base/typed-error.ts';
import { daysOfIsoDate, daysOfMidnight } from '../schema/date-text.ts';
import {
  binaryType,
  boolType,
  type FieldType,
  float64Type,
  int32Type,
  int64Type,
  isSameType,
  typeText,
  utf8Type,
} from '../schema/field-type.ts';
import { arithmeticTypeOf, isInteger } from './arithmetic-type.ts';
import { floatText } from './cast-text.ts';
import { decimalPrecisionMax, parseDecimal } from './decimal.ts';
import type { Expr } from './expr.ts';
import { quotedText } from './expr-text.ts';
import { isInRange } from './integer-range.ts';

/** What may stand as a literal in an expression. */
export type LiteralValue = string | number | bigint | boolean | Date | Uint8Array;

type Literal = Expr & { readonly kind: 'literal' };

/** A literal that stands beside an expression of a type (`beside`, for the message). */
export function literalBeside(value: unknown, type: FieldType, beside?: Expr): Literal {
  const literal = literalFor(value, type);
  if (literal !== null) return literal;
  const message = `${shown(value)} can't stand beside ${placeText(type, beside)}`;
  throw typedError('EXPR_TYPE_MISMATCH', message, { hint: hintFor(value, type) });
}

/**
 * A literal that is calculated with: as `literalBeside`, but never one that makes the result wider,
 * for it would be wider than the compiler says.
 */
export function literalOfType(value: unknown, type: FieldType, beside?: Expr): Literal {
  const literal = literalFor(value, type);
  if (literal !== null && !widens(literal.type, type)) return literal;
  const message = `${shown(value)} can't be calculated with ${placeText(type, beside)}`;
  const isFraction = isInteger(type) && typeof value === 'number' && !Number.isInteger(value);
  const hint = isFraction
    ? `Write lit(${value}), which is a float64, to calculate with float64.`
    : hintFor(value, type);
  throw typedError('EXPR_TYPE_MISMATCH', message, { hint });
}

function placeText(type: FieldType, beside: Expr | undefined): string {
  if (beside === undefined) return `a value of type ${typeText(type)}`;
  return `${quotedText(beside)}, which is ${typeText(beside.type)}`;
}

function widens(literal: FieldType, type: FieldType): boolean {
  // Of decimals the width is no part of what the compiler knows.
  if (type.kind === 'decimal') return literal.kind !== 'decimal';
  const own = arithmeticTypeOf('add', type, type);
  const other = arithmeticTypeOf('add', type, literal);
  return own?.kind !== other?.kind;
}

/** A literal that stands alone, as a column of `select`: its type follows from the value. */
export function literalAlone(value: LiteralValue): Literal {
  const type = typeAlone(value);
  const literal = literalFor(value, type);
  if (literal !== null) return literal;
  const message = `${shown(value)} is no ${typeText(type)}`;
  throw typedError('EXPR_TYPE_MISMATCH', message, { hint: hintFor(value, type) });
}

function typeAlone(value: LiteralValue): FieldType {
  if (typeof value === 'string') return utf8Type;
  if (typeof value === 'boolean') return boolType;
  if (typeof value === 'bigint') return int64Type;
  if (value instanceof Uint8Array) return binaryType;
  return value instanceof Date ? { kind: 'timestamp', unit: 'ms' } : float64Type;
}

/** A literal of exactly this type; `null` is the null of the type. */
export function typedLiteral(value: unknown, type: FieldType): Literal {
  if (value === null) return nullLiteral(type);
  const literal = literalFor(value, type);
  if (literal?.type.kind === 'decimal' && type.kind === 'decimal') {
    const extra = type.scale - literal.type.scale;
    const wholeDigits = literal.type.precision - literal.type.scale;
    if (extra >= 0 && wholeDigits <= type.precision - type.scale) {
      return literalOf(type, literal.value + '0'.repeat(literal.value === '0' ? 0 : extra));
    }
  } else if (literal !== null && isSameType(literal.type, type)) return literal;
  const message = `${shown(value)} is no ${typeText(type)}`;
  throw typedError('EXPR_TYPE_MISMATCH', message, { hint: hintFor(value, type) });
}

export function nullLiteral(type: FieldType): Literal {
  return Object.freeze({ kind: 'literal', value: null, type, nullable: true });
}

/** Whether `value` is one that `literalAlone` takes. */
export function isLiteralValue(value: unknown): value is LiteralValue {
  const isPlain = ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
  return isPlain || value instanceof Date || value instanceof Uint8Array;
}

/** The literal of a value beside a type; null when there is none. */
function literalFor(value: unknown, type: FieldType): Literal | null {
  if (isInteger(type)) return integerLiteral(value, type);
  switch (type.kind) {
    case 'bool':
      return typeof value === 'boolean' ? literalOf(type, value) : null;
    case 'utf8':
      return typeof value === 'string' ? literalOf(utf8Type, value.toWellFormed()) : null;
    case 'float32':
    case 'float64':
      return floatLiteral(value, type);
    case 'decimal':
      return decimalLiteral(value);
    case 'date': {
      const days = daysIn(value);
      return days === null || (days | 0) !== days ? null : literalOf(type, days);
    }
    case 'timestamp': {
      const perMs = type.unit === 'us' ? 1000 : 1;
      const units = value instanceof Date ? value.getTime() * perMs : value;
      const whole = wholeNumberOf(units);
      return whole === null ? null : literalOf(type, whole.toString());
    }
    case 'binary':
      return value instanceof Uint8Array ? literalOf(type, hexOf(value)) : null;
    default:
      return null;
  }
}

/** A fraction beside an integer is a float64; what does not fit the type is of a wider one. */
function integerLiteral(value: unknown, type: FieldType): Literal | null {
  if (typeof value === 'number' && Number.isFinite(value) && !Number.isInteger(value)) {
    return literalOf(float64Type, value);
  }
  const whole = wholeNumberOf(value);
  if (whole === null) return null;
  if (type.kind === 'int64') return literalOf(type, whole.toString());
  if (isInRange(whole, type)) return literalOf(type, Number(whole));
  if (isInRange(whole, int32Type)) return literalOf(int32Type, Number(whole));
  return literalOf(int64Type, whole.toString());
}

function floatLiteral(value: unknown, type: FieldType): Literal | null {
  const number = numberIn(value);
  if (number === null) return null;
  return literalOf(type, heldFloat(type.kind === 'float32' ? Math.fround(number) : number));
}

/** A float as literals hold it. */
export function heldFloat(value: number): number | string {
  return Number.isFinite(value) && !Object.is(value, -0) ? value : floatText(value);
}

/** A finite number; a bigint only where a float64 has it exactly. */
function numberIn(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'bigint' && BigInt(Number(value)) === value ? Number(value) : null;
}

/** A decimal with as many digits as the value is written with. */
function decimalLiteral(value: unknown): Literal | null {
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'string') {
    return null;
  }
  const parsed = parseDecimal(String(value));
  if (parsed === null) return null;
  const digits = String(parsed.unscaled).replace('-', '').length;
  const precision = Math.max(digits, parsed.scale, 1);
  if (precision > decimalPrecisionMax) return null;
  const type: FieldType = { kind: 'decimal', precision, scale: parsed.scale };
  return literalOf(type, String(parsed.unscaled));
}

function daysIn(value: unknown): number | null {
  if (typeof value === 'string') return daysOfIsoDate(value);
  return value instanceof Date ? daysOfMidnight(value) : null;
}

/** The value as an integer in the range of int64; null when it is none, or no longer exact. */
function wholeNumberOf(value: unknown): bigint | null {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return null;
  if (typeof value !== 'number' && typeof value !== 'bigint') return null;
  const whole = BigInt(value);
  return isInRange(whole, int64Type) ? whole : null;
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function literalOf(type: FieldType, value: string | number | boolean): Literal {
  return Object.freeze({ kind: 'literal', value, type, nullable: false });
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function hintFor(value: unknown, type: FieldType): string {
  if (value === null || value === undefined) {
    return 'Write isNull() or isNotNull() to ask whether a value is there.';
  }
  if (isInteger(type)) return `Give ${wholeNumber}, or another column of that type.`;
  return `Give ${expected[type.kind] ?? 'a column'}, or another column of that type.`;
}

const wholeNumber = 'a whole number (a bigint where a number is not exact)';
const expected: Partial<Record<FieldType['kind'], string>> = {
  bool: 'true or false',
  utf8: 'a string',
  float32: 'a finite number',
  float64: 'a finite number',
  decimal: 'a number, or a text such as "12.50"',
  date: 'a text such as "2026-11-26", or a Date at midnight UTC',
  timestamp: 'a Date, or a whole number in the unit of the timestamp',
  binary: 'a Uint8Array',
};
