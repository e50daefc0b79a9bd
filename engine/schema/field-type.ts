/**
 * Field types: what a value of a column is. Plain data, so that a schema travels as JSON.
 *
 * A type says what a value means, its layout where the bytes are; what only moves rows knows layouts.
 * In a slot's memory a column is a validity bitmap, and values by layout:
 *
 *     bits     bool                                one bit per row
 *     fixed    int8, uint8                         1 byte per row, all little-endian
 *              int16, uint16                       2 bytes
 *              int32, uint32, float32              4 bytes
 *              date                                4 bytes: days since 1970 (int32)
 *              int64, float64                      8 bytes
 *              timestamp                           8 bytes: int64 in its unit, UTC
 *              decimal                             16 bytes: int128, the value × 10^scale
 *     view     utf8, binary, list, struct          16 bytes: a view (engine/batch/utf8-view.ts)
 *
 * Why three layouts for all types: docs/design/003-types-and-layouts.md.
 */
import { assertNever } from '../../base/assert.ts';

export type FieldType =
  | { readonly kind: 'bool' }
  | { readonly kind: 'int8' }
  | { readonly kind: 'int16' }
  | { readonly kind: 'int32' }
  | { readonly kind: 'uint8' }
  | { readonly kind: 'uint16' }
  | { readonly kind: 'uint32' }
  /** `js` says what a user's function reads: a bigint, or a number that is checked to fit. */
  | { readonly kind: 'int64'; readonly js: 'bigint' | 'number' }
  | { readonly kind: 'float32' }
  | { readonly kind: 'float64' }
  /** `precision` digits (1 to 38), `scale` of them (up to all) behind the point. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'timestamp'; readonly unit: 'ms' | 'us' }
  /** `isDictionary`: files and Arrow tables hold the column as a dictionary; in memory nothing differs. */
  | { readonly kind: 'utf8'; readonly isDictionary?: true }
  | { readonly kind: 'binary' }
  | { readonly kind: 'list'; readonly item: ItemType }
  | { readonly kind: 'struct'; readonly fields: readonly Field[] };

/** What a list holds. */
export interface ItemType {
  readonly type: FieldType;
  readonly nullable: boolean;
}

/** A named column of a schema, or a part of a struct. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly nullable: boolean;
}

/** Where the bytes of a column's values are. */
export type Layout = 'bits' | 'fixed' | 'view';

export const boolType: FieldType = { kind: 'bool' };
export const int8Type: FieldType = { kind: 'int8' };
export const int16Type: FieldType = { kind: 'int16' };
export const int32Type: FieldType = { kind: 'int32' };
export const uint8Type: FieldType = { kind: 'uint8' };
export const uint16Type: FieldType = { kind: 'uint16' };
export const uint32Type: FieldType = { kind: 'uint32' };
export const int64Type: FieldType = { kind: 'int64', js: 'bigint' };
export const float32Type: FieldType = { kind: 'float32' };
export const float64Type: FieldType = { kind: 'float64' };
export const dateType: FieldType = { kind: 'date' };
export const utf8Type: FieldType = { kind: 'utf8' };
export const binaryType: FieldType = { kind: 'binary' };

export function layoutOf(type: FieldType): Layout {
  switch (type.kind) {
    case 'bool':
      return 'bits';
    case 'utf8':
    case 'binary':
    case 'list':
    case 'struct':
      return 'view';
    default:
      return 'fixed';
  }
}

/** Bytes of one value in a slot's memory; 0 for a bit. */
export function valueSizeOf(type: FieldType): 0 | 1 | 2 | 4 | 8 | 16 {
  switch (type.kind) {
    case 'bool':
      return 0;
    case 'int8':
    case 'uint8':
      return 1;
    case 'int16':
    case 'uint16':
      return 2;
    case 'int32':
    case 'uint32':
    case 'float32':
    case 'date':
      return 4;
    case 'int64':
    case 'float64':
    case 'timestamp':
      return 8;
    case 'decimal':
    case 'utf8':
    case 'binary':
    case 'list':
    case 'struct':
      return 16;
    default:
      return assertNever(type);
  }
}

/** Bytes that `rowCount` values take in a slot's memory, without the validity bitmap. */
export function valuesSizeOf(type: FieldType, rowCount: number): number {
  const size = valueSizeOf(type);
  return size === 0 ? bitmapSizeOf(rowCount) : rowCount * size;
}

/** Bytes of a bitmap of `rowCount` bits, whole 8-byte words as kernels read it. */
export function bitmapSizeOf(rowCount: number): number {
  return ((rowCount + 63) >>> 6) * 8;
}

/** The type as people write it: `int64`, `decimal(12,2)`, `list<int64?>`, `struct<a int32, b utf8?>`. */
export function typeText(type: FieldType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'timestamp':
      return `timestamp(${type.unit})`;
    case 'utf8':
      return type.isDictionary === true ? 'dictionary<utf8>' : 'utf8';
    case 'list':
      return `list<${typeText(type.item.type)}${type.item.nullable ? '?' : ''}>`;
    case 'struct':
      return `struct<${fieldsText(type.fields)}>`;
    default:
      return type.kind;
  }
}

/** `a int32, b utf8?`: fields on one line; `?` marks a nullable one. */
export function fieldsText(fields: readonly Field[]): string {
  return fields
    .map(({ name, type, nullable }) => `${name} ${typeText(type)}${nullable ? '?' : ''}`)
    .join(', ');
}

/**
 * Whether values of the two types may be compared or stored in the same column: all but how
 * JavaScript reads them and whether files hold them as a dictionary.
 */
export function isSameType(a: FieldType, b: FieldType): boolean {
  if (a.kind === 'list' && b.kind === 'list') {
    return a.item.nullable === b.item.nullable && isSameType(a.item.type, b.item.type);
  }
  if (a.kind === 'struct' && b.kind === 'struct') {
    return (
      a.fields.length === b.fields.length &&
      a.fields.every((field, index) => {
        const other = b.fields[index];
        return (
          other !== undefined &&
          field.name === other.name &&
          field.nullable === other.nullable &&
          isSameType(field.type, other.type)
        );
      })
    );
  }
  return (a.kind === 'utf8' && b.kind === 'utf8') || typeText(a) === typeText(b);
}
