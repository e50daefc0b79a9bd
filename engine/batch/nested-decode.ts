/**
 * The bytes of lists and structs as JavaScript values: arrays and plain objects, new ones each time.
 * A decoder is made once per column, of functions that know their type.
 *
 *     list → array   struct → object with its fields in order   the rest as a user's function reads it:
 *     int64 → bigint or checked number   timestamp → number (ms), bigint (µs)   date, decimal → text
 */
import { assert } from '../../base/assert.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import { isoDateOfDays } from '../schema/date-text.ts';
import { decimalTextOf } from '../schema/decimal-text.ts';
import { type FieldType, type ItemType, layoutOf } from '../schema/field-type.ts';
import { listLayoutOf, structLayoutOf } from './nested-layout.ts';
import { textAt, viewBytesAddress, viewSizeOf } from './utf8-view.ts';

export interface DecoderInputs {
  readonly memory: SlotMemory;
  /** What the value is called in errors: `total`, `items[].price`. */
  readonly name: string;
  /** Throws that an integer does not fit the number that the schema asks for. */
  readonly notSafe: (name: string, value: bigint) => never;
}

/** The value behind the view at an address. */
export type DecodeView = (view: number) => unknown;

/** Reads a value of fixed size, or one of `size` bytes, that starts at `at`. */
export type DecodeAt = (at: number, size: number) => unknown;

/** The decoder of a list or struct column, for values that are not null. */
export function nestedDecoderOf(type: FieldType, inputs: DecoderInputs): DecodeView {
  const { memory } = inputs;
  const decode = decoderOf(type, inputs);
  return (view) => decode(viewBytesAddress(memory, view), viewSizeOf(memory, view));
}

/** The decoder of values of any type that lie at an address, as `slotEncoderOf` writes them. */
export function decoderOf(type: FieldType, inputs: DecoderInputs): DecodeAt {
  const { memory } = inputs;
  const { view, bytes } = memory;
  switch (type.kind) {
    case 'list':
      return listDecoderOf(type.item, inputs);
    case 'struct':
      return structDecoderOf(type, inputs);
    case 'utf8':
      return (at, size) => textAt(memory, at, size);
    case 'binary':
      return (at, size) => bytes.slice(at, at + size);
    case 'bool':
      return (at) => view.getUint8(at) !== 0;
    case 'int8':
      return (at) => view.getInt8(at);
    case 'uint8':
      return (at) => view.getUint8(at);
    case 'int16':
      return (at) => view.getInt16(at, true);
    case 'uint16':
      return (at) => view.getUint16(at, true);
    case 'int32':
      return (at) => view.getInt32(at, true);
    case 'uint32':
      return (at) => view.getUint32(at, true);
    case 'float32':
      return (at) => view.getFloat32(at, true);
    case 'float64':
      return (at) => view.getFloat64(at, true);
    case 'date':
      return (at) => isoDateOfDays(view.getInt32(at, true));
    default:
      return wideDecoderOf(type, inputs);
  }
}

function wideDecoderOf(type: FieldType, { memory, name, notSafe }: DecoderInputs): DecodeAt {
  const { view } = memory;
  if (type.kind === 'decimal') {
    const words = new Uint32Array(4);
    return (at) => {
      for (let word = 0; word < 4; word++) words[word] = view.getUint32(at + word * 4, true);
      return decimalTextOf(words, 0, type.scale);
    };
  }
  assert(type.kind === 'int64' || type.kind === 'timestamp', 'the other types have decoders');
  const isNumber = type.kind === 'int64' ? type.js === 'number' : type.unit === 'ms';
  if (!isNumber) return (at) => view.getBigInt64(at, true);
  return (at) => {
    const value = view.getInt32(at + 4, true) * 4_294_967_296 + view.getUint32(at, true);
    return Number.isSafeInteger(value) ? value : notSafe(name, view.getBigInt64(at, true));
  };
}

function listDecoderOf({ type, nullable }: ItemType, inputs: DecoderInputs): DecodeAt {
  const { view } = inputs.memory;
  const decode = decoderOf(type, { ...inputs, name: `${inputs.name}[]` });
  const isVariable = layoutOf(type) === 'view';
  return (at) => {
    const count = view.getUint32(at, true);
    const { bits, slots, slotSize, variable } = listLayoutOf(type, nullable, count);
    const items = new Array<unknown>(count);
    let from = 0;
    for (let index = 0; index < count; index++) {
      const slot = at + slots + index * slotSize;
      const end = isVariable ? view.getUint32(slot, true) : 0;
      const isNull = nullable && !isBitSet(view, at + bits, index);
      const place = isVariable ? at + variable + from : slot;
      items[index] = isNull ? null : decode(place, end - from);
      from = end;
    }
    return items;
  };
}

function structDecoderOf(
  { fields }: FieldType & { kind: 'struct' },
  inputs: DecoderInputs,
): DecodeAt {
  const { view } = inputs.memory;
  const { bitsBytes, slots, previousEnds, variable } = structLayoutOf(fields);
  const parts = fields.map(({ name, type }, index) => ({
    name,
    index,
    slot: slots[index] ?? 0,
    previousEnd: previousEnds[index] ?? -1,
    isVariable: layoutOf(type) === 'view',
    decode: decoderOf(type, { ...inputs, name: `${inputs.name}.${name}` }),
  }));
  // Assigning to this name would set the object's prototype.
  const isSafe = fields.every(({ name }) => name !== '__proto__');
  return (at) => {
    const value: Record<string, unknown> = isSafe ? {} : Object.create(null);
    for (const { name, index, slot, previousEnd, isVariable, decode } of parts) {
      if (bitsBytes > 0 && !isBitSet(view, at, index)) {
        value[name] = null;
      } else if (isVariable) {
        const from = previousEnd < 0 ? 0 : view.getUint32(at + previousEnd, true);
        value[name] = decode(at + variable + from, view.getUint32(at + slot, true) - from);
      } else {
        value[name] = decode(at + slot, 0);
      }
    }
    return value;
  };
}

function isBitSet(view: DataView, bits: number, index: number): boolean {
  return ((view.getUint8(bits + (index >>> 3)) >>> (index & 7)) & 1) === 1;
}
