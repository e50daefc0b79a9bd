/**
 * A sort buffer: the sort keys of many rows in a slot's memory, sorted in slices.
 *
 *     addRows ──encode──▶ sort rows (blocks of 8,192) ──sortSlice──▶ entries ──▶ row numbers, in order
 *
 * It holds keys, not rows: a row is known by a u32 number that its owner chose (say, index of the
 * batch × 8,192 + row) and gets back in order. The sort is stable. Text keys point at the batch's
 * bytes beyond their first 8, so the owner keeps the batches until it has read the numbers.
 *
 * With `limit` n it is the filter of a top-n: rows not below the n-th so far are dropped as they come,
 * and whenever 2n (at least n + 8,192) rows have gathered, they are sorted and all but n dropped.
 * `restart` lets the owner drop the batches behind dropped rows: it copies the survivors into a
 * batch of its own and gives that as the new beginning.
 * Before: engine/kernels/kernels.ts
 */
import { assert } from '../../base/assert.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { Kernels } from './kernels.ts';
import {
  sortLayout as layout,
  sortEntryRow,
  sortEntrySize,
  sortRowSizeOf,
} from './sort-kernels.ts';
import {
  type EncodedKey,
  encodedKeysOf,
  encodeRows,
  type RowNumberSort,
  type SortInput,
  type SortKey,
} from './sort-keys.ts';

export interface SortBufferOptions {
  /** 1 to 16 keys, the most significant first; decimals count twice. */
  readonly keys: readonly SortKey[];
  /** Rows wanted, from 1; @defaultValue all */
  readonly limit?: number;
}

const blockRows = 8192;
const sliceSteps = 65_536;

export class SortBuffer implements RowNumberSort {
  readonly #scope: MemoryScope;
  readonly #kernels: Kernels;
  readonly #keys: readonly EncodedKey[];
  readonly #limit: number;
  /** Rows at which a top-n is sorted and cut. */
  readonly #heldMax: number;
  readonly #stride: number;
  readonly #descendingBits: number;
  /** The sort's state, and after it the n-th row of a top-n. */
  readonly #control: BlockHandle;
  /** Blocks of sort rows; all but the last used to the full. */
  #blocks: BlockHandle[] = [];
  #rowCount = 0;
  #hasBound = false;
  /** Entries and scratch while sorting and after; 0 before. */
  #entries: BlockHandle = 0;
  #entriesMade = 0;
  #isSorted = false;

