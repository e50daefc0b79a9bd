/**
 * A join table: from the key of a row to the rows of the build side with that key, in a slot's memory.
 *
 *     prepare, again and again ──▶ insert rows, the last ones first ──▶ find, for each batch of the probe side
 *
 * All rows of the build side are known before the first one is put in. So the table has its final size
 * from the start, half full at most: it never grows, and nothing is moved. A row takes 4 bytes for its
 * chain. A slot takes 16 bytes and has the key, where that has 8; else it takes 8, and the key 16 per row.
 *
 * A table that is too large for the caches near a processor has a filter in front: a bit for the hash of each
 * key, in a 32nd of the bytes or less. A row without a partner mostly ends there, and waits for no far memory.
 *
 * Without a key every row is a partner of every row: one chain, and no slots.
 *
 * Contract: long texts of keys lie where they do until `close` (not checked).
 * Before: engine/kernels/join-kernels.ts · After: engine/operators/join-build.ts
 */
import { assert } from '../../base/assert.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { ColumnAddress } from './group-cells.ts';
import { type JoinFind, type JoinInsert, joinTableLayout as layout } from './join-kernels.ts';
import type { Kernels } from './kernels.ts';
import type { KeyForm } from './key-layout.ts';

export interface JoinTableOptions {
  /** Null: no key. */
  readonly keyForm: KeyForm | null;
  /** Rows of the build side, those with null keys included. */
  readonly rowCount: number;
}

/** A table with more slots than this is not in a cache near the processor. */
const unfilteredSlotsMax = 16_384;
/** Bits of the filter for each slot. */
const filterBits = 4;
/** Rows that the filter is tried on; it stays if it spares half of them the look-up. */
const trialRows = 65_536;

/** Slots that one call of `prepare` clears, and links that it writes. */
const sliceSteps = 65_536;
/** Rows of a call: those of a batch. */
const rowsMax = 8192;
/** The description, and its scratch. */
const controlBytes = layout.size + rowsMax * 8;

