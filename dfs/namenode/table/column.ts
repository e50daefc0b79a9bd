/**
 * A column of numbers that grows without being copied, and can be read as it was while it changes: the namenode's
 * memory. Ten million inodes are a dozen columns, not ten million objects.
 *
 *     chunks   [4,096 rows] [4,096 rows] [4,096 rows]
 *                   │             │
 *     frozen   [ same ]      [ same ] ──▶ a write takes a copy of its chunk first; the frozen side keeps the old one
 *
 * So an fsimage is saved from a state of one moment, and costs the memory of the chunks that are written to meanwhile.
 *
 * Contract: a row is set before it is read (asserted by the types only: what was never set is 0).
 */
import { assert } from '../../../base/assert.ts';

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** A column that can be read. */
export interface ReadColumn {
  get(row: number): number;
}

const chunkBits = 12;
const chunkRows = 1 << chunkBits;
const rowMask = chunkRows - 1;

export class Column<T extends Numbers> implements ReadColumn {
  readonly #make: (length: number) => T;
  readonly #chunks: T[] = [];
  /** Chunks that a frozen reader has, too; null while there is none. */
  #shared: Uint8Array | null = null;

  constructor(make: (length: number) => T) {
    this.#make = make;
  }

  static u8(): Column<Uint8Array> {
    return new Column((length) => new Uint8Array(length));
  }

  static u16(): Column<Uint16Array> {
    return new Column((length) => new Uint16Array(length));
  }

  static u32(): Column<Uint32Array> {
    return new Column((length) => new Uint32Array(length));
  }

  static f64(): Column<Float64Array> {
    return new Column((length) => new Float64Array(length));
  }

  /** Bytes that it holds, those of a frozen reader not counted. */
  get sizeBytes(): number {
    const [first] = this.#chunks;
    return first === undefined ? 0 : first.byteLength * this.#chunks.length;
  }

  get(row: number): number {
    return this.#chunks[row >>> chunkBits]![row & rowMask]!;
  }

  set(row: number, value: number): void {
    this.#writable(row >>> chunkBits)[row & rowMask] = value;
  }

  /** Makes rows up to this one, exclusive. */
  reserve(rowCount: number): void {
    while (this.#chunks.length << chunkBits < rowCount) this.#chunks.push(this.#make(chunkRows));
  }

  /** Copies rows to a place that may overlap with theirs. */
  move(from: number, to: number, count: number): void {
    // Pieces that lie in one chunk on both sides; from the side where nothing unread is written over.
    for (let done = 0; done < count; ) {
      const left = count - done;
      const isUp = to > from;
      const source = isUp ? from + left : from + done;
      const target = isUp ? to + left : to + done;
      const room = isUp
        ? Math.min(((source - 1) & rowMask) + 1, ((target - 1) & rowMask) + 1)
        : Math.min(chunkRows - (source & rowMask), chunkRows - (target & rowMask));
      const size = Math.min(left, room);
      if (isUp) this.#copy(source - size, target - size, size);
      else this.#copy(source, target, size);
      done += size;
    }
  }

  #copy(from: number, to: number, count: number): void {
    const target = this.#writable(to >>> chunkBits);
    const source = this.#chunks[from >>> chunkBits]!;
    const start = from & rowMask;
    target.set(source.subarray(start, start + count), to & rowMask);
  }

  /** Writes bytes, or other numbers, from `row` on. */
  setAll(row: number, values: ArrayLike<number>): void {
    for (let index = 0; index < values.length; index++) this.set(row + index, values[index]!);
  }

  /** The rows as they are now, whatever is written from now on. One at a time; `thaw` ends it. */
  freeze(): ReadColumn {
    assert(this.#shared === null, 'a column has one frozen reader');
    this.#shared = new Uint8Array(this.#chunks.length).fill(1);
    const chunks = [...this.#chunks];
    return { get: (row) => chunks[row >>> chunkBits]![row & rowMask]! };
  }

  thaw(): void {
    this.#shared = null;
  }

  #writable(index: number): T {
    const shared = this.#shared;
    if (shared !== null && shared[index] === 1) {
      shared[index] = 0;
      this.#chunks[index] = this.#chunks[index]!.slice() as T;
    }
    return this.#chunks[index]!;
  }
}
