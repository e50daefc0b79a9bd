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
import { physicalTypes, type Statistics } from '../parquet-metadata.ts';
import type { ParquetLeaf } from '../parquet-schema.ts';
import type { Conversion } from './conversion.ts';

/**
 * Integers, dates, timestamps and unscaled decimals as bigint, floats and bools (0 and 1) as numbers,
 * texts and binaries as their bytes.
 */
export type BoundValue = bigint | number | Uint8Array;

export interface Bounds {
  readonly least: BoundValue;
  readonly most: BoundValue;
}

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

/** Null where nothing is known. */
export function boundsOf(
  leaf: BoundedLeaf,
  { min, max }: Pick<Statistics, 'min' | 'max'>,
): Bounds | null {
  if (min === null || max === null) return null;
  const [least, most] = [boundOf(leaf, min, 'least'), boundOf(leaf, max, 'most')];
  return least === null || most === null ? null : { least, most };
}

function boundOf(leaf: BoundedLeaf, bytes: Uint8Array, side: keyof Bounds): BoundValue | null {
  const value = storedValueOf(leaf, bytes);
  return value === null ? null : converted(leaf.conversion, value, side);
}

/** A value in the plain encoding; null where it is none, or has no order. */
export function storedValueOf(
  { physical, order }: Pick<BoundedLeaf, 'physical' | 'order'>,
  bytes: Uint8Array,
): BoundValue | null {
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
  value: BoundValue,
  side: keyof Bounds,
): BoundValue | null {
  switch (name) {
    case 'float64FromInt32':
      return Number(value);
    case 'multiply':
      return (value as bigint) * BigInt(by);
    case 'divide': {
      const [units, factor] = [value as bigint, BigInt(by)];
      const whole = units / factor;
      const rest = units % factor;
      if (rest === 0n) return whole;
      if (side === 'least') return rest < 0n ? whole - 1n : whole;
      return rest > 0n ? whole + 1n : whole;
    }
    case 'int96':
    case 'float32FromFloat16':
      return null;
    default:
      return value;
  }
}
