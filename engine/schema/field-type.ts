/**
 * Field types: what a value of a column is. Plain data, so that a schema travels as JSON.
 *
 * In a slot's memory a column is Arrow's: a validity bitmap, and values by type:
 *
 *     bool        one bit per row          int32       4 bytes per row
 *     int64       8 bytes per row          float64     8 bytes per row
 *     timestamp   8 bytes per row (int64 in its unit, UTC)
 *     utf8        16 bytes per row: a view (see engine/batch/utf8-view.ts)
 */
import { assertNever } from '../../base/assert.ts';

export type FieldType =
  | { readonly kind: 'bool' }
  | { readonly kind: 'int32' }
  /** `js` says what a user's function reads: a bigint, or a number that is checked to fit. */
  | { readonly kind: 'int64'; readonly js: 'bigint' | 'number' }
  | { readonly kind: 'float64' }
  | { readonly kind: 'timestamp'; readonly unit: 'ms' | 'us' }
  | { readonly kind: 'utf8' };

export const boolType: FieldType = { kind: 'bool' };
export const int32Type: FieldType = { kind: 'int32' };
export const int64Type: FieldType = { kind: 'int64', js: 'bigint' };
export const float64Type: FieldType = { kind: 'float64' };
export const utf8Type: FieldType = { kind: 'utf8' };

/** Bytes that `rowCount` values take in a slot's memory, without the validity bitmap. */
export function valuesSizeOf(type: FieldType, rowCount: number): number {
  switch (type.kind) {
    case 'bool':
      return bitmapSizeOf(rowCount);
    case 'int32':
      return rowCount * 4;
    case 'int64':
    case 'float64':
    case 'timestamp':
      return rowCount * 8;
    case 'utf8':
      return rowCount * 16;
    default:
      return assertNever(type);
  }
}

/** Bytes of a bitmap of `rowCount` bits, whole 8-byte words as kernels read it. */
export function bitmapSizeOf(rowCount: number): number {
  return ((rowCount + 63) >>> 6) * 8;
}

/** The type as people write it: `int64`, `timestamp(ms)`. */
export function typeText(type: FieldType): string {
  return type.kind === 'timestamp' ? `timestamp(${type.unit})` : type.kind;
}

/** Whether values of the two types may be compared or stored in the same column. */
export function isSameType(a: FieldType, b: FieldType): boolean {
  return typeText(a) === typeText(b);
}
