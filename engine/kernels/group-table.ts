/**
 * A group table: keys of one column, each with its accumulators, in a slot's memory.
 *
 *     addRows ──▶ find slots of 1,024 rows ──▶ one typed loop per accumulator ──▶ next 1,024
 *        │ table at 75 %                     (slots are still in the cache)
 *        ▼
 *     isGrowing: grow() moves 64 Ki slots a call into a table twice the size, then addRows goes on
 *
 * Why growth is the caller's to drive: doubling a table of 10 M keys in one call stops a thread for
 * half a second, and many tasks share the thread. Keys over 8 bytes are copied into the arena, a list
 * of blocks that never move, so a batch of groups may point there when it retains `arenaBlocks`.
 *
 * Invariants:
 * - Room is reserved before a key's first byte is written; a refused key leaves no trace.
 * - Slots empty are zero. At most 75 % are used: 2.5 probes for a key found then, 1.3 after growing.
 * - The order of groups follows from keys, their order of arrival and the table's size: the same
 *   input gives the same output.
 * A table with `keepsFrequent` that is full gives out its rare groups only (frequent-groups.ts).
 * Not here: types other than utf8 and int64 (`Kernels.widenInt32` and its siblings make them int64),
 * names, batches (engine/operators).
 * Before: engine/kernels/kernels.ts
 */
import { assert } from '../../base/assert.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { FrequentGroups } from './frequent-groups.ts';
import {
  type Accumulate,
  type FindGroups,
  groupTableLayout as layout,
  groupTableStatus as status,
} from './group-kernels.ts';
import type { Kernels } from './kernels.ts';

/** A column's place: addresses; validity 0 when no value is null. A batch's column is one. */
export interface ColumnAddress {
  readonly values: number;
  readonly validity: number;
}

export interface AccumulatorSpec {
  /** `count` counts rows, `countValid` those whose input is not null. */
  readonly function: 'count' | 'countValid' | 'sum' | 'min' | 'max';
  /** Of the input and of the result; the counts give int64 and read no values. */
  readonly type: 'int64' | 'float64';
}

export interface GroupTableOptions {
  readonly keyType: 'utf8' | 'int64';
  /** At most 31: the flags of a slot are 32 bits. */
  readonly accumulators: readonly AccumulatorSpec[];
  /**
   * Most slots, a power of two from 64 on. With it the table may become full (`isFull`) instead of failing:
   * its owner reads groups out and calls `clear`. @defaultValue no limit
   */
  readonly slotsMax?: number;
  /**
   * When full, only the rare groups are read out, and the frequent ones stay. Needs a `count` or
   * `countValid`, which says how frequent a group is, and a `slotsMax` of at most 65,536, for they are
   * chosen in one slice; otherwise all groups are read out.
   * @defaultValue false
   */
  readonly keepsFrequent?: boolean;
  /** Groups have numbers, by order of first arrival; see `GroupRows`. @defaultValue false */
  readonly isNumbered?: boolean;
}

/** The rows of a batch, as the table reads them. */
export interface GroupRows {
  readonly key: ColumnAddress;
  /** One per accumulator; not read by `count`. */
  readonly inputs: readonly ColumnAddress[];
  readonly selection: number;
  readonly rowCount: number;
  /**
   * For a numbered table, u32 addresses: `numbers` gets the group of each row, the first for row 0 of
   * the batch; `counts`, with room for all groups, the count of rows of each.
   */
  readonly numbering?: { readonly numbers: number; readonly counts: number };
}

/** Where groups are written; validity 0 when it is not wanted. */
export interface GroupColumns {
  /** 16 bytes per group for utf8, 8 for int64. */
  readonly key: ColumnAddress;
  /** 8 bytes per group each. */
  readonly accumulators: readonly ColumnAddress[];
}

interface Table {
  readonly block: BlockHandle;
  readonly slotCount: number;
}

