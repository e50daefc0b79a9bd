/**
 * Thrift's compact protocol, which Parquet's footer and page headers are in: structs of numbered
 * fields, read as they come. What they mean is said by who asks for a field by its number.
 *
 *     field    u8: distance from the last number << 4 │ type            then the value by type
 *     ints     varints in zigzag        binary  varint length, bytes        list  u8: count << 4 │ type
 *
 * Nothing is trusted: what leads out of the bytes, or is of another type than asked for, is a RangeError.
 * @see https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */

const types = {
  stop: 0,
  true: 1,
  false: 2,
  byte: 3,
  int16: 4,
  int32: 5,
  int64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
  uuid: 13,
} as const;

/** Structs in structs; Parquet's own have 6. */
const depthMax = 16;

/** Integers beyond 2^53, which none of Parquet's are, are NaN. */
type ThriftValue = boolean | number | Uint8Array | ThriftStruct | readonly ThriftValue[] | null;

export class ThriftStruct {
  readonly #fields: ReadonlyMap<number, ThriftValue>;

  constructor(fields: ReadonlyMap<number, ThriftValue>) {
    this.#fields = fields;
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  int(field: number, absent?: number): number {
    const value = this.#fields.get(field) ?? absent;
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw fieldError(field);
    return value;
  }

  /** An integer that counts bytes or things: 0 or more. */
  size(field: number, absent?: number): number {
    const value = this.int(field, absent);
    if (value < 0) throw fieldError(field);
    return value;
  }

  bool(field: number, absent: boolean): boolean {
    const value = this.#fields.get(field) ?? absent;
    if (typeof value !== 'boolean') throw fieldError(field);
    return value;
  }

  bytes(field: number): Uint8Array | null {
    const value = this.#fields.get(field) ?? null;
    if (value !== null && !(value instanceof Uint8Array)) throw fieldError(field);
    return value;
  }

  text(field: number): string {
    const value = this.bytes(field);
    if (value === null) throw fieldError(field);
    return new TextDecoder().decode(value);
  }

  struct(field: number): ThriftStruct | null {
    const value = this.#fields.get(field) ?? null;
    if (value !== null && !(value instanceof ThriftStruct)) throw fieldError(field);
    return value;
  }

  structs(field: number): readonly ThriftStruct[] {
    return this.#list(field).map((item) => {
      if (!(item instanceof ThriftStruct)) throw fieldError(field);
      return item;
    });
  }

  ints(field: number): readonly number[] {
    return this.#list(field).map((item) => {
      if (typeof item !== 'number' || !Number.isSafeInteger(item)) throw fieldError(field);
      return item;
    });
  }

  bools(field: number): readonly boolean[] {
    return this.#list(field).map((item) => {
      if (typeof item !== 'boolean') throw fieldError(field);
      return item;
    });
  }

  binaries(field: number): readonly Uint8Array[] {
    return this.#list(field).map((item) => {
      if (!(item instanceof Uint8Array)) throw fieldError(field);
      return item;
    });
  }

  /** The number of the only field of a union; 0 for one that has none. */
  get member(): number {
    for (const field of this.#fields.keys()) return field;
    return 0;
  }

  #list(field: number): readonly ThriftValue[] {
    const value = this.#fields.get(field) ?? [];
    if (!Array.isArray(value)) throw fieldError(field);
    return value;
  }
}

export interface ReadStruct {
  readonly struct: ThriftStruct;
  /** Bytes that it took. */
  readonly sizeBytes: number;
}

/** Reads the struct at the start of the bytes, which it may be followed by others. @throws RangeError */
export function readThriftStruct(bytes: Uint8Array): ReadStruct {
  const reader = new CompactReader(bytes);
  const struct = reader.struct(0);
  return { struct, sizeBytes: reader.at };
}

class CompactReader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  struct(depth: number): ThriftStruct {
    if (depth > depthMax) throw new RangeError('structs in structs in structs');
    const fields = new Map<number, ThriftValue>();
    let field = 0;
    for (;;) {
      const header = this.#byte();
      const type = header & 15;
      if (type === types.stop) return new ThriftStruct(fields);
      field = header >>> 4 === 0 ? this.#int() : field + (header >>> 4);
      fields.set(field, this.#value(type, depth));
    }
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case types.true:
        return true;
      case types.false:
        return false;
      case types.byte:
        return (this.#byte() << 24) >> 24;
      case types.int16:
      case types.int32:
      case types.int64:
        return this.#int();
      case types.double:
        return this.#take(8).getFloat64(0, true);
      case types.binary:
        return this.#binary();
      case types.list:
      case types.set:
        return this.#list(depth);
      case types.map:
        return this.#map(depth);
      case types.struct:
        return this.struct(depth + 1);
      case types.uuid:
        this.#take(16);
        return null;
      default:
        throw new RangeError(`a field of type ${type}`);
    }
  }

  #list(depth: number): ThriftValue[] {
    const header = this.#byte();
    const type = header & 15;
    const count = header >>> 4 === 15 ? this.#varint() : header >>> 4;
    // Every item takes a byte at least, so no damage makes a list that is longer than the file.
    if (count > this.#bytes.length - this.at) throw new RangeError('a list beyond the end');
    const isBool = type === types.true || type === types.false;
    return Array.from({ length: count }, () =>
      isBool ? this.#byte() === types.true : this.#value(type, depth + 1),
    );
  }

  /** Parquet has no maps; a later version's are passed over. */
  #map(depth: number): null {
    const count = this.#varint();
    if (count === 0) return null;
    if (count > this.#bytes.length - this.at) throw new RangeError('a map beyond the end');
    const kinds = this.#byte();
    for (let index = 0; index < count; index++) {
      this.#value(kinds >>> 4, depth + 1);
      this.#value(kinds & 15, depth + 1);
    }
    return null;
  }

  #binary(): Uint8Array {
    const size = this.#varint();
    this.#take(size);
    return this.#bytes.subarray(this.at - size, this.at);
  }

  #int(): number {
    const value = this.#varint();
    if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 70; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a varint of more than 10 bytes');
  }

  #byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new RangeError('bytes that are not there');
    return byte;
  }

  #take(size: number): DataView {
    const start = this.at;
    if (size > this.#bytes.length - start) throw new RangeError('bytes that are not there');
    this.at = start + size;
    return new DataView(this.#view.buffer, this.#view.byteOffset + start, size);
  }
}

function fieldError(field: number): RangeError {
  return new RangeError(`field ${field} is missing or of another type`);
}
