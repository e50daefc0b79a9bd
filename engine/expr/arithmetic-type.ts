/**
 * The types of arithmetic: what two numbers make, and the type in which two values are compared.
 *
 *     int8, int16, uint8, uint16, int32 → int32       uint32, or one int64 → int64
 *     float32 with float32 → float32                  any other float → float64
 *     decimal with decimal or integer → decimal, by SQL's rules of precision and scale
 *     divide → float64, of decimals a decimal         intDivide → integers only
 *     timestamp or date ± integer → timestamp or date (in its unit, in days)
 *     timestamp − timestamp → int64                   date − date → int32
 *
 * @see Microsoft, "Precision, scale, and length (Transact-SQL)": the decimals' rules
 */
import {
  type FieldType,
  float32Type,
  float64Type,
  int32Type,
  int64Type,
  isSameType,
} from '../schema/field-type.ts';
import { decimalPrecisionMax } from './decimal.ts';
import type { ArithmeticOp } from './expr.ts';

/** Decimal digits of the largest values of a type, for its place among decimals. */
export const integerDigits = {
  int8: 3,
  uint8: 3,
  int16: 5,
  uint16: 5,
  int32: 10,
  uint32: 10,
  int64: 19,
} as const;

type IntegerType = FieldType & { readonly kind: keyof typeof integerDigits };
type DecimalType = FieldType & { readonly kind: 'decimal' };

export function isInteger(type: FieldType): type is IntegerType {
  return type.kind in integerDigits;
}

export function isFloat(type: FieldType): boolean {
  return type.kind === 'float32' || type.kind === 'float64';
}

export function isNumeric(type: FieldType): boolean {
  return isInteger(type) || isFloat(type) || type.kind === 'decimal';
}

/** The type that values of both types are compared in, or null when there is none. */
export function commonTypeOf(a: FieldType, b: FieldType): FieldType | null {
  if (a.kind === b.kind && a.kind !== 'int64' && isSameType(a, b)) return a;
  if (a.kind === 'decimal' && b.kind === 'decimal') return decimalAround(a, b);
  if (isNumeric(a) && isNumeric(b)) {
    const decimals = decimalsOf(a, b);
    return decimals === null ? numberTypeOf('add', a, b) : decimalAround(...decimals);
  }
  return isSameType(a, b) ? a : null;
}

/** The type of `left op right`, or null when there is no such operation. */
export function arithmeticTypeOf(
  op: ArithmeticOp,
  left: FieldType,
  right: FieldType,
): FieldType | null {
  if (isNumeric(left) && isNumeric(right)) {
    const decimals = decimalsOf(left, right);
    return decimals === null ? numberTypeOf(op, left, right) : decimalTypeOf(op, ...decimals);
  }
  if (op !== 'add' && op !== 'subtract') return null;
  if (left.kind !== 'timestamp' && left.kind !== 'date') return null;
  if (isInteger(right)) return left;
  if (op === 'add' || !isSameType(left, right)) return null;
  // Read as the timestamps themselves are: ms as a number, µs as a bigint.
  if (left.kind === 'timestamp') return int64Read(left.unit === 'ms');
  return int32Type;
}

function numberTypeOf(op: ArithmeticOp, left: FieldType, right: FieldType): FieldType | null {
  if (op === 'divide') return float64Type;
  if (isFloat(left) || isFloat(right)) {
    if (op === 'intDivide') return null;
    return left.kind === 'float32' && right.kind === 'float32' ? float32Type : float64Type;
  }
  const isLong = [left, right].some(({ kind }) => kind === 'int64' || kind === 'uint32');
  // A sum is read as a bigint when one of its operands is.
  const isBig = [left, right].some((type) => type.kind === 'int64' && type.js === 'bigint');
  return isLong ? int64Read(!isBig) : int32Type;
}

function int64Read(asNumber: boolean): FieldType {
  return asNumber ? { kind: 'int64', js: 'number' } : int64Type;
}

/** Both as decimals where one is and the other is none but an integer; otherwise null. */
function decimalsOf(a: FieldType, b: FieldType): [DecimalType, DecimalType] | null {
  if (a.kind !== 'decimal' && b.kind !== 'decimal') return null;
  const [left, right] = [decimalOf(a), decimalOf(b)];
  return left === null || right === null ? null : [left, right];
}

function decimalOf(type: FieldType): DecimalType | null {
  if (type.kind === 'decimal') return type;
  if (!isInteger(type)) return null;
  return { kind: 'decimal', precision: integerDigits[type.kind], scale: 0 };
}

function decimalTypeOf(op: ArithmeticOp, a: DecimalType, b: DecimalType): DecimalType | null {
  const wholeDigits = Math.max(a.precision - a.scale, b.precision - b.scale);
  const scale = Math.max(a.scale, b.scale);
  switch (op) {
    case 'add':
    case 'subtract':
      return decimal(wholeDigits + scale + 1, scale);
    case 'multiply':
      return decimal(a.precision + b.precision + 1, a.scale + b.scale);
    case 'divide': {
      const quotientScale = Math.max(6, a.scale + b.precision + 1);
      return decimal(a.precision - a.scale + b.scale + quotientScale, quotientScale);
    }
    case 'modulo': {
      const restDigits = Math.min(a.precision - a.scale, b.precision - b.scale);
      return decimal(restDigits + scale, scale);
    }
    case 'intDivide':
      return null;
  }
}

/** Holds the values of both, unless that takes more than 38 digits. */
function decimalAround(a: DecimalType, b: DecimalType): DecimalType {
  const wholeDigits = Math.max(a.precision - a.scale, b.precision - b.scale);
  const scale = Math.max(a.scale, b.scale);
  return decimal(wholeDigits + scale, scale);
}

/** Above 38 digits the scale is cut, to not less than 6, so that the whole digits stay. */
function decimal(precision: number, scale: number): DecimalType {
  if (precision <= decimalPrecisionMax) {
    return { kind: 'decimal', precision: Math.max(precision, 1), scale };
  }
  const cut = precision - decimalPrecisionMax;
  const kept = Math.max(scale - cut, Math.min(scale, 6));
  return { kind: 'decimal', precision: decimalPrecisionMax, scale: kept };
}
