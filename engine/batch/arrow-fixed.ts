/**
 * Arrow's arrays of fixed width into the slot's memory: copied where the type is ours as well, converted
 * without loss where it is not.
 *
 *     Date64 → date   Timestamp s → ms, ns → µs   Float16 → float32   Decimal: digits are checked
 *
 * 64-bit values are computed as two words, so that nothing is rounded and no BigInt is made.
 */
import * as arrow from 'apache-arrow';
import { assert } from '../../base/assert.ts';
import { isWithinPrecision } from '../schema/decimal-text.ts';
import { valueSizeOf } from '../schema/field-type.ts';
import {
  allocate,
  bytesOf,
  corruptError,
  inexactError,
  isValidAt,
  type Part,
} from './arrow-part.ts';

const twoTo32 = 2 ** 32;
/** A day is 2^10 × 84,375 ms: the power of two is shifted away first, what is left is exact. */
const dayShift = 10;
const dayRest = 84_375;

/** The address of the values. */
export function importFixed(part: Part, validity: number): number {
  const { type } = part.data;
  if (arrow.DataType.isDate(type) && type.unit === arrow.DateUnit.MILLISECOND) {
    return converted(part, validity, 8, dayOfMs);
  }
  if (arrow.DataType.isTimestamp(type) && type.unit === arrow.TimeUnit.SECOND) {
    return converted(part, validity, 8, msOfSeconds);
  }
  if (arrow.DataType.isTimestamp(type) && type.unit === arrow.TimeUnit.NANOSECOND) {
    return converted(part, validity, 8, usOfNanoseconds);
  }
  if (arrow.DataType.isFloat(type) && type.precision === arrow.Precision.HALF) {
    return importFloat16(part);
  }
  const values = copied(part, valueSizeOf(part.field.type));
  if (arrow.DataType.isDecimal(type)) checkDigits(part, validity, values);
  return values;
}

function sourceOf({ field, data, fromRow, rowCount }: Part, width: number): Uint8Array {
  const source = bytesOf(data.values);
  const [from, end] = [fromRow * width, (fromRow + rowCount) * width];
  if (end > source.length) throw corruptError(field, 'values for its rows');
  return source.subarray(from, end);
}

function copied(part: Part, width: number): number {
  const source = sourceOf(part, width);
  const values = allocate(part, source.length);
  part.scope.memory.bytes.set(source, values);
  return values;
}

/** Writes a value given as two words to word `at`; false when it does not fit. */
type Convert = (words: Int32Array, at: number, high: number, low: number) => boolean;

function converted(part: Part, validity: number, width: number, convert: Convert): number {
  const source = sourceOf(part, width);
  const from = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const { field, rowCount, scope } = part;
  const { bytes, int32 } = scope.memory;
  const words = valueSizeOf(field.type) / 4;
  const values = allocate(part, rowCount * words * 4);
  for (let row = 0; row < rowCount; row++) {
    const at = values / 4 + row * words;
    if (!isValidAt(bytes, validity, row)) {
      int32.fill(0, at, at + words);
      continue;
    }
    const [low, high] = [from.getUint32(row * 8, true), from.getInt32(row * 8 + 4, true)];
    if (!convert(int32, at, high, low)) {
      throw inexactError(field, String(from.getBigInt64(row * 8, true)));
    }
  }
  return values;
}

function dayOfMs(words: Int32Array, at: number, high: number, low: number): boolean {
  const shifted = high * 2 ** (32 - dayShift) + (low >>> dayShift);
  const days = shifted / dayRest;
  const isWhole = low % 2 ** dayShift === 0 && Number.isInteger(days);
  if (!isWhole || days !== (days | 0)) return false;
  words[at] = days;
  return true;
}

function msOfSeconds(words: Int32Array, at: number, high: number, low: number): boolean {
  const lower = low * 1000;
  const upper = high * 1000 + Math.floor(lower / twoTo32);
  words[at] = (lower % twoTo32) | 0;
  words[at + 1] = upper;
  return upper === (upper | 0);
}

function usOfNanoseconds(words: Int32Array, at: number, high: number, low: number): boolean {
  const upper = Math.floor(high / 1000);
  const rest = (high - upper * 1000) * twoTo32 + low;
  const lower = Math.floor(rest / 1000);
  words[at] = lower | 0;
  words[at + 1] = upper;
  return rest - lower * 1000 === 0;
}

function importFloat16(part: Part): number {
  const { rowCount, scope } = part;
  const source = sourceOf(part, 2);
  const from = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const values = allocate(part, rowCount * 4);
  for (let row = 0; row < rowCount; row++) {
    scope.memory.float32[values / 4 + row] = float16Of(from.getUint16(row * 2, true));
  }
  return values;
}

/** Sign, 5 bits of exponent, 10 of fraction. */
function float16Of(bits: number): number {
  const sign = bits >>> 15 === 1 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** No decimal has more digits than its type says: sums and texts rely on it. */
function checkDigits({ field, rowCount, scope }: Part, validity: number, values: number): void {
  const { type } = field;
  assert(type.kind === 'decimal', 'decimals are imported as decimals');
  const { bytes, uint32, view } = scope.memory;
  for (let row = 0; row < rowCount; row++) {
    if (!isValidAt(bytes, validity, row)) continue;
    const at = values + row * 16;
    if (isWithinPrecision(uint32, at / 4, type.precision)) continue;
    const unscaled = (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true);
    throw inexactError(field, `${unscaled}e-${type.scale}`);
  }
}
