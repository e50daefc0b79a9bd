/**
 * A radix buffer: sorts rows by keys of fixed width; what a sort buffer is for all other keys.
 *
 *     addRows ──encode──▶ blocks of 8,192 narrow rows ──sortSlice──▶ one array, then digit by digit
 *
 * It takes 32 bytes per row with one key, where a sort buffer takes 72, and its time does not grow with
 * the logarithm of the rows. It has no limit: a top-n rarely sorts, so it stays with the sort buffer.
 *
 * Invariant: blocks are copied together, and given back, before the second array is asked for; so the
 * most that is held is two arrays.
 * @see engine/kernels/sort-buffer.ts, which has the same interface.
 */
import { assert } from '../../base/assert.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { Kernels } from './kernels.ts';
import { radixLayout as layout, narrowRowSizeOf, sortOrder } from './sort-kernels.ts';
import {
  type EncodedKey,
  encodedKeysOf,
  encodeRows,
  type RowNumberSort,
  type SortInput,
  type SortKey,
} from './sort-keys.ts';

const blockRows = 8192;
const sliceSteps = 65_536;
/** Blocks copied together in one slice: 8 × 128 KiB with one key. */
const sliceBlocks = 8;
const keysMax = 16;

/** Whether the keys have a fixed width: text is compared beyond its first bytes, so it is not radix. */
export function isRadixSortable(keys: readonly SortKey[]): boolean {
  return keys.every(({ type }) => type !== 'utf8');
}

export class RadixBuffer implements RowNumberSort {
  readonly #scope: MemoryScope;
  readonly #kernels: Kernels;
  readonly #keys: readonly EncodedKey[];
  readonly #stride: number;
  readonly #state: BlockHandle;
  /** Rows as they came; all blocks but the last are full. Empty once sorting has begun. */
  #blocks: BlockHandle[] = [];
  #rowCount = 0;
  /** The two arrays; 0 before. */
  #entries: BlockHandle = 0;
  #scratch: BlockHandle = 0;
  #copiedBlocks = 0;
  #isSorted = false;

  /** @param keys - Keys that `isRadixSortable`, the most significant first. */
  constructor(scope: MemoryScope, kernels: Kernels, keys: readonly SortKey[]) {
    this.#keys = keys
      .flatMap((key, column) => encodedKeysOf(kernels, key, column))
      .map((key) => ({ ...key, order: key.order + sortOrder.narrow }));
    const keyCount = this.#keys.length;
    assert(keyCount >= 1 && keyCount <= keysMax, 'a sort has 1 to 16 keys');
    this.#scope = scope;
    this.#kernels = kernels;
    this.#stride = narrowRowSizeOf(keyCount);
    this.#state = scope.allocate(layout.size);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** Never: only a limit asks for a sort before the end. */
  get needsSort(): boolean {
    return false;
  }

  /**
   * Adds rows from `fromRow` on; returns `rowCount`.
   * @throws MEMORY_EXHAUSTED; rows before the failing block are then in the buffer.
   */
  addRows(input: SortInput, fromRow: number): number {
    assert(this.#entries === 0, 'rows are added before sorting begins');
    let row = fromRow;
    while (row < input.rowCount) {
      const used = this.#rowCount % blockRows;
      if (used === 0) this.#blocks.push(this.#scope.allocate(blockRows * this.#stride));
      const count = Math.min(input.rowCount - row, blockRows - used);
      const block = this.#blocks.at(-1) ?? 0;
      const stride = this.#stride;
      const rows = addressOf(block) + used * stride;
      encodeRows(this.#kernels, this.#keys, input, { fromRow: row, count, rows, stride });
      row += count;
      this.#rowCount += count;
    }
    return row;
  }

  /**
   * Sorts for one slice; true when all rows are in order.
   * @throws MEMORY_EXHAUSTED when there is no room for two arrays.
   */
  sortSlice(): boolean {
    if (this.#isSorted) return true;
    if (this.#entries === 0) this.#entries = this.#scope.allocate(this.#arrayBytes());
    if (this.#copiedBlocks < this.#blocks.length) {
      this.#copyBlocks();
      return false;
    }
    if (this.#scratch === 0) this.#beginSort();
    this.#isSorted = this.#kernels.radixSlice(addressOf(this.#state), sliceSteps) === 1;
    return this.#isSorted;
  }

  /** Writes the numbers (u32) of up to `rowsMax` rows from place `fromRow` of the order on. */
  readRowNumbers(fromRow: number, rowsMax: number, out: number): number {
    assert(this.#isSorted, 'the rows are sorted');
    const count = Math.min(rowsMax, this.#rowCount - fromRow);
    const words = this.#scope.memory.uint32;
    const entries = words[(addressOf(this.#state) + layout.entries) >>> 2] ?? 0;
    const { rowNumbersOf } = this.#kernels;
    rowNumbersOf(entries + fromRow * this.#stride, count, this.#stride, out);
    return count;
  }

  /** Never: there is no limit to begin anew within. */
  restart(): void {
    throw new Error('assertion failed: a radix buffer has no limit');
  }

  /** Two arrays; before, as much as one of them in blocks. */
  peakBytes(rowCount: number): number {
    return 2 * (rowCount + blockRows) * this.#stride;
  }

  /** An array. */
  stretchBytes(rowCount: number): number {
    return (rowCount + blockRows) * this.#stride;
  }

  /** Forgets all rows. */
  clear(): void {
    const { memory } = this.#scope;
    for (const block of this.#blocks.slice(this.#copiedBlocks)) memory.release(block);
    if (this.#entries !== 0) memory.release(this.#entries);
    if (this.#scratch !== 0) memory.release(this.#scratch);
    this.#blocks = [];
    this.#copiedBlocks = 0;
    this.#rowCount = 0;
    this.#entries = this.#scratch = 0;
    this.#isSorted = false;
  }

  /** Releases all memory; call once. */
  close(): void {
    this.clear();
    this.#scope.memory.release(this.#state);
  }

  #arrayBytes(): number {
    return Math.max(1, this.#rowCount) * this.#stride;
  }

  #copyBlocks(): void {
    const { memory } = this.#scope;
    const blockBytes = blockRows * this.#stride;
    const end = Math.min(this.#copiedBlocks + sliceBlocks, this.#blocks.length);
    for (; this.#copiedBlocks < end; this.#copiedBlocks++) {
      const block = this.#blocks[this.#copiedBlocks] ?? 0;
      const from = addressOf(block);
      const start = this.#copiedBlocks * blockBytes;
      const size = Math.min(blockBytes, this.#arrayBytes() - start);
      memory.bytes.copyWithin(addressOf(this.#entries) + start, from, from + size);
      memory.release(block);
    }
  }

  #beginSort(): void {
    this.#scratch = this.#scope.allocate(this.#arrayBytes());
    const state = addressOf(this.#state) >>> 2;
    const words = this.#scope.memory.uint32;
    words.fill(0, state, state + (layout.size >>> 2));
    words[state + (layout.entries >>> 2)] = addressOf(this.#entries);
    words[state + (layout.scratch >>> 2)] = addressOf(this.#scratch);
    words[state + (layout.count >>> 2)] = this.#rowCount;
    words[state + (layout.stride >>> 2)] = this.#stride;
    words[state + (layout.keyCount >>> 2)] = this.#keys.length;
  }
}
