/**
 * From the values of a file's column to those of a declared type: which conversions there are, and the
 * kernels that carry them out. All are exact; what can't hold all values is no conversion, and what may
 * not hold one says so when it comes.
 *
 *     int32 → int64, float64, decimal     float32 → float64     decimal(9,2) → decimal(15,2)
 *     timestamp(ns) → timestamp(us)       where no value has nanoseconds
 */
import type { Kernels } from '../../../engine/kernels/kernels.ts';
import { type FieldType, valueSizeOf } from '../../../engine/schema/field-type.ts';
import { physicalTypes } from '../parquet-metadata.ts';
import type { Meaning, ParquetLeaf, TimeUnit } from '../parquet-schema.ts';

/** A conversion by name, with a number that it depends on. Plain JSON, as part of a split. */
export interface Conversion {
  readonly name:
    | 'bits'
    /** The same bytes. */
    | 'copy'
    /** Views, of text that is checked to be UTF-8 and of any bytes. */
    | 'text'
    | 'bytes'
    /** Views of values of so many bytes. */
    | 'fixedBytes'
    /** To 8 or 16 bits; signed where the number is 1. */
    | 'int8'
    | 'int16'
    | 'widenInt32'
    | 'widenUint32'
    | 'notNegative'
    | 'widenFloat32'
    | 'float64FromInt32'
    | 'float32FromFloat16'
    | 'decimalFromInt32'
    | 'decimalFromInt64'
    /** Of so many bytes. */
    | 'decimalFromFixed'
    | 'decimalFromBytes'
    /** int64 times and divided by so much. */
    | 'multiply'
    | 'divide'
    /** To units of so many nanoseconds. */
    | 'int96';
  readonly by: number;
}

const nanosOf: Readonly<Record<TimeUnit, number>> = { ms: 1_000_000, us: 1000, ns: 1 };

/** How the column's values become those of the type; null when they don't. */
export function conversionOf(leaf: ParquetLeaf, declared: FieldType): Conversion | null {
  const { physical, typeLength, meaning } = leaf;
  switch (declared.kind) {
    case 'bool':
      return physical === physicalTypes.boolean ? { name: 'bits', by: 0 } : null;
    case 'utf8':
      return isByteArray(leaf, ['text', 'none']) ? { name: 'text', by: 0 } : null;
    case 'binary':
      return bytesConversionOf(leaf);
    case 'float32':
      if (physical === physicalTypes.float) return copy;
      return isFloat16(leaf) ? { name: 'float32FromFloat16', by: 0 } : null;
    case 'float64':
      return float64ConversionOf(leaf);
    case 'decimal': {
      if (meaning.kind !== 'decimal') return null;
      const isHeld = meaning.scale === declared.scale && meaning.precision <= declared.precision;
      return isHeld ? decimalConversionOf(physical, typeLength) : null;
    }
    case 'date':
      return meaning.kind === 'date' && physical === physicalTypes.int32 ? copy : null;
    case 'timestamp':
      return timestampConversionOf(leaf, nanosOf[declared.unit]);
    case 'list':
    case 'struct':
      return null;
    default:
      return integerConversionOf(leaf, declared);
  }
}

const copy: Conversion = { name: 'copy', by: 0 };

function isByteArray({ physical, meaning }: ParquetLeaf, kinds: readonly Meaning['kind'][]) {
  return physical === physicalTypes.byteArray && kinds.includes(meaning.kind);
}

function isFloat16({ physical, meaning, typeLength }: ParquetLeaf): boolean {
  return physical === physicalTypes.fixed && meaning.kind === 'float16' && typeLength === 2;
}

function bytesConversionOf(leaf: ParquetLeaf): Conversion | null {
  if (isByteArray(leaf, ['text', 'none', 'other'])) return { name: 'bytes', by: 0 };
  const isFixed = leaf.physical === physicalTypes.fixed;
  const isPlain = ['none', 'uuid', 'other'].includes(leaf.meaning.kind);
  return isFixed && isPlain ? { name: 'fixedBytes', by: leaf.typeLength } : null;
}

function float64ConversionOf({ physical, meaning }: ParquetLeaf): Conversion | null {
  if (physical === physicalTypes.double) return copy;
  if (physical === physicalTypes.float) return { name: 'widenFloat32', by: 0 };
  const isInt32 =
    physical === physicalTypes.int32 &&
    meaning.kind === 'integer' &&
    (meaning.isSigned || meaning.bits < 32);
  return isInt32 ? { name: 'float64FromInt32', by: 0 } : null;
}

function decimalConversionOf(physical: number, typeLength: number): Conversion | null {
  switch (physical) {
    case physicalTypes.int32:
      return { name: 'decimalFromInt32', by: 0 };
    case physicalTypes.int64:
      return { name: 'decimalFromInt64', by: 0 };
    case physicalTypes.byteArray:
      return { name: 'decimalFromBytes', by: 0 };
    case physicalTypes.fixed:
      return { name: 'decimalFromFixed', by: typeLength };
    default:
      return null;
  }
}

