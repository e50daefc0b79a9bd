/**
 * The text of values that are not text themselves, the same in CSV and NDJSON:
 *
 *     bool        true, false             int32, int64   all digits, exactly
 *     float64     JavaScript's shortest text that reads back as the same number; -0 is 0
 *     timestamp   2024-02-29T23:59:59.123Z (ms) or …59.123456Z (µs), UTC
 *
 * NaN and infinities are JavaScript's words `NaN`, `Infinity`, `-Infinity`; whether they may appear is
 * the format's decision.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Column } from '../../engine/batch/batch.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { writeInt64Digits } from './int64-text.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { writeTimestamp } from './timestamp-text.ts';

/** Writes a value that is not null and not utf8. */
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
    case 'int32': {
      const value = memory.int32[(values >>> 2) + row]!;
      writeInt64(value >> 31, value >>> 0, output);
      break;
    }
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
    default:
      output.writeAscii(String(memory.float64[values / 8 + row]!));
  }
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
