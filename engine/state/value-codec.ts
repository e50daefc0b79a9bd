/**
 * Value codecs: values of state as bytes, by the type that the job declares. The bytes are those of values
 * inside lists and structs (engine/batch/nested-layout.ts); a nullable value has a byte in front, 0 for null.
 *
 * A value is encoded before its place is known, for its size says where it goes:
 *
 *     const size = codec.encode(value)  ─▶  record = table.put(key, size)  ─▶  codec.write(address)
 *
 * So a value that does not fit its type leaves the state as it was.
 */
import { type DecodeAt, type DecoderInputs, decoderOf } from '../batch/nested-decode.ts';
import { NestedBuffer, type SlotEncoder, slotEncoderOf } from '../batch/nested-encode.ts';
import { slotSizeOf } from '../batch/nested-layout.ts';
import { checkedInt64, checkedNumber } from '../batch/value-checks.ts';
import { isNullError } from '../batch/value-errors.ts';
import { addressOf, type MemoryScope, type SlotMemory } from '../memory/slot-memory.ts';
import type { Field } from '../schema/schema.ts';

export interface ValueCodec {
  /** Encodes a value and keeps it until `write`; answers its bytes. @throws VALUE_… naming the state */
  encode(value: unknown): number;
  /** Writes what was encoded last, at any address. */
  write(address: number): void;
  read(address: number, sizeBytes: number): unknown;
}

/** @param field - The state's name, for errors, and the type of its values. */
export function valueCodecOf(
  field: Field,
  memory: SlotMemory,
  notSafe: DecoderInputs['notSafe'],
): ValueCodec {
  const inputs = { memory, name: field.name, notSafe };
  if (!field.nullable && field.type.kind === 'float64') return new Float64Codec(field, memory);
  if (!field.nullable && (field.type.kind === 'int64' || field.type.kind === 'timestamp')) {
    return new Int64Codec(field, memory, decoderOf(field.type, inputs));
  }
  return new SlotCodec(field, memory, decoderOf(field.type, inputs));
}

/** Numbers, without a buffer between; -0 stays what it is. */
class Float64Codec implements ValueCodec {
  readonly #field: Field;
  readonly #view: DataView;
  #value = 0;

  constructor(field: Field, { view }: SlotMemory) {
    this.#field = field;
    this.#view = view;
  }

  encode(value: unknown): number {
    if (value === null || value === undefined) throw isNullError(this.#field);
    this.#value = checkedNumber(this.#field, value);
    return 8;
  }

  write(address: number): void {
    this.#view.setFloat64(address, this.#value, true);
  }

  read(address: number): number {
    return this.#view.getFloat64(address, true);
  }
}

/** The same of 64-bit whole numbers: no bigint where the value is a number. */
class Int64Codec implements ValueCodec {
  readonly #field: Field;
  readonly #view: DataView;
  readonly #decode: DecodeAt;
  #value: bigint | number = 0;

  constructor(field: Field, { view }: SlotMemory, decode: DecodeAt) {
    this.#field = field;
    this.#view = view;
    this.#decode = decode;
  }

  encode(value: unknown): number {
    if (value === null || value === undefined) throw isNullError(this.#field);
    this.#value = checkedInt64(this.#field, value);
    return 8;
  }

  write(address: number): void {
    const value = this.#value;
    if (typeof value === 'bigint') {
      this.#view.setBigInt64(address, value, true);
      return;
    }
    const low = value >>> 0;
    this.#view.setUint32(address, low, true);
    this.#view.setInt32(address + 4, (value - low) / 4_294_967_296, true);
  }

  read(address: number, sizeBytes: number): unknown {
    return this.#decode(address, sizeBytes);
  }
}

class SlotCodec implements ValueCodec {
  readonly #field: Field;
  readonly #memory: SlotMemory;
  readonly #decode: DecodeAt;
  readonly #slot: SlotEncoder;
  readonly #slotSize: number;
  readonly #buffer = new NestedBuffer();

  constructor(field: Field, memory: SlotMemory, decode: DecodeAt) {
    this.#field = field;
    this.#memory = memory;
    this.#decode = decode;
    this.#slot = slotEncoderOf(field);
    this.#slotSize = this.#slot.isVariable ? 0 : slotSizeOf(field.type);
  }

  encode(value: unknown): number {
    const buffer = this.#buffer;
    const { nullable } = this.#field;
    buffer.clear();
    const isNull = value === null || value === undefined;
    if (isNull && !nullable) throw isNullError(this.#field);
    if (nullable) buffer.extend(1);
    if (isNull) return 1;
    if (nullable) buffer.view.setUint8(0, 1);
    const at = buffer.extend(this.#slotSize);
    this.#slot.write(buffer, at, value);
    return buffer.length;
  }

  /** What was encoded last: valid until the next `encode`. */
  get written(): Uint8Array {
    return this.#buffer.written;
  }

  write(address: number): void {
    this.#memory.bytes.set(this.#buffer.written, address);
  }

  read(address: number, sizeBytes: number): unknown {
    if (!this.#field.nullable) return this.#decode(address, sizeBytes);
    if (this.#memory.bytes[address] === 0) return null;
    return this.#decode(address + 1, sizeBytes - 1);
  }
}

/** A codec for keys of maps, whose bytes are asked for: equal keys have equal bytes. */
export interface KeyValueCodec extends ValueCodec {
  /** What was encoded last: valid until the next `encode`. */
  readonly written: Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

export function keyCodecOf(
  field: Field,
  scope: MemoryScope,
  notSafe: DecoderInputs['notSafe'],
): KeyValueCodec {
  return new MapKeyCodec(field, scope, notSafe);
}

class MapKeyCodec extends SlotCodec implements KeyValueCodec {
  readonly #scope: MemoryScope;

  constructor(field: Field, scope: MemoryScope, notSafe: DecoderInputs['notSafe']) {
    const { memory } = scope;
    super(field, memory, decoderOf(field.type, { memory, name: field.name, notSafe }));
    this.#scope = scope;
  }

  /** By way of the memory, where decoders read. */
  decode(bytes: Uint8Array): unknown {
    const { memory } = this.#scope;
    const block = this.#scope.allocate(bytes.length);
    const address = addressOf(block);
    memory.bytes.set(bytes, address);
    try {
      return this.read(address, bytes.length);
    } finally {
      memory.release(block);
    }
  }
}
