/**
 * Rows of a batch as JavaScript values: for tests, error messages and small results. Nothing that
 * runs per record in a job goes this way; user functions have generated drivers (engine/compile).
 *
 *     bool → boolean   up to 32 bits, floats → number   utf8 → string   binary → Uint8Array
 *     null → null   date, decimal → text   list → array   struct → object, whose values are as a user's
 *     function reads them
 *     int64 → bigint, or a checked number where the schema says `js: 'number'`   timestamp → bigint
 */
import { assertNever } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import { isoDateOfDays } from '../schema/date-text.ts';
import { decimalTextOf } from '../schema/decimal-text.ts';
import type { Batch, Column } from './batch.ts';
import { nestedDecoderOf } from './nested-decode.ts';
import { utf8ViewSize, viewBytes, viewText } from './utf8-view.ts';

/** All rows of the batch, in order, as objects with a property per field. */
export function readRows(batch: Batch): Record<string, unknown>[] {
  return Array.from({ length: batch.rowCount }, (_, row) => readRow(batch, row));
}

/** One row of the batch (counted among the selected ones). */
export function readRow(batch: Batch, row: number): Record<string, unknown> {
  const storedRow = batch.storedRowOf(row);
  const entries = batch.schema.fields.map((field, index) => [
    field.name,
    readValue(batch.memory, batch.columns[index]!, storedRow, field.name),
  ]);
  return Object.fromEntries(entries);
}

/**
 * One value of a column.
 * @param name - The column's name, for the error.
 * @throws VALUE_OUT_OF_RANGE when an int64 that is read as a number is no safe integer.
 */
export function readValue(memory: SlotMemory, column: Column, row: number, name: string): unknown {
  if (!isValid(memory, column, row)) return null;
  const { type, values } = column;
  switch (type.kind) {
    case 'bool':
      return bitAt(memory, values, row);
    case 'int8':
      return (memory.bytes[values + row]! << 24) >> 24;
    case 'uint8':
      return memory.bytes[values + row]!;
    case 'int16':
      return memory.int16[(values >>> 1) + row]!;
    case 'uint16':
      return memory.uint16[(values >>> 1) + row]!;
    case 'int32':
      return memory.int32[(values >>> 2) + row]!;
    case 'uint32':
      return memory.uint32[(values >>> 2) + row]!;
    case 'float32':
      return memory.float32[(values >>> 2) + row]!;
    case 'float64':
      return memory.float64[values / 8 + row]!;
    case 'int64': {
      const value = memory.bigInt64[values / 8 + row]!;
      return type.js === 'number' ? safeNumber(value, name) : value;
    }
    case 'timestamp':
      return memory.bigInt64[values / 8 + row]!;
    case 'utf8':
      return viewText(memory, values + row * utf8ViewSize);
    case 'date':
      return isoDateOfDays(memory.int32[(values >>> 2) + row]!);
    case 'decimal':
      return decimalTextOf(memory.uint32, (values >>> 2) + row * 4, type.scale);
    case 'list':
    case 'struct':
      return nestedDecoderOf(type, { memory, name, notSafe })(values + row * utf8ViewSize);
    case 'binary':
      return viewBytes(memory, values + row * utf8ViewSize).slice();
    default:
      return assertNever(type);
  }
}

function isValid(memory: SlotMemory, column: Column, row: number): boolean {
  return column.validity === 0 || bitAt(memory, column.validity, row);
}

function bitAt(memory: SlotMemory, bitmap: number, row: number): boolean {
  return ((memory.bytes[bitmap + (row >>> 3)]! >>> (row & 7)) & 1) === 1;
}

function safeNumber(value: bigint, name: string): number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : notSafe(name, value);
}

function notSafe(name: string, value: bigint): never {
  throw typedError(
    'VALUE_OUT_OF_RANGE',
    `the value ${value} of column "${name}" does not fit a JavaScript number exactly`,
    {
      hint: 'Read the column as bigint: declare it as t.int64() without { js: "number" }.',
      details: { column: name, value: String(value) },
    },
  );
}
