/**
 * The type in which values of two types are equal exactly when they are: it holds all values of both. For keys
 * that are compared by their bytes. A comparison is not so strict: it takes an int64 beside a float64 as the
 * nearest float64.
 */
import { type FieldType, float64Type, isSameType } from '../schema/field-type.ts';
import { commonTypeOf, integerDigits, isFloat, isInteger } from './arithmetic-type.ts';
import { decimalPrecisionMax } from './decimal.ts';

/** Null where there is none. */
export function exactTypeOf(a: FieldType, b: FieldType): FieldType | null {
  if (isSameType(a, b)) return a;
  if (isFloat(a) || isFloat(b)) {
    // 53 bits hold whole numbers of 32.
    const isExact = (type: FieldType) =>
      isFloat(type) || (isInteger(type) && type.kind !== 'int64');
    return isExact(a) && isExact(b) ? float64Type : null;
  }
  const [left, right] = [digitsOf(a), digitsOf(b)];
  if (left === null || right === null) return null;
  if (a.kind !== 'decimal' && b.kind !== 'decimal') return commonTypeOf(a, b);
  const scale = Math.max(left.scale, right.scale);
  const precision = Math.max(left.whole, right.whole) + scale;
  return precision <= decimalPrecisionMax ? { kind: 'decimal', precision, scale } : null;
}

/** Digits before and behind the point; null for what is no exact number. */
function digitsOf(type: FieldType): { readonly whole: number; readonly scale: number } | null {
  if (type.kind === 'decimal') return { whole: type.precision - type.scale, scale: type.scale };
  return isInteger(type) ? { whole: integerDigits[type.kind], scale: 0 } : null;
}