/** A growth under way: first the new slots are zeroed, then the old ones are moved. */
interface Growth {
  readonly table: Table;
  zeroedSlots: number;
  movedSlots: number;
}

/** 1,024 slot addresses and the slots behind them fit the first two caches. */
const chunkRows = 1024;
const sliceSlots = 65_536;
const firstSlotCount = 1024;
/** At 60 % a word count gave out 15 % more partial groups, and was level to 10 % slower. */
const loadMax = 0.75;
const firstArenaBytes = 32 * 1024;
const arenaBytesMax = 1024 * 1024;
/** Where in the control block the next table is described, and results are written. */
const nextTableOffset = 64;
const resultOffset = 128;
const slotsOffset = 192;

export class GroupTable {
  readonly #scope: MemoryScope;
  readonly #kernels: Kernels;
  readonly #options: GroupTableOptions;
  readonly #stride: number;
  readonly #find: FindGroups;
  readonly #accumulate: readonly (Accumulate | null)[];
  /** Null when a full table gives out all groups. */
  readonly #frequent: FrequentGroups | null;
  /** Two table descriptions, a result word, and the slot addresses of a chunk. */
  readonly #control: BlockHandle;
  #table: Table;
  #growth: Growth | null = null;
  #arena: BlockHandle[] = [];
  #isFull = false;
  /** Groups that have a number. */
  #numberedCount = 0;
  #overflow: { readonly accumulator: number; readonly row: number } | null = null;

