/**
 * Bounds of values from a file's statistics, as values of the declared type: no value of the chunk or page
 * is below the least or above the most.
 *
 *     -2 as 4 bytes, int32 → decimal(9,2)     -2n, the unscaled value
 *     1999 ns, read as microseconds           least 1n, most 2n: what is between has no value anyway
 *
 * Statistics say nothing where their order is not that of the values: of int96, of half floats, of
 * intervals, and of unsigned numbers and bytes in files that do not name their order. A bound that is NaN
 * is none. Zeros of floats compare as equal here, whatever their sign. The older fields of statistics,
 * whose order was each writer's own, are not read at all.
 */
import type { Value } from '../../../engine/expr/value.ts';
import type { FieldType } from '../../../engine/schema/field-type.ts';
import { physicalTypes, type Statistics } from '../parquet-metadata.ts';
import type { ParquetLeaf } from '../parquet-schema.ts';
import type { Conversion } from './conversion.ts';

/** As the reference computes with them (engine/expr/value.ts); null where there is no bound. */
export interface Bounds {
  readonly least: Value;
  readonly most: Value;
}

export const noBounds: Bounds = { least: null, most: null };

/** As files have them: integers of all kinds as bigint, texts as their bytes. */
type StoredValue = bigint | number | Uint8Array;

/** In which order a file's statistics have the values of a column; null where that is not known. */
export type BoundsOrder = 'bool' | 'signed' | 'unsigned' | 'float' | 'bytes' | 'decimalBytes';

/** @param isTyped - Whether the file says that statistics are in the order of the column's type. */
export function boundsOrderOf(
  { physical, meaning }: ParquetLeaf,
  isTyped: boolean,
): BoundsOrder | null {
  switch (physical) {
    case physicalTypes.boolean:
      return 'bool';
    case physicalTypes.int32:
    case physicalTypes.int64: {
      const isUnsigned = meaning.kind === 'integer' && !meaning.isSigned;
      if (!isUnsigned) return 'signed';
      return isTyped ? 'unsigned' : null;
    }
    case physicalTypes.float:
    case physicalTypes.double:
      return 'float';
    case physicalTypes.int96:
      return null;
    default:
      if (!isTyped || meaning.kind === 'float16' || meaning.kind === 'other') return null;
      return meaning.kind === 'decimal' ? 'decimalBytes' : 'bytes';
  }
}

/** How values of a column are found in statistics. */
export interface BoundedLeaf {
  readonly physical: number;
  readonly order: BoundsOrder | null;
  readonly conversion: Conversion;
}

/** @param type - The declared one. */
export function boundsOf(
  leaf: BoundedLeaf,
  type: FieldType,
  { min, max }: Pick<Statistics, 'min' | 'max'>,
): Bounds {
  const of = (bytes: Uint8Array | null, side: keyof Bounds) => {
    const stored = bytes === null ? null : storedValueOf(leaf, bytes);
    const value = stored === null ? null : converted(leaf.conversion, stored, side);
    return value === null ? null : valueOfType(value, type, side);
  };
  return { least: of(min, 'least'), most: of(max, 'most') };
}

/** A value in the plain encoding; null where it is none, or has no order. */
function storedValueOf({ physical, order }: BoundedLeaf, bytes: Uint8Array): StoredValue | null {
  switch (order) {
    case 'bool':
      return bytes.length === 1 ? (bytes[0] ?? 0) & 1 : null;
    case 'signed':
    case 'unsigned':
      return integerOf(physical === physicalTypes.int64, order === 'signed', bytes);
    case 'float':
      return floatOf(physical === physicalTypes.double, bytes);
    case 'decimalBytes':
      return bytes.length === 0 ? null : signedOf(bytes);
    case 'bytes':
      return bytes;
    default:
      return null;
  }
}

function integerOf(isWide: boolean, isSigned: boolean, bytes: Uint8Array): bigint | null {
  if (bytes.length !== (isWide ? 8 : 4)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (isWide) return isSigned ? view.getBigInt64(0, true) : view.getBigUint64(0, true);
  return BigInt(isSigned ? view.getInt32(0, true) : view.getUint32(0, true));
}

function floatOf(isWide: boolean, bytes: Uint8Array): number | null {
  if (bytes.length !== (isWide ? 8 : 4)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const value = isWide ? view.getFloat64(0, true) : view.getFloat32(0, true);
  return Number.isNaN(value) ? null : value;
}

/** Two's complement with the highest byte first. */
function signedOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

function converted(
  { name, by }: Conversion,
  value: StoredValue,
  side: keyof Bounds,
): StoredValue | null {
  switch (name) {
    case 'multiply':
      return (value as bigint) * BigInt(by);
    case 'divide': {
      const [units, factor] = [value as bigint, BigInt(by)];
      const rest = ((units % factor) + factor) % factor;
      const below = (units - rest) / factor;
      return side === 'most' && rest > 0n ? below + 1n : below;
    }
    case 'int96':
    case 'float32FromFloat16':
      return null;
    default:
      return value;
  }
}

function valueOfType(value: StoredValue, type: FieldType, side: keyof Bounds): Value {
  switch (type.kind) {
    case 'bool':
      return value === 1;
    case 'utf8':
      return textOf(value as Uint8Array, side);
    case 'binary':
    case 'int64':
    case 'timestamp':
    case 'decimal':
      return value;
    default:
      return Number(value);
  }
}

/** What was cut may end within a character: without it the text is still below what begins so. */
function textOf(bytes: Uint8Array, side: keyof Bounds): string | null {
  for (const cut of side === 'least' ? [0, 1, 2, 3] : [0]) {
    const text = utf8TextOf(bytes.subarray(0, Math.max(0, bytes.length - cut)));
    if (text !== null) return text;
  }
  return null;
}

function utf8TextOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
