/**
 * The text of values that are not text themselves, the same in CSV and NDJSON:
 *
 *     bool        true, false             int8 to int64, uint8 to uint32, decimal   all digits, exactly
 *     floats      the shortest text that reads back as the same number; -0 is 0
 *     timestamp   2024-02-29T23:59:59.123Z (ms) or …59.123456Z (µs), UTC
 *     date        2024-02-29              binary   base64
 *
 * NaN and infinities are JavaScript's words `NaN`, `Infinity`, `-Infinity`; whether they may appear is
 * the format's decision.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Column } from '../../engine/batch/batch.ts';
import { utf8ViewSize, viewBytes } from '../../engine/batch/utf8-view.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { isoDateOfDays } from '../../engine/schema/date-text.ts';
import { decimalTextOf } from '../../engine/schema/decimal-text.ts';
import { writeInt64Digits } from './int64-text.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { timestampTextMax, writeTimestamp } from './timestamp-text.ts';

/** Bytes that are encoded in one go: a multiple of 3, so that there is no padding in the middle. */
const base64Bytes = 3 * 4096;

/** Writes a value that is not null, and neither utf8, list nor struct. */
export function writeValue(
  memory: SlotMemory,
  column: Column,
  row: number,
  output: OutputBuffer,
): void {
  const { type, values } = column;
  switch (type.kind) {
    case 'bool':
      output.writeAscii(isSet(memory, values, row) ? 'true' : 'false');
      break;
    case 'int8':
      writeInt32((memory.bytes[values + row]! << 24) >> 24, output);
      break;
    case 'int16':
      writeInt32(memory.int16[(values >>> 1) + row]!, output);
      break;
    case 'int32':
      writeInt32(memory.int32[(values >>> 2) + row]!, output);
      break;
    case 'uint8':
      writeInt64(0, memory.bytes[values + row]!, output);
      break;
    case 'uint16':
      writeInt64(0, memory.uint16[(values >>> 1) + row]!, output);
      break;
    case 'uint32':
      writeInt64(0, memory.uint32[(values >>> 2) + row]!, output);
      break;
    case 'int64': {
      const word = (values >>> 2) + row * 2;
      writeInt64(memory.int32[word + 1]!, memory.uint32[word]!, output);
      break;
    }
    case 'timestamp': {
      const word = (values >>> 2) + row * 2;
      const high = memory.int32[word + 1]!;
      const low = memory.uint32[word]!;
      const size = writeTimestamp(high, low, type.unit, output.scratch);
      if (size === 0) throw notADateError(high, low, type.unit);
      for (let index = 0; index < size; index++) output.writeByte(output.scratch[index]!);
      break;
    }
    case 'date':
      output.writeAscii(isoDateOfDays(memory.int32[(values >>> 2) + row]!));
      break;
    case 'decimal':
      output.writeAscii(decimalTextOf(memory.uint32, (values >>> 2) + row * 4, type.scale));
      break;
    case 'binary':
      output.writeAscii(base64Of(viewBytes(memory, values + row * utf8ViewSize)));
      break;
    case 'float32':
      output.writeAscii(float32Text(memory.float32[(values >>> 2) + row]!));
      break;
    case 'float64':
      output.writeAscii(String(memory.float64[values / 8 + row]!));
      break;
    default:
      assert(false, 'formats write texts, lists and structs themselves');
  }
}

/** The shortest text that reads back as the same float32; 9 digits always do. */
export function float32Text(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return String(shorter);
  }
  return String(Number.isFinite(value) ? Number(value.toPrecision(9)) : value);
}

export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let from = 0; from < bytes.length; from += base64Bytes) {
    text += btoa(String.fromCharCode(...bytes.subarray(from, from + base64Bytes)));
  }
  return text;
}

/** The text of a moment that is given as a bigint. */
export function timestampTextOf(value: bigint, unit: 'ms' | 'us'): string {
  const [high, low] = [Number(value >> 32n), Number(value & 0xffff_ffffn)];
  const into = new Uint8Array(timestampTextMax);
  const size = writeTimestamp(high, low, unit, into);
  if (size === 0) throw notADateError(high, low, unit);
  return String.fromCharCode(...into.subarray(0, size));
}

function writeInt32(value: number, output: OutputBuffer): void {
  writeInt64(value >> 31, value >>> 0, output);
}

function writeInt64(high: number, low: number, output: OutputBuffer): void {
  const { scratch } = output;
  const start = writeInt64Digits(high, low, scratch);
  for (let index = start; index < scratch.length; index++) output.writeByte(scratch[index]!);
}

function isSet(memory: SlotMemory, bitmap: number, row: number): boolean {
  return ((memory.bytes[bitmap + (row >>> 3)]! >>> (row & 7)) & 1) === 1;
}

function notADateError(high: number, low: number, unit: string): Error {
  const value = (BigInt(high) << 32n) | BigInt(low);
  return typedError('VALUE_NOT_A_DATE', `the timestamp ${value} (${unit}) is beyond all dates`, {
    hint: 'Dates end in the year 275760. Check the unit of the timestamp, or write the column as int64.',
    details: { value: String(value), unit },
  });
}