export class JoinTable {
  readonly #scope: MemoryScope;
  readonly #options: JoinTableOptions;
  readonly #insert: JoinInsert;
  readonly #find: JoinFind;
  readonly #blocks: BlockHandle[] = [];
  /** The description, then its scratch. */
  readonly #control: number;
  readonly #slotCount: number;
  readonly #slotBytes: number;
  readonly #next: number;
  /** Address of the filter; 0: there is none. */
  readonly #filter: number;
  #preparedSteps = 0;
  #repeatedCount = 0;
  #isFilterKept = true;
  #triedRows = 0;
  #foundRows = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(scope: MemoryScope, kernels: Kernels, options: JoinTableOptions) {
    const { keyForm, rowCount } = options;
    this.#scope = scope;
    this.#options = options;
    this.#insert = insertOf(kernels, keyForm ?? 'int64');
    this.#find = findOf(kernels, keyForm ?? 'int64');
    this.#slotCount = keyForm === null ? 0 : slotCountFor(rowCount);
    this.#slotBytes = slotBytesOf(keyForm);
    const keyBytes = keyForm === null || keyForm === 'int64' ? 0 : 16;
    try {
      this.#control = this.#room(controlBytes);
      const slots = this.#room(this.#slotCount * this.#slotBytes);
      const keys = this.#room(rowCount * keyBytes);
      this.#next = this.#room(rowCount * 4);
      const isFiltered = this.#slotCount > unfilteredSlotsMax;
      this.#filter = isFiltered ? this.#room((this.#slotCount * filterBits) / 8) : 0;
      const scratch = this.#control + layout.size;
      const words = [slots, this.#slotCount - 1, keys, this.#next, scratch, this.#filter];
      scope.memory.uint32.set(words, this.#control >>> 2);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Address of the chains for `joinPairs`; 0 where no key is there twice. */
  get next(): number {
    const isUnique = this.#options.keyForm !== null && this.#repeatedCount === 0;
    return isUnique ? 0 : this.#next;
  }

  /** Does one slice of clearing the table; true when rows can be put in. */
  prepare(): boolean {
    const { uint32, bytes } = this.#scope.memory;
    const from = this.#preparedSteps;
    const isCross = this.#options.keyForm === null;
    const stepCount = isCross ? this.#options.rowCount : this.#slotCount;
    const end = Math.min(from + sliceSteps, stepCount);
    this.#preparedSteps = end;
    if (isCross) {
      // Row r is followed by row r + 1, which is written as r + 2; the last one by none.
      const next = this.#next >>> 2;
      for (let row = from; row < end; row++) uint32[next + row] = row + 1 < stepCount ? row + 2 : 0;
    } else {
      const slots = uint32[(this.#control + layout.slots) >>> 2]!;
      bytes.fill(0, slots + from * this.#slotBytes, slots + end * this.#slotBytes);
      if (this.#filter !== 0) {
        const [first, last] = [from, end].map((slot) => this.#filter + (slot * filterBits) / 8);
        bytes.fill(0, first, last);
      }
    }
    return end === stepCount;
  }

  /** Puts in `count` rows, up to 8,192, from number `first` on; those behind them are in already. */
  insert(keys: ColumnAddress, count: number, first: number): void {
    assert(this.#preparedSteps === this.#slotCount, 'a table is prepared before rows are put in');
    assert(count <= rowsMax && first + count <= this.#options.rowCount, 'the table has the rows');
    const { values, validity } = keys;
    this.#repeatedCount += this.#insert(this.#control, values, validity, count, first);
  }

  /**
   * Writes the first partner of each of `count` rows, as `joinPairs` reads them.
   * @param keys - Null where the table has none.
   */
  find(
    keys: (ColumnAddress & { readonly selection: number }) | null,
    count: number,
    outHeads: number,
  ): void {
    if (keys === null) {
      const first = this.#options.rowCount > 0 ? 1 : 0;
      this.#scope.memory.uint32.fill(first, outHeads >>> 2, (outHeads >>> 2) + count);
      return;
    }
    this.#useFilter(this.#isFilterKept);
    const { values, validity, selection } = keys;
    const found = this.#find(this.#control, values, validity, selection, count, outHeads);
    if (this.#filter !== 0 && this.#triedRows < trialRows) this.#tryFilter(count, found);
  }

  /**
   * The same for rows that come to `find` only if they have a partner: these say nothing about whether the filter
   * pays there.
   * @returns How many have one.
   */
  findAgain(
    keys: ColumnAddress & { readonly selection: number },
    count: number,
    outHeads: number,
  ): number {
    this.#useFilter(true);
    const { values, validity, selection } = keys;
    return this.#find(this.#control, values, validity, selection, count, outHeads);
  }

  #useFilter(isUsed: boolean): void {
    this.#scope.memory.uint32[(this.#control + layout.filter) >>> 2] = isUsed ? this.#filter : 0;
  }

  /** Where most rows have a partner, asking the filter first is more work. */
  #tryFilter(count: number, found: number): void {
    this.#triedRows += count;
    this.#foundRows += found;
    if (this.#triedRows < trialRows || this.#foundRows * 2 < this.#triedRows) return;
    this.#isFilterKept = false;
  }

  /** Releases all memory; call once. */
  close(): void {
    for (const block of this.#blocks) this.#scope.memory.release(block);
  }

  #room(sizeBytes: number): number {
    const block = this.#scope.allocate(Math.max(8, sizeBytes));
    this.#blocks.push(block);
    return addressOf(block);
  }
}

/** What a table takes for so many rows, about. */
export function joinTableBytesOf({ keyForm, rowCount }: JoinTableOptions): number {
  const rowBytes = keyForm === null || keyForm === 'int64' ? 4 : 20;
  const slotCount = keyForm === null ? 0 : slotCountFor(rowCount);
  return controlBytes + slotCount * slotBytesOf(keyForm) + rowCount * rowBytes;
}

/** Bytes of a slot. */
export function slotBytesOf(keyForm: KeyForm | null): number {
  return keyForm === 'int64' ? 16 : 8;
}

/** A power of two, at least twice as many as rows. */
function slotCountFor(rowCount: number): number {
  return 2 ** Math.max(4, Math.ceil(Math.log2(Math.max(1, rowCount) * 2)));
}

/** The kernel that puts in keys of a form. */
export function insertOf(kernels: Kernels, form: KeyForm): JoinInsert {
  if (form === 'view') return kernels.joinInsertUtf8;
  return form === 'int64' ? kernels.joinInsertInt64 : kernels.joinInsertInt128;
}

/** The kernel that looks for them. */
export function findOf(kernels: Kernels, form: KeyForm): JoinFind {
  if (form === 'view') return kernels.joinFindUtf8;
  return form === 'int64' ? kernels.joinFindInt64 : kernels.joinFindInt128;
}
