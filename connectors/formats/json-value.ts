/**
 * Values as JSON, straight from the slot's memory: texts escaped where JSON demands it (`"`, `\` and
 * control characters), dates, times and bytes as texts, lists and structs as arrays and objects.
 *
 * JSON has no NaN and no infinity: to write null instead would be silently wrong, so it is an error.
 */
import { typedError } from '../../base/typed-error.ts';
import { listLayoutOf, structLayoutOf } from '../../engine/batch/nested-layout.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import {
  type Field,
  type FieldType,
  type ItemType,
  layoutOf,
} from '../../engine/schema/field-type.ts';
import type { TextOutput } from './text-output.ts';
import { writeBase64, writeBool, writeFixed } from './value-text.ts';

/** Writes the value at an address; `size`: its bytes, where their number is not fixed. */
export type WriteValue = (at: number, size: number) => void;

export interface JsonTarget {
  readonly memory: SlotMemory;
  readonly output: TextOutput;
  /** What the value is called in errors: `price`, `items[].price`. */
  readonly name: string;
}

const quote = 34;
const backslash = 92;
/** What follows the backslash for control characters that have a letter. */
const letterOfControl: Readonly<Record<number, string>> = {
  8: 'b',
  9: 't',
  10: 'n',
  12: 'f',
  13: 'r',
};

/** The writer of values of a type that are not null. A bool is a byte here, as inside of structs. */
export function jsonWriterOf(type: FieldType, target: JsonTarget): WriteValue {
  const { memory, output, name } = target;
  switch (type.kind) {
    case 'utf8':
      return (at, size) => writeJsonText(memory, at, size, output);
    case 'binary':
      return quoted(output, (at, size) => writeBase64(memory, at, size, output));
    case 'date':
    case 'timestamp':
      return quoted(output, (at) => writeFixed(memory, type, at, output));
    case 'bool':
      return (at) => writeBool(memory.bytes[at] !== 0, output);
    case 'float32':
    case 'float64':
      return (at) => {
        const { view } = memory;
        const value =
          type.kind === 'float32' ? view.getFloat32(at, true) : view.getFloat64(at, true);
        if (!Number.isFinite(value)) throw notJsonError(name, value);
        writeFixed(memory, type, at, output);
      };
    case 'list':
      return listWriterOf(type.item, target);
    case 'struct':
      return structWriterOf(type.fields, target);
    default:
      return (at) => writeFixed(memory, type, at, output);
  }
}

/** Writes a text in quotes, escaped. */
function writeJsonText(
  memory: SlotMemory,
  start: number,
  sizeBytes: number,
  output: TextOutput,
): void {
  const { bytes } = memory;
  const end = start + sizeBytes;
  output.writeByte(quote);
  let from = start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= 32 && byte !== quote && byte !== backslash) continue;
    output.copyFrom(from, at - from);
    output.writeAscii(escaped(byte));
    from = at + 1;
  }
  output.copyFrom(from, end - from);
  output.writeByte(quote);
}

function quoted(output: TextOutput, write: WriteValue): WriteValue {
  return (at, size) => {
    output.writeByte(quote);
    write(at, size);
    output.writeByte(quote);
  };
}

function listWriterOf({ type, nullable }: ItemType, target: JsonTarget): WriteValue {
  const { memory, output } = target;
  const { view } = memory;
  const write = jsonWriterOf(type, { ...target, name: `${target.name}[]` });
  const isVariable = layoutOf(type) === 'view';
  return (at) => {
    const count = view.getUint32(at, true);
    const { bits, slots, slotSize, variable } = listLayoutOf(type, nullable, count);
    output.writeByte(91);
    let from = 0;
    for (let index = 0; index < count; index++) {
      if (index > 0) output.writeByte(44);
      const slot = at + slots + index * slotSize;
      const end = isVariable ? view.getUint32(slot, true) : 0;
      const isNull = nullable && !isBitSet(memory, at + bits, index);
      if (isNull) output.writeAscii('null');
      else write(isVariable ? at + variable + from : slot, end - from);
      from = end;
    }
    output.writeByte(93);
  };
}

function structWriterOf(fields: readonly Field[], target: JsonTarget): WriteValue {
  const { memory, output } = target;
  const { view } = memory;
  const { bitsBytes, slots, previousEnds, variable } = structLayoutOf(fields);
  const encoder = new TextEncoder();
  const parts = fields.map(({ name, type }, index) => ({
    key: encoder.encode(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    slot: slots[index]!,
    previousEnd: previousEnds[index]!,
    isVariable: layoutOf(type) === 'view',
    write: jsonWriterOf(type, { ...target, name: `${target.name}.${name}` }),
  }));
  return (at) => {
    for (const [index, { key, slot, previousEnd, isVariable, write }] of parts.entries()) {
      output.writeBytes(key);
      if (bitsBytes > 0 && !isBitSet(memory, at, index)) {
        output.writeAscii('null');
      } else if (isVariable) {
        const from = previousEnd < 0 ? 0 : view.getUint32(at + previousEnd, true);
        write(at + variable + from, view.getUint32(at + slot, true) - from);
      } else {
        write(at + slot, 0);
      }
    }
    output.writeByte(125);
  };
}

function isBitSet({ bytes }: SlotMemory, bits: number, index: number): boolean {
  return ((bytes[bits + (index >>> 3)]! >>> (index & 7)) & 1) === 1;
}

function escaped(byte: number): string {
  if (byte === quote) return '\\"';
  if (byte === backslash) return '\\\\';
  const letter = letterOfControl[byte];
  return letter !== undefined ? `\\${letter}` : `\\u${byte.toString(16).padStart(4, '0')}`;
}

function notJsonError(column: string, value: number): Error {
  return typedError(
    'VALUE_NOT_JSON',
    `column "${column}" has the value ${value}, which JSON lacks`,
    {
      hint: 'Remove such rows before the sink with a "where", or write CSV, which has a text for it.',
      details: { column, value: String(value) },
    },
  );
}
