/**
 * JavaScript values into the bytes of lists and structs (engine/batch/nested-layout.ts).
 *
 * An encoder is made once per column: functions that know their type, so that no value asks for it.
 * They write into a buffer of JavaScript's, which is used for one value after the other, since how long
 * a value gets is known at its end only.
 *
 * Contract: items and fields are checked as columns are, and errors name them by their way there:
 * `tags[]`, `address.city`. Fields that a struct has beyond those declared are not looked at, as with rows.
 */
import { assert } from '../../base/assert.ts';
import type { Field, FieldType, ItemType } from '../schema/field-type.ts';
import { fieldOf } from '../schema/schema.ts';
import { listLayoutOf, slotSizeOf, structLayoutOf } from './nested-layout.ts';
import {
  checkedBool,
  checkedBytes,
  checkedDays,
  checkedFloat32,
  checkedInt64,
  checkedNumber,
  checkedText,
  checkedWhole,
  writeCheckedDecimal,
} from './value-checks.ts';
import { isNullError, typeMismatchError } from './value-errors.ts';

const firstBytes = 1024;
const encoder = new TextEncoder();

/** Bytes that grow at their end. */
export class NestedBuffer {
  #bytes = new Uint8Array(firstBytes);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Valid until the next byte is added. */
  get view(): DataView<ArrayBuffer> {
    return this.#view;
  }

