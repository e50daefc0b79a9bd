/**
 * Writes flatbuffers, the encoding of Arrow's metadata. As everywhere, from the end to the front: what
 * a table points at is written before it, and positions are counted from the end.
 *
 *     const name = writer.text('count');
 *     const field = writer.table([offsetField(0, name), int8Field(1, 1)]);
 *     const bytes = writer.finish(field);
 *
 * Numbers are aligned to their size, as readers in other languages check. Vtables are not shared.
 * @see https://flatbuffers.dev/internals: the encoding.
 */
import { assert } from '../../base/assert.ts';

/** Counted from the end of the bytes, so that it stays right while they grow to the front. */
export type FlatOffset = number;

/** A field of a table: its number in the schema of the format, its size, and how it is written. */
export interface FlatField {
  readonly field: number;
  readonly size: 1 | 2 | 4 | 8;
  readonly value: number;
  /** The value is an offset to something that was written before. */
  readonly isOffset: boolean;
}

export function int8Field(field: number, value: number): FlatField {
  return { field, size: 1, value, isOffset: false };
}

export function int16Field(field: number, value: number): FlatField {
  return { field, size: 2, value, isOffset: false };
}

export function int32Field(field: number, value: number): FlatField {
  return { field, size: 4, value, isOffset: false };
}

export function int64Field(field: number, value: number): FlatField {
  return { field, size: 8, value, isOffset: false };
}

export function offsetField(field: number, value: FlatOffset): FlatField {
  return { field, size: 4, value, isOffset: true };
}

const encoder = new TextEncoder();
const twoTo32 = 2 ** 32;
/** The largest alignment of a number. */
const alignmentMax = 8;

export class FlatbufferWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  /** Bytes written so far, all at the end. */
  #size = 0;

  /** UTF-8 with a zero byte behind, which is not counted. */
  text(text: string): FlatOffset {
    const encoded = encoder.encode(text);
    this.#align(4, encoded.length + 1);
    this.#push(1, 0);
    this.#size += encoded.length;
    this.#reserve();
    this.#bytes.set(encoded, this.#bytes.length - this.#size);
    return this.#push(4, encoded.length);
  }

  /** A vector of offsets to what was written before. */
  offsets(targets: readonly FlatOffset[]): FlatOffset {
    this.#align(4, targets.length * 4);
    for (const target of targets.toReversed()) this.#pushOffset(target);
    return this.#push(4, targets.length);
  }

  /** A vector of structs of int64 numbers, `width` of them each. */
  int64Structs(numbers: readonly number[], width: number): FlatOffset {
    assert(numbers.length % width === 0, 'structs are whole');
    this.#align(alignmentMax, numbers.length * 8);
    for (const number of numbers.toReversed()) this.#push(8, number);
    return this.#push(4, numbers.length / width);
  }

  table(fields: readonly FlatField[]): FlatOffset {
    const entries: number[] = [];
    const start = this.#size;
    // Large ones first, that is at the end: no gaps between them.
    for (const { field, size, value, isOffset } of fields.toSorted((a, b) => b.size - a.size)) {
      this.#align(size, 0);
      entries[field] = isOffset ? this.#pushOffset(value) : this.#push(size, value);
    }
    this.#align(4, 0);
    const table = this.#push(4, 0);
    for (let field = entries.length - 1; field >= 0; field--) {
      const entry = entries[field];
      this.#push(2, entry === undefined ? 0 : table - entry);
    }
    this.#push(2, table - start);
    const vtable = this.#push(2, 4 + entries.length * 2);
    this.#view.setInt32(this.#bytes.length - table, vtable - table, true);
    return table;
  }

  /** The whole flatbuffer, a multiple of 8 bytes; the writer is done. */
  finish(root: FlatOffset): Uint8Array<ArrayBuffer> {
    this.#align(alignmentMax, 4);
    this.#pushOffset(root);
    return this.#bytes.slice(this.#bytes.length - this.#size);
  }

  /** Writes zeroes, so that after `following` further bytes the size is a multiple of `alignment`. */
  #align(alignment: number, following: number): void {
    while ((this.#size + following) % alignment !== 0) this.#push(1, 0);
  }

  #pushOffset(target: FlatOffset): FlatOffset {
    this.#align(4, 0);
    return this.#push(4, this.#size + 4 - target);
  }

  /** Answers where the number is. */
  #push(size: 1 | 2 | 4 | 8, value: number): FlatOffset {
    this.#size += size;
    this.#reserve();
    const at = this.#bytes.length - this.#size;
    if (size === 1) this.#view.setInt8(at, value);
    else if (size === 2) this.#view.setInt16(at, value, true);
    else this.#view.setInt32(at, value % twoTo32, true);
    if (size === 8) this.#view.setInt32(at + 4, Math.floor(value / twoTo32), true);
    return this.#size;
  }

  #reserve(): void {
    if (this.#size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#size, this.#bytes.length * 2));
    larger.set(this.#bytes, larger.length - this.#bytes.length);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