  /** @throws MEMORY_EXHAUSTED */
  constructor(scope: MemoryScope, kernels: Kernels, options: SortBufferOptions) {
    const { keys, limit = Number.POSITIVE_INFINITY } = options;
    this.#keys = keys.flatMap((key, column) => encodedKeysOf(kernels, key, column));
    const keyCount = this.#keys.length;
    assert(keyCount >= 1 && keyCount <= 16, 'a sort has 1 to 16 keys');
    assert(limit >= 1, 'a limit is at least 1');
    this.#scope = scope;
    this.#kernels = kernels;
    this.#limit = limit;
    this.#heldMax = Math.max(2 * limit, limit + blockRows);
    this.#stride = sortRowSizeOf(keyCount);
    this.#descendingBits = this.#keys.reduce(
      (bits, key, k) => bits | (Number(key.isDescending) << k),
      0,
    );
    this.#control = scope.allocate(layout.size + this.#stride);
  }

  /** Rows held; with a limit, once sorted, at most that. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** All rows are in order: read them, or go on adding. */
  get isSorted(): boolean {
    return this.#isSorted;
  }

  /** Sort the buffer before adding more: enough rows of a top-n have gathered. */
  get needsSort(): boolean {
    return !this.#isSorted && this.#rowCount >= this.#heldMax;
  }

  /**
   * Adds rows from `fromRow` on; returns the next row. Short of `rowCount` it needs `sortSlice` until
   * that answers true.
   * @throws MEMORY_EXHAUSTED; rows before the failing block are then in the buffer.
   */
  addRows(input: SortInput, fromRow: number): number {
    let row = fromRow;
    while (row < input.rowCount && !this.needsSort) {
      this.#dropEntries();
      const used = this.#rowCount % blockRows;
      if (used === 0 && this.#blocks.length * blockRows === this.#rowCount) {
        this.#blocks.push(this.#scope.allocate(blockRows * this.#stride));
      }
      const room = Math.min(blockRows - used, this.#heldMax - this.#rowCount);
      const count = Math.min(input.rowCount - row, room);
      this.#encode(input, row, count, this.#rowAddress(this.#rowCount));
      row += count;
    }
    return row;
  }

  /**
   * Sorts for one slice; true when all rows are in order and a limit's surplus is dropped.
   * @throws MEMORY_EXHAUSTED when there is no room for 48 bytes per row.
   */
  sortSlice(): boolean {
    if (this.#isSorted) return true;
    if (this.#entries === 0) this.#beginSort();
    if (this.#entriesMade < this.#rowCount) {
      this.#makeEntries();
      return false;
    }
    if (this.#kernels.sortSlice(addressOf(this.#control), sliceSteps) === 0) return false;
    if (this.#rowCount >= this.#limit) this.#keepFirst(this.#limit);
    this.#isSorted = true;
    return true;
  }

  /** Writes the numbers (u32) of up to `rowsMax` rows from place `fromRow` of the order on. */
  readRowNumbers(fromRow: number, rowsMax: number, out: number): number {
    assert(this.#isSorted, 'the rows are sorted');
    const count = Math.min(rowsMax, this.#rowCount - fromRow);
    this.#kernels.sortedRowNumbers(this.#sortedEntries() + fromRow * sortEntrySize, count, out);
    return count;
  }

  /** The address of the sort row at a place of the order, for `Kernels.compareSortRows`. */
  sortRowAt(place: number): number {
    assert(this.#isSorted && place < this.#rowCount, 'the place is one of the sorted rows');
    const entry = this.#sortedEntries() + place * sortEntrySize;
    return this.#scope.memory.uint32[(entry + sortEntryRow) >>> 2]!;
  }

  /** Bit k is set when key k is descending: the argument of `Kernels.compareSortRows`. */
  get descendingBits(): number {
    return this.#descendingBits;
  }

  /** Begins anew with the rows of `input`, which are in order and at most the limit. */
  restart(input: SortInput): void {
    assert(input.rowCount <= this.#limit, 'a restart is within the limit');
    this.clear();
    const next = this.addRows(input, 0);
    assert(next === input.rowCount, 'a restart fits below the sort threshold');
    if (this.#rowCount === this.#limit) this.#setBound(this.#rowAddress(this.#rowCount - 1));
  }

  /** Sort rows, entries twice, and those that a top-n keeps once more. */
  peakBytes(rowCount: number): number {
    const kept = Math.min(rowCount, Number.isFinite(this.#limit) ? this.#limit : 0);
    return (rowCount + kept + 2 * blockRows) * this.#stride + rowCount * sortEntrySize * 2;
  }

  /** Entries and scratch are one. */
  stretchBytes(rowCount: number): number {
    return Math.max(rowCount, 1) * sortEntrySize * 2;
  }

  /** Forgets all rows and the bound of a top-n. */
  clear(): void {
    this.#dropEntries();
    for (const block of this.#blocks) this.#scope.memory.release(block);
    this.#blocks = [];
    this.#rowCount = 0;
    this.#hasBound = false;
  }

  /** Releases all memory; call once. */
  close(): void {
    this.clear();
    this.#scope.memory.release(this.#control);
  }

  #encode(input: SortInput, fromRow: number, count: number, rows: number): void {
    encodeRows(this.#kernels, this.#keys, input, { fromRow, count, rows, stride: this.#stride });
    this.#rowCount += this.#hasBound ? this.#keepBefore(rows, count) : count;
  }

  #keepBefore(rows: number, count: number): number {
    const bound = addressOf(this.#control) + layout.size;
    const keyCount = this.#keys.length;
    const { keepRowsBefore } = this.#kernels;
    return keepRowsBefore(rows, count, this.#stride, bound, keyCount, this.#descendingBits);
  }

  #beginSort(): void {
    const bytes = this.stretchBytes(this.#rowCount);
    this.#entries = this.#scope.allocate(bytes);
    const words = this.#scope.memory.uint32;
    const state = addressOf(this.#control) >>> 2;
    words.fill(0, state, state + (layout.size >>> 2));
    words[state + (layout.entries >>> 2)] = addressOf(this.#entries);
    words[state + (layout.scratch >>> 2)] = addressOf(this.#entries) + bytes / 2;
    words[state + (layout.count >>> 2)] = this.#rowCount;
    words[state + (layout.keyCount >>> 2)] = this.#keys.length;
    words[state + (layout.descendingBits >>> 2)] = this.#descendingBits;
  }

  #makeEntries(): void {
    const end = Math.min(this.#rowCount, this.#entriesMade + sliceSteps);
    while (this.#entriesMade < end) {
      const count = Math.min(end - this.#entriesMade, blockRows);
      this.#writeEntries(addressOf(this.#entries), count);
    }
  }

  /** Drops all but the first rows of the order, which then lie in order; the last is the bound. */
  #keepFirst(count: number): void {
    const sorted = this.#sortedEntries();
    const kept: BlockHandle[] = [];
    try {
      for (let done = 0; done < count; done += blockRows) {
        const block = this.#scope.allocate(blockRows * this.#stride);
        kept.push(block);
        const rows = Math.min(blockRows, count - done);
        this.#kernels.takeSortRows(
          sorted + done * sortEntrySize,
          rows,
          this.#stride,
          addressOf(block),
        );
      }
    } catch (error) {
      for (const block of kept) this.#scope.memory.release(block);
      throw error;
    }
    for (const block of this.#blocks) this.#scope.memory.release(block);
    this.#blocks = kept;
    this.#rowCount = count;
    this.#entriesMade = 0;
    // The entries are shorter now and point at the new rows.
    while (this.#entriesMade < count) {
      this.#writeEntries(sorted, Math.min(count - this.#entriesMade, blockRows));
    }
    this.#setBound(this.#rowAddress(count - 1));
  }

  /** Writes the entries of the next `count` rows, which lie in one block. */
  #writeEntries(entries: number, count: number): void {
    const rows = this.#rowAddress(this.#entriesMade);
    const hasText = this.#keys.some((key) => key.isText);
    const isText = Number(this.#keys[0]?.isText === true);
    const isFixed = Number(!hasText && this.#keys.length <= 2);
    const out = entries + this.#entriesMade * sortEntrySize;
    const bits = this.#descendingBits;
    this.#kernels.makeSortEntries(rows, count, this.#stride, isText, isFixed, bits, out);
    this.#entriesMade += count;
  }

  #setBound(row: number): void {
    const bound = addressOf(this.#control) + layout.size;
    this.#scope.memory.bytes.copyWithin(bound, row, row + this.#stride);
    this.#hasBound = true;
  }

  #dropEntries(): void {
    if (this.#entries !== 0) this.#scope.memory.release(this.#entries);
    this.#entries = 0;
    this.#entriesMade = 0;
    this.#isSorted = false;
  }

  #sortedEntries(): number {
    return this.#scope.memory.uint32[(addressOf(this.#control) + layout.entries) >>> 2]!;
  }

  #rowAddress(row: number): number {
    const block = this.#blocks[Math.floor(row / blockRows)]!;
    return addressOf(block) + (row % blockRows) * this.#stride;
  }
}
