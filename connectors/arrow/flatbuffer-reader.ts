/**
 * Reads flatbuffers, the encoding of Arrow's metadata, from bytes that are not trusted.
 *
 *     table ──▶ vtable: u16 its size, u16 the table's size, u16 offset per field (0: has its default)
 *           └─▶ fields: numbers in place; strings, vectors, tables by a u32 offset that leads forward
 *
 * Every access is checked: what leads outside of the bytes throws a `RangeError`, which callers turn
 * into an error that names the file. Offsets lead forward only, so no table contains itself; how many
 * are read is bounded by `tablesMax`, for many may share one.
 *
 * @see https://flatbuffers.dev/internals: the encoding.
 */

/** More tables than any schema has: bytes that ask for more are damaged. */
const tablesMax = 100_000;
const twoTo32 = 2 ** 32;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Where structs of a vector lie. */
export interface StructVector {
  readonly start: number;
  readonly count: number;
}

/** The bytes of one flatbuffer. */
export class FlatBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #tables = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The table that the flatbuffer is of. */
  root(): FlatTable {
    return this.tableAt(this.target(0));
  }

  tableAt(position: number): FlatTable {
    if (++this.#tables > tablesMax) throw new RangeError('too many tables');
    return new FlatTable(this, position);
  }

  /** Where the offset at a position leads. */
  target(position: number): number {
    return position + this.uint32(position);
  }

  uint8(position: number): number {
    return this.#view.getUint8(position);
  }

  int16(position: number): number {
    return this.#view.getInt16(position, true);
  }

  uint16(position: number): number {
    return this.#view.getUint16(position, true);
  }

  int32(position: number): number {
    return this.#view.getInt32(position, true);
  }

  uint32(position: number): number {
    return this.#view.getUint32(position, true);
  }

  /** An int64 as a number; those that are no exact numbers are no sizes either. */
  int64(position: number): number {
    const value = this.int32(position + 4) * twoTo32 + this.uint32(position);
    if (!Number.isSafeInteger(value)) throw new RangeError('a number beyond 2^53');
    return value;
  }

  /** The place of a vector's elements of `size` bytes, all of them within the bytes. */
  vectorAt(position: number, size: number): StructVector {
    const count = this.uint32(position);
    const start = position + 4;
    if (start + count * size > this.#bytes.length) throw new RangeError('a vector beyond the end');
    return { start, count };
  }

  textAt(position: number): string {
    const { start, count } = this.vectorAt(position, 1);
    try {
      return decoder.decode(this.#bytes.subarray(start, start + count));
    } catch {
      throw new RangeError('a text that is not UTF-8');
    }
  }
}

/** One table: its fields by their number in the schema of the format. */
export class FlatTable {
  readonly #bytes: FlatBytes;
  readonly #position: number;
  readonly #vtable: number;
  readonly #vtableSize: number;

  constructor(bytes: FlatBytes, position: number) {
    this.#bytes = bytes;
    this.#position = position;
    this.#vtable = position - bytes.int32(position);
    this.#vtableSize = bytes.uint16(this.#vtable);
  }

  has(field: number): boolean {
    return this.#place(field) !== 0;
  }

  uint8(field: number, otherwise: number): number {
    const place = this.#place(field);
    return place === 0 ? otherwise : this.#bytes.uint8(place);
  }

  int16(field: number, otherwise: number): number {
    const place = this.#place(field);
    return place === 0 ? otherwise : this.#bytes.int16(place);
  }

  int32(field: number, otherwise: number): number {
    const place = this.#place(field);
    return place === 0 ? otherwise : this.#bytes.int32(place);
  }

  int64(field: number, otherwise: number): number {
    const place = this.#place(field);
    return place === 0 ? otherwise : this.#bytes.int64(place);
  }

  text(field: number): string {
    const place = this.#place(field);
    return place === 0 ? '' : this.#bytes.textAt(this.#bytes.target(place));
  }

  /** A table, or null where there is none. */
  table(field: number): FlatTable | null {
    const place = this.#place(field);
    return place === 0 ? null : this.#bytes.tableAt(this.#bytes.target(place));
  }

  tables(field: number): FlatTable[] {
    const { start, count } = this.structs(field, 4);
    return Array.from({ length: count }, (_, index) =>
      this.#bytes.tableAt(this.#bytes.target(start + index * 4)),
    );
  }

  /** The place of structs (or numbers) of `size` bytes each; none where the field is missing. */
  structs(field: number, size: number): StructVector {
    const place = this.#place(field);
    if (place === 0) return { start: 0, count: 0 };
    return this.#bytes.vectorAt(this.#bytes.target(place), size);
  }

  /** Numbers, or structs of `width` of them, one after the other. */
  int64s(field: number, width = 1): number[] {
    const { start, count } = this.structs(field, width * 8);
    return Array.from({ length: count * width }, (_, index) =>
      this.#bytes.int64(start + index * 8),
    );
  }

  /** The position of a field's value; 0 where the field is missing. */
  #place(field: number): number {
    const entry = 4 + field * 2;
    if (entry + 2 > this.#vtableSize) return 0;
    const offset = this.#bytes.uint16(this.#vtable + entry);
    return offset === 0 ? 0 : this.#position + offset;
  }
}
