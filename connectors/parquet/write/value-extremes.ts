/**
 * The least and the largest values of a page or a chunk, for its statistics: found by kernels batch by
 * batch, put together here.
 *
 * Texts are cut: the least to its beginning, which is below it; the largest to a beginning whose last
 * byte is one more, which is above it.
 */

import { viewBytes } from '../../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import type { PhysicalColumn } from './physical-column.ts';

/** Longer texts are cut to this for statistics. */
const textBytesMax = 64;

type Value = bigint | number | Uint8Array;

export interface Extremes {
  readonly least: Value;
  readonly most: Value;
}

/** Values in their form, side by side. */
export interface FormedValues {
  readonly values: number;
  readonly count: number;
  /** Room for 32 bytes. */
  readonly result: number;
}

/** Null when there are none, or none that has a place in an order. */
export function extremesOfValues(
  { scope, kernels }: SlotContext,
  { order, formSize }: PhysicalColumn,
  { values, count, result }: FormedValues,
): Extremes | null {
  const { memory } = scope;
  const { view } = memory;
  if (count === 0) return null;
  switch (order) {
    case 'bool':
      return boolExtremes(memory.bytes, values, count);
    case 'signed':
    case 'unsigned':
      kernels.extremesOfInts(values, count, formSize, order === 'signed' ? 1 : 0, result);
      return { least: view.getBigInt64(result, true), most: view.getBigInt64(result + 8, true) };
    case 'float': {
      if (kernels.extremesOfFloats(values, count, formSize, result) === 0) return null;
      const [least, most] = [view.getFloat64(result, true), view.getFloat64(result + 8, true)];
      // Whoever reads may hold -0 and 0 to be different.
      return { least: least === 0 ? -0 : least, most: most === 0 ? 0 : most };
    }
    case 'decimal':
      kernels.extremesOfDecimals(values, count, result);
      return { least: int128At(view, result), most: int128At(view, result + 16) };
    default: {
      kernels.extremesOfTexts(values, count, result);
      const [least, most] = [0, 4].map((at) => {
        const index = view.getUint32(result + at, true);
        return viewBytes(memory, values + index * formSize).slice(0, textBytesMax + 1);
      });
      return { least: least as Uint8Array, most: most as Uint8Array };
    }
  }
}

function boolExtremes(bytes: Uint8Array, bits: number, count: number): Extremes {
  let ones = 0;
  for (let bit = 0; bit < count; bit++)
    ones += ((bytes[bits + (bit >>> 3)] ?? 0) >>> (bit & 7)) & 1;
  return { least: Number(ones === count), most: Number(ones > 0) };
}

function int128At(view: DataView, at: number): bigint {
  return (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true);
}

/** The extremes of both. */
export function joinExtremes(a: Extremes | null, b: Extremes | null): Extremes | null {
  if (a === null || b === null) return a ?? b;
  return {
    least: isBelow(b.least, a.least) ? b.least : a.least,
    most: isBelow(a.most, b.most) ? b.most : a.most,
  };
}

function isBelow(a: Value, b: Value): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    const size = Math.min(a.length, b.length);
    for (let index = 0; index < size; index++) {
      const difference = (a[index] ?? 0) - (b[index] ?? 0);
      if (difference !== 0) return difference < 0;
    }
    return a.length < b.length;
  }
  return Object.is(a, -0) && b === 0 ? !Object.is(b, -0) : a < b;
}

export interface ExtremeBytes {
  readonly least: Uint8Array;
  readonly most: Uint8Array;
  /** Whether they are values themselves, and not beginnings of such. */
  readonly isLeastExact: boolean;
  readonly isMostExact: boolean;
}

/** As the file has them; null where no beginning is above the largest text. */
export function bytesOfExtremes(column: PhysicalColumn, extremes: Extremes): ExtremeBytes | null {
  const { least, most } = extremes;
  if (least instanceof Uint8Array && most instanceof Uint8Array) {
    const isMostExact = most.length <= textBytesMax;
    const above = isMostExact ? most : aboveAllWith(most.subarray(0, textBytesMax));
    if (above === null) return null;
    const isLeastExact = least.length <= textBytesMax;
    const below = isLeastExact ? least : wholeCharacters(least.subarray(0, textBytesMax));
    return { least: below, most: above, isLeastExact, isMostExact };
  }
  return {
    least: bytesOfNumber(column, least as bigint | number),
    most: bytesOfNumber(column, most as bigint | number),
    isLeastExact: true,
    isMostExact: true,
  };
}

/** Cut so that no character of UTF-8 is broken, where it is that. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  if (end > 0 && (bytes[end - 1] ?? 0) >= 0xc0) end--;
  return end > 0 ? bytes.slice(0, end) : bytes.slice();
}

/** A short text above all that begin so: the last ASCII character is one more, and nothing behind it. */
function aboveAllWith(beginning: Uint8Array): Uint8Array | null {
  for (let at = beginning.length - 1; at >= 0; at--) {
    const byte = beginning[at] ?? 0;
    if (byte >= 0x7f) continue;
    const above = beginning.slice(0, at + 1);
    above[at] = byte + 1;
    return above;
  }
  return null;
}

function bytesOfNumber({ order, fileSize }: PhysicalColumn, value: bigint | number): Uint8Array {
  const bytes = new Uint8Array(Math.max(1, fileSize));
  const view = new DataView(bytes.buffer);
  if (order === 'bool') bytes[0] = Number(value);
  else if (order === 'float') {
    if (fileSize === 4) view.setFloat32(0, Number(value), true);
    else view.setFloat64(0, Number(value), true);
  } else if (order === 'decimal') {
    let rest = BigInt(value);
    for (let at = fileSize - 1; at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  } else if (fileSize === 4) view.setInt32(0, Number(BigInt.asIntN(32, BigInt(value))), true);
  else view.setBigInt64(0, BigInt(value), true);
  return bytes;
}
