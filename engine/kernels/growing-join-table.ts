/**
 * Growing join table: from keys to rows, for rows that come one batch after the other and are looked for in
 * between. It is the table of join-table.ts, in the same layout, whose slots move to a larger place when
 * they are half full. A chain has its newest batch first.
 *
 *     insert 100 rows ─▶ find 50 ─▶ insert 8,000 rows, slots doubled first ─▶ find …
 *
 * A table has up to `growingRowsMax` rows, so that doubling it is a call of a few milliseconds: who has more
 * rows has more tables.
 *
 * Contract: texts of keys that are views lie where they do until `close` (not checked).
 * Before: engine/kernels/band-kernels.ts · After: engine/operators/join-segment.ts
 */
import { assert } from '../../base/assert.ts';
import { GrowingBlock } from '../memory/growing-block.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { type JoinFind, type JoinInsert, joinTableLayout as layout } from './join-kernels.ts';
import { findOf, insertOf, slotBytesOf } from './join-table.ts';
import type { Kernels } from './kernels.ts';
import type { KeyForm } from './key-layout.ts';

/** Rows of a table: its 2 Mi slots take 16 or 32 MiB. */
export const growingRowsMax = 1 << 20;
/** Bytes of scratch that tables of an operator share: 8 for each row of a call. */
export const joinScratchBytes = 8192 * 8;

const slotsAtFirst = 256;

export interface GrowingJoinTableOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly keyForm: KeyForm;
  /** Address of `joinScratchBytes`, the caller's. */
  readonly scratch: number;
}

export class GrowingJoinTable {
  readonly #options: GrowingJoinTableOptions;
  readonly #insert: JoinInsert;
  readonly #find: JoinFind;
  readonly #slotBytes: number;
  readonly #keyBytes: number;
  readonly #keys: GrowingBlock;
  readonly #next: GrowingBlock;
  #control: BlockHandle = 0;
  #slots: BlockHandle = 0;
  #slotCount = 0;
  #rowCount = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(options: GrowingJoinTableOptions) {
    const { scope, kernels, keyForm } = options;
    this.#options = options;
    this.#insert = insertOf(kernels, keyForm);
    this.#find = findOf(kernels, keyForm);
    this.#slotBytes = slotBytesOf(keyForm);
    this.#keyBytes = keyForm === 'int64' ? 0 : 16;
    this.#keys = new GrowingBlock(scope);
    this.#next = new GrowingBlock(scope);
    try {
      this.#control = scope.allocate(layout.size);
      this.#resize(slotsAtFirst);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** Address of the chains for `joinPairs` and `joinPairsWithin`; it holds until rows are put in. */
  get next(): number {
    return this.#next.address;
  }

  /** What it would take with `count` more rows. */
  sizeBytesWith(count: number): number {
    const rowCount = this.#rowCount + count;
    const keys = this.#keys.sizeBytesFor(rowCount * this.#keyBytes);
    const next = this.#next.sizeBytesFor(rowCount * 4);
    return keys + next + this.#slotCountFor(rowCount) * this.#slotBytes;
  }

  /** Puts in rows, which get the next numbers. @param values - `count` keys, none of them null. @throws MEMORY_EXHAUSTED */
  insert(values: number, count: number): void {
    const first = this.#rowCount;
    const rowCount = first + count;
    assert(rowCount <= growingRowsMax, 'a growing table has a bounded number of rows');
    this.#keys.ensure(rowCount * this.#keyBytes, first * this.#keyBytes);
    this.#next.ensure(rowCount * 4, first * 4);
    const slotCount = this.#slotCountFor(rowCount);
    if (slotCount > this.#slotCount) this.#resize(slotCount);
    this.#describe();
    this.#insert(addressOf(this.#control), values, 0, count, first);
    this.#rowCount = rowCount;
  }

  /** Writes the first row of each key's chain, as `joinPairs` reads them. */
  find(
    { values, selection }: { readonly values: number; readonly selection: number },
    count: number,
    outHeads: number,
  ): void {
    this.#find(addressOf(this.#control), values, 0, selection, count, outHeads);
  }

  close(): void {
    const { memory } = this.#options.scope;
    for (const block of [this.#control, this.#slots]) if (block !== 0) memory.release(block);
    this.#control = 0;
    this.#slots = 0;
    this.#keys.close();
    this.#next.close();
  }

  #slotCountFor(rowCount: number): number {
    let slotCount = Math.max(this.#slotCount, slotsAtFirst);
    while (slotCount < rowCount * 2) slotCount *= 2;
    return slotCount;
  }

  #resize(slotCount: number): void {
    const { scope, kernels, keyForm } = this.#options;
    const sizeBytes = slotCount * this.#slotBytes;
    const block = scope.allocate(sizeBytes);
    const slots = addressOf(block);
    scope.memory.bytes.fill(0, slots, slots + sizeBytes);
    if (this.#slots !== 0) {
      const move = keyForm === 'int64' ? kernels.joinMoveWords : kernels.joinMoveHashes;
      move(addressOf(this.#slots), this.#slotCount, slots, slotCount - 1);
      scope.memory.release(this.#slots);
    }
    this.#slots = block;
    this.#slotCount = slotCount;
    this.#describe();
  }

  #describe(): void {
    const { scope, scratch } = this.#options;
    const [slots, control] = [addressOf(this.#slots), addressOf(this.#control)];
    const words = [slots, this.#slotCount - 1, this.#keys.address, this.#next.address, scratch, 0];
    scope.memory.uint32.set(words, control >>> 2);
  }
}
