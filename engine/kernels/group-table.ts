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
 * - Groups are read in stretches of 64 slots from all over the table, so that another table that they are
 *   added to fills evenly. Read from one end to the other they pack its beginning: h18 of TPC-H, 1.5 million
 *   groups on two threads, took 0.5 to 4.6 s that way, by chance, and takes 0.4 to 0.5 s this way.
 * - The order of groups follows from keys, their order of arrival and the table's size: the same
 *   input gives the same output.
 * Not here: types other than utf8 and int64 (`Kernels.widenInt32` and its siblings make them int64),
 * names, batches (engine/operators).
 * Before: engine/kernels/kernels.ts
 */
import { assert } from '../../base/assert.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { AccumulatorSpec } from './accumulators.ts';
import { type ColumnAddress, GroupCells } from './group-cells.ts';
import {
  type FindGroups,
  groupFindOf,
  groupTableLayout as layout,
  groupTableStatus as status,
} from './group-kernels.ts';
import type { GroupColumns, GroupRows, GroupTableOptions } from './group-rows.ts';
import type { Kernels } from './kernels.ts';
import type { KeyForm } from './key-layout.ts';

export type { AccumulatorSpec } from './accumulators.ts';
export type { ColumnAddress } from './group-cells.ts';
export type { GroupColumns, GroupRows, GroupTableOptions } from './group-rows.ts';

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
  #cells: GroupCells;
  #slotsMax: number;
  #bytesMax: number;
  /** Two table descriptions, a result word, and the slot addresses of a chunk. */
  readonly #control: BlockHandle;
  #table: Table;
  #growth: Growth | null = null;
  #arena: BlockHandle[] = [];
  #isFull = false;
  /** Whether there is something to give out. */
  #hasRows = false;
  /** Groups that have a number. */
  #numberedCount = 0;

  /** @throws MEMORY_EXHAUSTED when the first 40 KB or so are refused. */
  constructor(scope: MemoryScope, kernels: Kernels, options: GroupTableOptions) {
    const { isNumbered = false } = options;
    const { slotsMax = Number.POSITIVE_INFINITY, bytesMax = Number.POSITIVE_INFINITY } = options;
    const slotCount = Math.min(options.slotsFirst ?? firstSlotCount, slotsMax);
    assert(
      slotCount >= 64 && Number.isInteger(Math.log2(slotCount)),
      'the most slots are a power of two',
    );
    this.#scope = scope;
    this.#kernels = kernels;
    this.#options = options;
    this.#cells = new GroupCells(kernels, options.accumulators, headBytesOf(options.keyForm));
    this.#stride = this.#cells.slotBytes + 8 * Number(isNumbered);
    this.#find = groupFindOf(kernels, options.keyForm);
    this.#control = scope.allocate(slotsOffset + chunkRows * 4);
    this.#slotsMax = slotsMax;
    this.#bytesMax = bytesMax;
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

  /** A table with `slotsMax` or `bytesMax` has no more room: read the groups, then `clear`. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** The row whose value brought a sum out of range; the table is of no more use then. */
  get overflow(): { readonly accumulator: number; readonly row: number } | null {
    return this.#cells.overflow;
  }

  /** Bytes per group of each column of results: moments have three, the other accumulators one. */
  get resultSizes(): readonly number[] {
    return this.#cells.resultSizes;
  }

  /** Blocks that hold long keys; who keeps views of them retains these. */
  get arenaBlocks(): readonly BlockHandle[] {
    return this.#arena;
  }

  /** What rows are added to from now on: cells of the same sizes, that take other inputs. */
  useAccumulators(accumulators: readonly AccumulatorSpec[]): void {
    const cells = new GroupCells(this.#kernels, accumulators, headBytesOf(this.#options.keyForm));
    assert(cells.slotBytes === this.#cells.slotBytes, 'cells keep their places');
    assert(this.overflow === null, 'no sum has overflowed');
    this.#cells = cells;
  }

  /** Bytes of slots and arena. */
  get sizeBytes(): number {
    const { memory } = this.#scope;
    const tables = [this.#table.block, ...(this.#growth ? [this.#growth.table.block] : [])];
    return [...tables, ...this.#arena].reduce((sum, block) => sum + memory.sizeOf(block), 0);
  }

  /** Whether the table is full because it has all the slots that it may have. */
  get isOutOfSlots(): boolean {
    return this.#isFull && this.#table.slotCount * 2 > this.#slotsMax;
  }

  /** Lets a full table grow to at most `slotsMax` slots, a power of two, instead of being read out. */
  allowSlots(slotsMax: number): void {
    assert(this.#isFull, 'a table that may grow on is full');
    this.#slotsMax = slotsMax;
    this.#isFull = false;
  }

  /** Changes `bytesMax`; a table that has more is full. */
  limitBytes(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    if (this.#hasRows && this.#growth === null && this.sizeBytes > bytesMax) this.#isFull = true;
  }

  /** Lets a full table grow for as long as there is memory. */
  allowAll(): void {
    this.allowSlots(Number.POSITIVE_INFINITY);
    this.#bytesMax = Number.POSITIVE_INFINITY;
  }

  /**
   * Adds rows from `fromRow` on; returns the next row. Short of `rowCount` it says why: `isGrowing`,
   * `isFull` or `overflow`.
   * @throws MEMORY_EXHAUSTED when there is no room to grow and no `slotsMax` is set; rows before the
   * one returned last are then in the table.
   */
  addRows(rows: GroupRows, fromRow: number): number {
    assert(this.#growth === null, 'the table is not growing');
    assert(this.overflow === null, 'no sum has overflowed');
    let row = fromRow;
    // One object for all chunks of a batch.
    const chunk = { slots: 0, count: 0, fromRow, selection: rows.selection };
    while (row < rows.rowCount && !this.#isFull && this.#growth === null) {
      const end = Math.min(row + chunkRows, rows.rowCount);
      const { values, validity } = rows.key;
      const found = this.#find(
        this.#address(0),
        values,
        validity,
        rows.keySelection ?? rows.selection,
        row,
        end,
        this.#address(slotsOffset),
      );
      chunk.slots = this.#address(slotsOffset);
      chunk.count = found;
      chunk.fromRow = row;
      // Without room for texts the groups found stay as they are, and their rows come again.
      if (!this.#hasTextRoom(this.#cells.textRoom(rows.inputs, chunk))) break;
      if (!this.#cells.add(this.#address(0), rows.inputs, chunk)) return this.overflow!.row;
      if (rows.numbering !== undefined) this.#numberRows(rows.numbering, row, found);
      if (rows.arrivals !== undefined) this.#markArrivals(rows, row, found);
      if (found > 0) this.#hasRows = true;
      row += found;
      if (row < end) this.#makeRoom();
    }
    return row;
  }

  /** Address of the slots that `findRows` found. */
  get slotsAt(): number {
    return this.#address(slotsOffset);
  }

  /** Where a slot of a numbered table has 8 bytes for its owner, zero in new slots. */
  get extraOffset(): number {
    return this.#stride - 8;
  }

  /** Address of the description: `groupTableLayout`. */
  get description(): number {
    return this.#address(0);
  }

  /**
   * Finds the slots of up to 1,024 rows from `fromRow` on, and makes those that are not there; answers how many.
   * They hold until the table has grown: short of 1,024 it may be growing.
   */
  findRows(rows: GroupRows, fromRow: number): number {
    assert(this.#growth === null, 'the table is not growing');
    const { key, keySelection = rows.selection, rowCount } = rows;
    const end = Math.min(fromRow + chunkRows, rowCount);
    const place = [key.values, key.validity, keySelection, fromRow, end] as const;
    const found = this.#find(this.#address(0), ...place, this.slotsAt);
    if (found > 0) this.#hasRows = true;
    if (fromRow + found < end) this.#makeRoom();
    return found;
  }

  /** Makes room for texts of so many bytes, of a table without limits. */
  makeTextRoom(sizeBytes: number): void {
    if (sizeBytes > 0) this.#hasTextRoom(sizeBytes);
  }

  /** Writes the keys of records with a slot's head, behind the `rowCount` written before, a multiple of 64. */
  gatherKeys(records: number, count: number, rowCount: number, key: ColumnAddress): void {
    const kernels = this.#kernels;
    const { keyForm } = this.#options;
    if (keyForm === 'int64') kernels.gather8(records, count, 8, key.values + rowCount * 8);
    else if (keyForm === 'view') kernels.gatherViews(records, count, key.values + rowCount * 16);
    else kernels.gather16(records, count, 8, key.values + rowCount * 16);
    if (key.validity !== 0) {
      kernels.gatherFlags(records, count, 4, 1, 1, key.validity + (rowCount >>> 3));
    }
  }

  /** Writes chunk rows of groups behind the `rowCount` written before. */
  gatherGroups(at: number, count: number, rowCount: number, { key, results }: GroupColumns): void {
    this.gatherKeys(at, count, rowCount, key);
    this.#cells.gather(at, count, rowCount, results);
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
   * Writes up to `rowsMax` (at most 8,192) groups, looking at 64 Ki slots.
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
        slots,
        wanted,
        result,
      );
      this.gatherGroups(slots, found, rowCount, out);
      rowCount += found;
      slot = this.#scope.memory.uint32[result >>> 2]!;
      if (found < wanted) break;
    }
    return { rowCount, nextSlot: slot };
  }

  /** Forgets all groups, and the arena; the size of the table stays. */
  clear(): void {
    const { memory } = this.#scope;
    this.#isFull = false;
    const start = addressOf(this.#table.block);
    memory.bytes.fill(0, start, start + this.#table.slotCount * this.#stride);
    this.#releaseArena();
    this.#hasRows = false;
    this.#numberedCount = 0;
    this.#describe(0, this.#table);
  }

  /** Releases all memory; call once. */
  close(): void {
    const { memory } = this.#scope;
    this.#releaseArena();
    if (this.#growth !== null) memory.release(this.#growth.table.block);
    memory.release(this.#table.block);
    memory.release(this.#control);
  }

  /** Whether the arena has room for texts of so many bytes; makes it, or the table is full. */
  #hasTextRoom(sizeBytes: number): boolean {
    if (sizeBytes <= this.#word(layout.arenaEnd) - this.#word(layout.arena)) return true;
    // Few of the texts are kept in the end: in a larger block the next rows find room as well.
    const wantedBytes = Math.min(sizeBytes * 2, sizeBytes + arenaBytesMax);
    const wanted = this.#isWithin(wantedBytes) ? this.#scope.tryAllocate(wantedBytes) : 0;
    if (wanted === 0) return this.#addArena(sizeBytes);
    this.#useArena(wanted);
    return true;
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

  /** Sets the bits of rows that made a group. */
  #markArrivals({ arrivals = 0, selection }: GroupRows, row: number, count: number): void {
    const slots = this.#address(slotsOffset);
    const offset = this.#stride - 8;
    this.#kernels.markArrivals(slots, count, offset, selection, row, arrivals);
  }

  /** After a find that stopped short: begins to grow, adds to the arena, or is full. */
  #makeRoom(): void {
    if (this.#word(layout.status) === status.arenaFull) {
      this.#addArena(this.#word(layout.bytesNeeded));
    } else {
      this.#beginGrowth();
    }
  }

  #releaseArena(): void {
    for (const block of this.#arena) this.#scope.memory.release(block);
    this.#arena = [];
  }

  /** Goes on in a block with at least `neededBytes`; false when there is none, and the table is full. */
  #addArena(neededBytes: number): boolean {
    const usual = Math.min(firstArenaBytes << Math.min(this.#arena.length, 5), arenaBytesMax);
    const sizeBytes = Math.max(usual, neededBytes);
    const block = this.#allocate(sizeBytes);
    if (block === 0) return false;
    this.#useArena(block);
    return true;
  }

  #useArena(block: BlockHandle): void {
    this.#arena.push(block);
    this.#setWord(layout.arena, addressOf(block));
    this.#setWord(layout.arenaEnd, addressOf(block) + this.#scope.memory.sizeOf(block));
  }

  #beginGrowth(): void {
    const slotCount = this.#table.slotCount * 2;
    if (slotCount > this.#slotsMax) {
      this.#isFull = true;
      return;
    }
    const block = this.#allocate(slotCount * this.#stride);
    if (block === 0) return;
    const table = { block, slotCount };
    this.#describe(nextTableOffset, table);
    this.#growth = { table, zeroedSlots: 0, movedSlots: 0 };
  }

  /** A block; or 0, and the table is full, when it has limits and something to give out. */
  #allocate(sizeBytes: number): BlockHandle {
    const mayBeFull = Math.min(this.#slotsMax, this.#bytesMax) !== Number.POSITIVE_INFINITY;
    if (!mayBeFull || !this.#hasRows) return this.#scope.allocate(sizeBytes);
    const block = this.#isWithin(sizeBytes) ? this.#scope.tryAllocate(sizeBytes) : 0;
    this.#isFull = block === 0;
    return block;
  }

  #isWithin(sizeBytes: number): boolean {
    return (
      this.#bytesMax === Number.POSITIVE_INFINITY || this.sizeBytes + sizeBytes <= this.#bytesMax
    );
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

/** Of hash, flags and key. */
function headBytesOf(form: KeyForm): number {
  return form === 'int128' ? 24 : 16;
}