  /** @throws MEMORY_EXHAUSTED when the first 40 KB or so are refused. */
  constructor(scope: MemoryScope, kernels: Kernels, options: GroupTableOptions) {
    assert(options.accumulators.length <= 31, 'a table has at most 31 accumulators');
    const { slotsMax = firstSlotCount, isNumbered = false } = options;
    assert(slotsMax >= 64 && Number.isInteger(Math.log2(slotsMax)), 'slotsMax is a power of two');
    this.#scope = scope;
    this.#kernels = kernels;
    this.#options = options;
    this.#stride = 24 + 8 * (options.accumulators.length + Number(isNumbered));
    this.#find = options.keyType === 'utf8' ? kernels.findGroupsUtf8 : kernels.findGroupsInt64;
    this.#accumulate = options.accumulators.map((spec) => accumulateOf(kernels, spec));
    this.#frequent = frequentOf(scope, kernels, options);
    this.#control = scope.allocate(slotsOffset + chunkRows * 4);
    const slotCount = Math.min(firstSlotCount, slotsMax);
    const block = scope.tryAllocate(slotCount * this.#stride);
    if (block === 0) {
      scope.memory.release(this.#control);
      throw scope.memory.exhaustedError(scope.owner, slotCount * this.#stride);
    }
    this.#table = { block, slotCount };
    this.#describe(0, this.#table);
    this.clear();
  }

  get groupCount(): number {
    return this.#word(layout.groupCount);
  }

  /** Slots of the table; `readGroups` is done when its cursor is here. */
  get slotCount(): number {
    return this.#table.slotCount;
  }

  /** While true, call `grow` until it answers true; then go on with `addRows`. */
  get isGrowing(): boolean {
    return this.#growth !== null;
  }

  /** A table with `slotsMax` has no more room: read the groups, then `clear`. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** The row whose value brought an int64 sum out of range; the table is of no more use then. */
  get overflow(): { readonly accumulator: number; readonly row: number } | null {
    return this.#overflow;
  }

  /** Blocks that hold long keys; who keeps views of them retains these. */
  get arenaBlocks(): readonly BlockHandle[] {
    return this.#arena;
  }

  /** Bytes of slots and arena. */
  get sizeBytes(): number {
    const { memory } = this.#scope;
    const tables = [this.#table.block, ...(this.#growth ? [this.#growth.table.block] : [])];
    return [...tables, ...this.#arena].reduce((sum, block) => sum + memory.sizeOf(block), 0);
  }

  /**
   * Adds rows from `fromRow` on; returns the next row. Short of `rowCount` it says why: `isGrowing`,
   * `isFull` or `overflow`.
   * @throws MEMORY_EXHAUSTED when there is no room to grow and no `slotsMax` is set; rows before the
   * one returned last are then in the table.
   */
  addRows(rows: GroupRows, fromRow: number): number {
    assert(this.#growth === null, 'the table is not growing');
    assert(this.#overflow === null, 'no sum has overflowed');
    let row = fromRow;
    while (row < rows.rowCount && !this.#isFull && this.#growth === null) {
      const end = Math.min(row + chunkRows, rows.rowCount);
      const { values, validity } = rows.key;
      const found = this.#find(
        this.#address(0),
        values,
        validity,
        rows.selection,
        row,
        end,
        this.#address(slotsOffset),
      );
      const overflowRow = this.#accumulateRows(rows, row, found);
      if (overflowRow >= 0) return overflowRow;
      if (rows.numbering !== undefined) this.#numberRows(rows.numbering, row, found);
      row += found;
      if (row < end) this.#makeRoom();
    }
    return row;
  }

  /** Does one slice of growing; true when the table has grown. */
  grow(): boolean {
    const growth = this.#growth;
    if (growth === null) return true;
    const { table } = growth;
    if (growth.zeroedSlots < table.slotCount) {
      const end = Math.min(growth.zeroedSlots + sliceSlots, table.slotCount);
      const start = addressOf(table.block);
      const { bytes } = this.#scope.memory;
      bytes.fill(0, start + growth.zeroedSlots * this.#stride, start + end * this.#stride);
      growth.zeroedSlots = end;
      // Large tables stop here, so that a slice stays one.
      if (table.slotCount > sliceSlots) return false;
    }
    const next = this.#address(nextTableOffset);
    const from = growth.movedSlots;
    growth.movedSlots = this.#kernels.rehashSlots(this.#address(0), from, sliceSlots, next);
    if (growth.movedSlots < this.#table.slotCount) return false;
    this.#finishGrowth(growth);
    return true;
  }

  /**
   * Writes up to `rowsMax` (at most 8,192) groups, looking at 64 Ki slots. Of a full table with
   * `keepsFrequent` only the rare ones are read.
   * @param fromSlot - 0, then the `nextSlot` of the call before; done when it is `slotCount`.
   * @returns Count of groups, which may be 0 before the end.
   */
  readGroups(
    fromSlot: number,
    rowsMax: number,
    out: GroupColumns,
  ): { readonly rowCount: number; readonly nextSlot: number } {
    assert(this.#growth === null, 'the table is not growing');
    const slots = this.#address(slotsOffset);
    const result = this.#address(resultOffset);
    let rowCount = 0;
    let slot = fromSlot;
    const slotEnd = Math.min(fromSlot + sliceSlots, this.slotCount);
    // Bitmaps are written by whole words, so all chunks but the last have a multiple of 64 groups.
    while (slot < slotEnd && rowCount < rowsMax) {
      const wanted = Math.min(chunkRows, rowsMax - rowCount);
      const kernels = this.#kernels;
      const found = kernels.occupiedSlots(
        this.#address(0),
        slot,
        slotEnd - slot,
        this.#frequent?.offset ?? 0,
        this.#frequent?.countMin ?? 0,
        slots,
        wanted,
        result,
      );
      this.#gather(slots, found, rowCount, out);
      rowCount += found;
      slot = this.#scope.memory.uint32[result >>> 2]!;
      if (found < wanted) break;
    }
    return { rowCount, nextSlot: slot };
  }

  /** Forgets the groups that were read out, and the arena; the size of the table stays. */
  clear(): void {
    const { memory } = this.#scope;
    this.#isFull = false;
    if (this.#frequent !== null && this.#frequent.countMin > 0) {
      const kept = this.#frequent.keep(this.#address(0));
      this.#releaseArena();
      if (kept !== 0) this.#arena = [kept];
      this.#setWord(layout.arenaEnd, this.#word(layout.arena));
      return;
    }
    const start = addressOf(this.#table.block);
    memory.bytes.fill(0, start, start + this.#table.slotCount * this.#stride);
    this.#releaseArena();
    this.#numberedCount = 0;
    this.#describe(0, this.#table);
  }

  /** Releases all memory; call once. */
  close(): void {
    const { memory } = this.#scope;
    this.#releaseArena();
    this.#frequent?.close();
    if (this.#growth !== null) memory.release(this.#growth.table.block);
    memory.release(this.#table.block);
    memory.release(this.#control);
  }

  #accumulateRows(rows: GroupRows, fromRow: number, count: number): number {
    const slots = this.#address(slotsOffset);
    const { accumulators } = this.#options;
    for (let index = 0; index < accumulators.length; index++) {
      const offset = 24 + 8 * index;
      const kind = accumulators[index]!.function;
      if (kind === 'count') {
        this.#kernels.accumulateCount(slots, count, offset);
        continue;
      }
      const { values, validity } = rows.inputs[index]!;
      const { selection } = rows;
      const accumulate = this.#accumulate[index];
      if (!accumulate) {
        const { accumulateCountValid } = this.#kernels;
        accumulateCountValid(slots, count, offset, validity, selection, fromRow);
        continue;
      }
      const flag = 2 << index;
      const row = accumulate(slots, count, offset, flag, values, validity, selection, fromRow);
      if (row < 0) continue;
      this.#overflow = { accumulator: index, row };
      return row;
    }
    return -1;
  }

  #numberRows(
    { numbers, counts }: { numbers: number; counts: number },
    row: number,
    count: number,
  ) {
    const offset = this.#stride - 8;
    this.#numberedCount = this.#kernels.numberGroups(
      this.#address(slotsOffset),
      count,
      offset,
      this.#numberedCount,
      numbers + row * 4,
      counts,
    );
    assert(this.#numberedCount === this.groupCount, 'every group has a number');
  }

  /** Writes chunk rows of groups behind the `rowCount` written before. */
  #gather(slots: number, count: number, rowCount: number, out: GroupColumns): void {
    const kernels = this.#kernels;
    const bitmapOffset = rowCount >>> 3;
    const { key, accumulators } = out;
    if (this.#options.keyType === 'utf8') {
      kernels.gather16(slots, count, 8, key.values + rowCount * 16);
    } else {
      kernels.gather8(slots, count, 8, key.values + rowCount * 8);
    }
    if (key.validity !== 0) kernels.gatherFlags(slots, count, 1, 1, key.validity + bitmapOffset);
    for (let index = 0; index < accumulators.length; index++) {
      const { values, validity } = accumulators[index]!;
      kernels.gather8(slots, count, 24 + 8 * index, values + rowCount * 8);
      if (validity === 0) continue;
      kernels.gatherFlags(slots, count, 2 << index, 0, validity + bitmapOffset);
    }
  }

  /** After a find that stopped short: begins to grow, adds to the arena, or is full. */
  #makeRoom(): void {
    if (this.#word(layout.status) === status.arenaFull) this.#addArena();
    else this.#beginGrowth();
  }

  #releaseArena(): void {
    for (const block of this.#arena) this.#scope.memory.release(block);
    this.#arena = [];
  }

  #addArena(): void {
    const usual = Math.min(firstArenaBytes << Math.min(this.#arena.length, 5), arenaBytesMax);
    const sizeBytes = Math.max(usual, this.#word(layout.bytesNeeded));
    const block = this.#allocate(sizeBytes);
    if (block === 0) return;
    this.#arena.push(block);
    this.#setWord(layout.arena, addressOf(block));
    this.#setWord(layout.arenaEnd, addressOf(block) + sizeBytes);
  }

  #beginGrowth(): void {
    const slotCount = this.#table.slotCount * 2;
    if (slotCount > (this.#options.slotsMax ?? Number.POSITIVE_INFINITY)) {
      this.#isFull = true;
      this.#frequent?.choose(this.#address(0), this.groupCount, this.#address(resultOffset));
      return;
    }
    const block = this.#allocate(slotCount * this.#stride);
    if (block === 0) return;
    const table = { block, slotCount };
    this.#describe(nextTableOffset, table);
    this.#growth = { table, zeroedSlots: 0, movedSlots: 0 };
  }

  /** A block; or 0, and the table is full, when it has a `slotsMax` and something to give out. */
  #allocate(sizeBytes: number): BlockHandle {
    const mayBeFull = this.#options.slotsMax !== undefined && this.groupCount > 0;
    if (!mayBeFull) return this.#scope.allocate(sizeBytes);
    const block = this.#scope.tryAllocate(sizeBytes);
    this.#isFull = block === 0;
    return block;
  }

  #finishGrowth(growth: Growth): void {
    const arena = this.#word(layout.arena);
    const arenaEnd = this.#word(layout.arenaEnd);
    const groupCount = this.groupCount;
    assert(
      this.#word(nextTableOffset + layout.groupCount) === groupCount,
      'growing keeps all groups',
    );
    this.#scope.memory.release(this.#table.block);
    this.#table = growth.table;
    this.#growth = null;
    this.#describe(0, this.#table);
    this.#setWord(layout.groupCount, groupCount);
    this.#setWord(layout.arena, arena);
    this.#setWord(layout.arenaEnd, arenaEnd);
  }

  /** Describes an empty table, without an arena, in the control block. */
  #describe(offset: number, table: Table): void {
    this.#setWord(offset + layout.slots, addressOf(table.block));
    this.#setWord(offset + layout.mask, table.slotCount - 1);
    this.#setWord(offset + layout.stride, this.#stride);
    this.#setWord(offset + layout.groupCount, 0);
    this.#setWord(offset + layout.groupsMax, Math.max(1, Math.floor(table.slotCount * loadMax)));
    this.#setWord(offset + layout.arena, 0);
    this.#setWord(offset + layout.arenaEnd, 0);
    this.#setWord(offset + layout.status, status.done);
  }

  #address(offset: number): number {
    return addressOf(this.#control) + offset;
  }

  #word(offset: number): number {
    return this.#scope.memory.uint32[this.#address(offset) >>> 2]!;
  }

  #setWord(offset: number, value: number): void {
    this.#scope.memory.uint32[this.#address(offset) >>> 2] = value;
  }
}

function frequentOf(
  scope: MemoryScope,
  kernels: Kernels,
  { keepsFrequent = false, slotsMax, keyType, accumulators }: GroupTableOptions,
): FrequentGroups | null {
  if (!keepsFrequent || slotsMax === undefined || slotsMax > sliceSlots) return null;
  const counts = accumulators.findIndex((spec) => spec.function.startsWith('count'));
  if (counts < 0) return null;
  return new FrequentGroups(scope, kernels, {
    offset: 24 + 8 * counts,
    isUtf8: keyType === 'utf8',
  });
}

/** The kernel of an accumulator; null for the counts, which are called differently. */
function accumulateOf(kernels: Kernels, spec: AccumulatorSpec): Accumulate | null {
  const isInt64 = spec.type === 'int64';
  switch (spec.function) {
    case 'sum':
      return isInt64 ? kernels.accumulateSumInt64 : kernels.accumulateSumFloat64;
    case 'min':
      return isInt64 ? kernels.accumulateMinInt64 : kernels.accumulateMinFloat64;
    case 'max':
      return isInt64 ? kernels.accumulateMaxInt64 : kernels.accumulateMaxFloat64;
    default:
      return null;
  }
}
