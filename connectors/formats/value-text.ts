/**
 * The text of values that are no texts themselves, the same in CSV and NDJSON:
 *
 *     bool        true, false
 *     int8 … int64, uint8 … uint32   all digits, exactly
 *     float64     JavaScript's shortest text that reads back as the same number; -0 is 0
 *     float32     the shortest text whose nearest float32 is the value
 *     decimal     12.50: all digits of the scale
 *     date        2024-02-29
 *     timestamp   2024-02-29T23:59:59.123Z (ms) or …59.123456Z (µs), UTC
 *     binary      base64
 *
 * NaN and infinities are JavaScript's words `NaN`, `Infinity`, `-Infinity`; whether they may appear is
 * the format's decision. Values are found by address, so that those inside lists and structs, which are
 * not aligned, are written by the same code.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { isoDateOfDays } from '../../engine/schema/date-text.ts';
import { decimalTextOf } from '../../engine/schema/decimal-text.ts';
import type { FieldType } from '../../engine/schema/field-type.ts';
import { writeInt64Digits } from './int64-text.ts';
import type { TextOutput } from './text-output.ts';
import { writeTimestamp } from './timestamp-text.ts';

const twoTo32 = 2 ** 32;
const words = new Uint32Array(4);
const base64Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const base64Codes = Uint8Array.from(base64Letters, (letter) => letter.charCodeAt(0));
/** Digits of a float32 that tell it from its neighbours. */
const float32DigitsMin = 6;
const float32DigitsMax = 9;

/** Writes a bool, given as a bit or a byte. */
export function writeBool(value: boolean, output: TextOutput): void {
  output.writeAscii(value ? 'true' : 'false');
}

/** Writes the value of a fixed size at an address. */
export function writeFixed(
  memory: SlotMemory,
  type: FieldType,
  at: number,
  output: TextOutput,
): void {
  const { view } = memory;
  switch (type.kind) {
    case 'int8':
      writeInt32(view.getInt8(at), output);
      break;
    case 'int16':
      writeInt32(view.getInt16(at, true), output);
      break;
    case 'int32':
      writeInt32(view.getInt32(at, true), output);
      break;
    case 'uint8':
      writeInt64(0, view.getUint8(at), output);
      break;
    case 'uint16':
      writeInt64(0, view.getUint16(at, true), output);
      break;
    case 'uint32':
      writeInt64(0, view.getUint32(at, true), output);
      break;
    case 'int64':
      writeInt64(view.getInt32(at + 4, true), view.getUint32(at, true), output);
      break;
    case 'float32':
      output.writeAscii(float32Text(view.getFloat32(at, true)));
      break;
    case 'float64':
      output.writeAscii(String(view.getFloat64(at, true)));
      break;
    case 'decimal':
      writeDecimal(memory, at, type.scale, output);
      break;
    case 'date':
      output.writeAscii(isoDateOfDays(view.getInt32(at, true)));
      break;
    default:
      assert(type.kind === 'timestamp', 'other types have no fixed size');
      writeTime(memory, at, type.unit, output);
      break;
  }
}

/** Writes bytes as base64, with padding. */
export function writeBase64(
  memory: SlotMemory,
  at: number,
  sizeBytes: number,
  output: TextOutput,
): void {
  const { bytes } = memory;
  for (let index = 0; index < sizeBytes; index += 3) {
    const left = sizeBytes - index;
    const first = bytes[at + index]!;
    const second = left > 1 ? bytes[at + index + 1]! : 0;
    const third = left > 2 ? bytes[at + index + 2]! : 0;
    output.writeByte(base64Codes[first >> 2]!);
    output.writeByte(base64Codes[((first & 3) << 4) | (second >> 4)]!);
    output.writeByte(left > 1 ? base64Codes[((second & 15) << 2) | (third >> 6)]! : 61);
    output.writeByte(left > 2 ? base64Codes[third & 63]! : 61);
  }
}

function writeInt32(value: number, output: TextOutput): void {
  writeInt64(value >> 31, value >>> 0, output);
}

function writeInt64(high: number, low: number, output: TextOutput): void {
  const { scratch } = output;
  const start = writeInt64Digits(high, low, scratch);
  for (let index = start; index < scratch.length; index++) output.writeByte(scratch[index]!);
}

function float32Text(value: number): string {
  for (let digits = float32DigitsMin; digits < float32DigitsMax; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return String(shorter);
  }
  return String(Number.isFinite(value) ? Number(value.toPrecision(float32DigitsMax)) : value);
}

function writeDecimal(memory: SlotMemory, at: number, scale: number, output: TextOutput): void {
  const { view } = memory;
  for (let word = 0; word < 4; word++) words[word] = view.getUint32(at + word * 4, true);
  const high = view.getInt32(at + 4, true);
  const sign = high >> 31;
  // What fits an int64, which is most, is written digit by digit; the rest makes a text first.
  if ((words[2]! | 0) !== sign || (words[3]! | 0) !== sign) {
    output.writeAscii(decimalTextOf(words, 0, scale));
    return;
  }
  const { scratch } = output;
  let start = writeInt64Digits(high, words[0]!, scratch);
  if (sign < 0) {
    output.writeByte(45);
    start++;
  }
  const point = scratch.length - scale;
  if (start >= point) output.writeByte(48);
  for (let index = start; index < point; index++) output.writeByte(scratch[index]!);
  if (scale === 0) return;
  output.writeByte(46);
  for (let index = point; index < scratch.length; index++) {
    output.writeByte(index < start ? 48 : scratch[index]!);
  }
}

function writeTime(memory: SlotMemory, at: number, unit: 'ms' | 'us', output: TextOutput): void {
  const high = memory.view.getInt32(at + 4, true);
  const low = memory.view.getUint32(at, true);
  const { scratch } = output;
  const size = writeTimestamp(high, low, unit, scratch);
  if (size === 0) throw notADateError(high, low, unit);
  for (let index = 0; index < size; index++) output.writeByte(scratch[index]!);
}

function notADateError(high: number, low: number, unit: string): Error {
  const value = BigInt(high) * BigInt(twoTo32) + BigInt(low);
  return typedError('VALUE_NOT_A_DATE', `the timestamp ${value} (${unit}) is beyond all dates`, {
    hint: 'Dates end in the year 275760. Check the unit of the timestamp, or write the column as int64.',
    details: { value: String(value), unit },
  });
}