  /** What was written, in place: valid until the next byte is added. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Adds zero bytes; answers where they start. */
  extend(sizeBytes: number): number {
    const start = this.#length;
    this.#reserve(sizeBytes);
    this.#length = start + sizeBytes;
    this.#bytes.fill(0, start, this.#length);
    return start;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A lone surrogate becomes U+FFFD, as in columns of text. */
  appendText(text: string): void {
    // A UTF-16 unit takes at most three bytes.
    this.#reserve(text.length * 3);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.#length));
    this.#length += written;
  }

  setBit(bits: number, index: number): void {
    const at = bits + (index >>> 3);
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (1 << (index & 7));
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#length + sizeBytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.written);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Appends a list or struct to the buffer. */
export type EncodeNested = (buffer: NestedBuffer, value: unknown) => void;

/** The encoder of a field that is a list or a struct; the value is not null. */
export function nestedEncoderOf(field: Field): EncodeNested {
  const { type } = field;
  if (type.kind === 'list') return listEncoderOf(field, type.item);
  assert(type.kind === 'struct', 'lists and structs have encoders');
  return structEncoderOf(field, type.fields);
}

/** Writes a value that is not null into a slot at `at`, or behind the buffer's end. */
export interface SlotEncoder {
  readonly isVariable: boolean;
  readonly write: (buffer: NestedBuffer, at: number, value: unknown) => void;
}

function listEncoderOf(field: Field, { type, nullable }: ItemType): EncodeNested {
  const itemField = fieldOf(`${field.name}[]`, type, nullable);
  const { isVariable, write } = slotEncoderOf(itemField);
  return (buffer, value) => {
    const items = checkedItems(field, value);
    const count = items.length;
    const { bits, slots, slotSize, variable } = listLayoutOf(type, nullable, count);
    const start = buffer.extend(variable);
    buffer.view.setUint32(start, count, true);
    for (let index = 0; index < count; index++) {
      const item = items[index];
      const slot = start + slots + index * slotSize;
      if (item !== null && item !== undefined) {
        if (nullable) buffer.setBit(start + bits, index);
        write(buffer, slot, item);
      } else if (!nullable) {
        throw isNullError(itemField);
      }
      if (isVariable) buffer.view.setUint32(slot, buffer.length - start - variable, true);
    }
  };
}

function structEncoderOf(field: Field, fields: readonly Field[]): EncodeNested {
  const { bitsBytes, slots, variable } = structLayoutOf(fields);
  const parts = fields.map((part, index) => {
    const named = fieldOf(`${field.name}.${part.name}`, part.type, part.nullable);
    return { ...slotEncoderOf(named), key: part.name, named, slot: slots[index] ?? 0, index };
  });
  return (buffer, value) => {
    if (typeof value !== 'object' || Array.isArray(value)) {
      throw typeMismatchError(field, 'an object', value);
    }
    const start = buffer.extend(variable);
    for (const { key, named, slot, index, isVariable, write } of parts) {
      const part = (value as Record<string, unknown>)[key];
      if (part !== null && part !== undefined) {
        if (bitsBytes > 0) buffer.setBit(start, index);
        write(buffer, start + slot, part);
      } else if (!named.nullable) {
        throw isNullError(named);
      }
      if (isVariable) buffer.view.setUint32(start + slot, buffer.length - start - variable, true);
    }
  };
}

/** The encoder of a field of any type, for values alone or inside others. */
export function slotEncoderOf(field: Field): SlotEncoder {
  const { type } = field;
  switch (type.kind) {
    case 'utf8':
      return variableSlot((buffer, value) => buffer.appendText(checkedText(field, value)));
    case 'binary':
      return variableSlot((buffer, value) => buffer.append(checkedBytes(field, value)));
    case 'list':
    case 'struct':
      return variableSlot(nestedEncoderOf(field));
    default:
      return { isVariable: false, write: fixedWriterOf(field) };
  }
}

function variableSlot(append: EncodeNested): SlotEncoder {
  return { isVariable: true, write: (buffer, _, value) => append(buffer, value) };
}

function fixedWriterOf(field: Field): SlotEncoder['write'] {
  const { type } = field;
  switch (type.kind) {
    case 'bool':
      return ({ view }, at, value) => view.setUint8(at, Number(checkedBool(field, value)));
    case 'float32':
      return ({ view }, at, value) =>
        view.setFloat32(at, canonical(checkedFloat32(field, value)), true);
    case 'float64':
      return ({ view }, at, value) =>
        view.setFloat64(at, canonical(checkedNumber(field, value)), true);
    case 'date':
      return ({ view }, at, value) => view.setInt32(at, checkedDays(field, value), true);
    case 'int64':
    case 'timestamp':
      return ({ view }, at, value) =>
        view.setBigInt64(at, BigInt(checkedInt64(field, value)), true);
    case 'decimal':
      return decimalWriterOf(field);
    default:
      return wholeWriterOf(field, type);
  }
}

/** One NaN and no -0, so that equal values have equal bytes. */
function canonical(value: number): number {
  return Number.isNaN(value) ? Number.NaN : value + 0;
}

function decimalWriterOf(field: Field): SlotEncoder['write'] {
  const words = new Uint32Array(4);
  return ({ view }, at, value) => {
    writeCheckedDecimal(field, value, words, 0);
    for (let index = 0; index < 4; index++) view.setUint32(at + index * 4, words[index] ?? 0, true);
  };
}

function wholeWriterOf(field: Field, { kind }: FieldType): SlotEncoder['write'] {
  const bits = slotSizeOf(field.type) * 8;
  const isSigned = kind.startsWith('int');
  const min = isSigned ? -(2 ** (bits - 1)) : 0;
  const max = isSigned ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  // Two's complement: the low bytes of a number are the same, whatever its sign.
  return ({ view }, at, value) => {
    const whole = checkedWhole(field, value, min, max);
    if (bits === 8) view.setUint8(at, whole);
    else if (bits === 16) view.setUint16(at, whole, true);
    else view.setUint32(at, whole, true);
  };
}

/** The items of an array or a typed array. */
function checkedItems(field: Field, value: unknown): ArrayLike<unknown> {
  const isTyped = ArrayBuffer.isView(value) && !(value instanceof DataView);
  if (!Array.isArray(value) && !isTyped) throw typeMismatchError(field, 'an array', value);
  return value as unknown as ArrayLike<unknown>;
}