function timestampConversionOf(
  { physical, meaning }: ParquetLeaf,
  nanosWanted: number,
): Conversion | null {
  if (physical === physicalTypes.int96) return { name: 'int96', by: nanosWanted };
  if (physical !== physicalTypes.int64 || meaning.kind !== 'timestamp') return null;
  const nanos = nanosOf[meaning.unit];
  if (nanos === nanosWanted) return copy;
  return nanos > nanosWanted
    ? { name: 'multiply', by: nanos / nanosWanted }
    : { name: 'divide', by: nanosWanted / nanos };
}

function integerConversionOf(leaf: ParquetLeaf, declared: FieldType): Conversion | null {
  const { physical, meaning } = leaf;
  const bits = valueSizeOf(declared) * 8;
  const isSigned = declared.kind.startsWith('int');
  if (physical === physicalTypes.int64) return int64ConversionOf(meaning, bits);
  if (physical !== physicalTypes.int32) return null;
  // A time of day has no type of its own here: it is read as the number that it is.
  if (meaning.kind === 'time') return bits >= 32 && isSigned ? fromInt32(bits, true) : null;
  if (meaning.kind !== 'integer' || meaning.bits > 32) return null;
  const isHeld = meaning.isSigned
    ? isSigned && meaning.bits <= bits
    : meaning.bits < bits || (meaning.bits === bits && !isSigned);
  return isHeld ? fromInt32(bits, isSigned, !meaning.isSigned && meaning.bits === 32) : null;
}

/** Numbers of fewer than 32 bits are int32 in the file, too. */
function fromInt32(bits: number, isSigned: boolean, isUint32 = false): Conversion {
  if (bits === 8) return { name: 'int8', by: Number(isSigned) };
  if (bits === 16) return { name: 'int16', by: Number(isSigned) };
  if (bits === 32) return copy;
  return { name: isUint32 ? 'widenUint32' : 'widenInt32', by: 0 };
}

function int64ConversionOf(meaning: Meaning, bits: number): Conversion | null {
  if (bits !== 64) return null;
  switch (meaning.kind) {
    case 'time':
    case 'timestamp':
      return copy;
    case 'integer':
      return meaning.isSigned ? copy : { name: 'notNegative', by: 0 };
    default:
      return null;
  }
}

/** Bytes that a value of a file has in the slot's memory; 0 for bits, 16 for views. */
export function physicalSizeOf(physical: number, typeLength: number): number {
  switch (physical) {
    case physicalTypes.boolean:
      return 0;
    case physicalTypes.int32:
    case physicalTypes.float:
      return 4;
    case physicalTypes.int64:
    case physicalTypes.double:
      return 8;
    case physicalTypes.int96:
      return 12;
    case physicalTypes.byteArray:
      return 16;
    default:
      return typeLength;
  }
}

/** Whether what it makes shows into the bytes of the values. */
export function showsIntoValues({ name }: Conversion): boolean {
  return name === 'text' || name === 'bytes' || name === 'fixedBytes';
}

/** Whether the values are as they are in the file. */
export function isCopy({ name }: Conversion): boolean {
  return name === 'copy' || name === 'text' || name === 'bytes';
}

export interface Conversions {
  readonly values: number;
  readonly count: number;
  readonly out: number;
}

/** Converts values that are no plain copy; answers with the first that can't be, or the count. */
export function convert(
  kernels: Kernels,
  { name, by }: Conversion,
  { values, count, out }: Conversions,
): number {
  switch (name) {
    case 'fixedBytes':
      kernels.viewsFromFixed(values, by, count, out);
      return count;
    case 'widenInt32':
      kernels.widenInt32(values, count, out);
      return count;
    case 'widenUint32':
      kernels.widenUint32(values, count, out);
      return count;
    case 'widenFloat32':
      kernels.widenFloat32(values, count, out);
      return count;
    case 'int8':
      return kernels.checkedInt8(values, count, by, out);
    case 'int16':
      return kernels.checkedInt16(values, count, by, out);
    case 'notNegative':
      return kernels.checkedNotNegative(values, count, out);
    case 'float64FromInt32':
      return kernels.float64FromInt32(values, count, out);
    case 'float32FromFloat16':
      return kernels.float32FromFloat16(values, count, out);
    case 'multiply':
      return kernels.multipliedInt64(values, count, by, out);
    case 'divide':
      return kernels.dividedInt64(values, count, by, out);
    case 'int96':
      return kernels.timestampsFromInt96(values, count, by, out);
    default:
      return convertDecimals(kernels, { name, by }, { values, count, out });
  }
}

function convertDecimals(
  kernels: Kernels,
  { name, by }: Conversion,
  { values, count, out }: Conversions,
): number {
  switch (name) {
    case 'decimalFromInt32':
      return kernels.decimalsFromInt32(values, count, out);
    case 'decimalFromInt64':
      return kernels.decimalsFromInt64(values, count, out);
    case 'decimalFromFixed':
      return kernels.decimalsFromFixed(values, by, count, out);
    case 'decimalFromBytes':
      return kernels.decimalsFromViews(values, count, out);
    default:
      throw new RangeError(`values are ${name} as they are`);
  }
}
