/**
 * Table layers: what lies below the delta of a keyed table, and the work that moves entries down.
 *
 *     frozen deltas ──merge, in slices──▶ base ──spill, in slices──▶ runs on disk ──compact──▶ one run
 *     newest first                                                   newest first
 *
 * While a snapshot reads the base, entries are merged into key groups that it has read, and into no others; a base that
 * goes to disk stays until it has been read.
 *
 * Expired entries go when they are merged; behind a merge the base is looked through for others.
 *
 * Invariants:
 * - A frozen delta and runs are never written to.
 * - Of several entries of a key the first one in the order of reading counts.
 * - One of merging, sweeping, spilling and compacting is under way at a time.
 *
 * Before: engine/state/keyed-table.ts. After: engine/state/table-view.ts, engine/state/state-run.ts.
 */
import type { Kernels } from '../kernels/kernels.ts';
import { keyGroupCount } from '../keys/key-group.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { deletedSize, type EntryKey, expiryOf, isDeleted, RecordKey } from './entry-record.ts';
import { EntryTable } from './entry-table.ts';
import type { FrozenDelta } from './frozen-delta.ts';
import { RunMerge } from './run-merge.ts';
import { sortedRecords } from './sorted-records.ts';
import type { StateFiles } from './state-files.ts';
import { type StateRun, StateRunWriter } from './state-run.ts';
import { TableView } from './table-view.ts';

/** The time that entries live by. */
export interface StateClock {
  /** Entries that expire at this time or before have expired; never goes back. */
  nowMs: number;
  /** The time that counts for an entry that is written now. */
  writtenAtMs: number;
}

export interface LayerOptions {
  readonly kernels: Kernels;
  readonly clock: StateClock;
  /** Whether entries expire. */
  readonly expires: boolean;
  /** Bytes of the base from which on it is spilled. */
  readonly baseBytesMax: number;
  /** Asked for when the first entries go to disk. */
  readonly files: () => StateFiles;
}

/** More runs than this become one. */
const runsMax = 6;
/** Entries of a slice while there is no room for more, and while there is: rows are worked on between two slices. */
const sliceEntries = 2048;
const smallSliceEntries = 256;
/**
 * Slots of a frozen delta: of some 1,000 entries, below 0.1 ms. It is merged within the rows of a moment, for as long as it
 * waits it is one more place where keys are looked up.
 */
const mergedSlots = 1920;
/** What the kernel needs besides. */
const mergeRoomBytes = 512 + 8;

type Phase = 'idle' | 'merging' | 'sweeping' | 'spilling' | 'compacting';

const forever = Number.POSITIVE_INFINITY;

export class TableLayers {
  readonly #scope: MemoryScope;
  readonly #options: LayerOptions;
  readonly #recordKey = new RecordKey();
  /** Newest first; the last one is being merged. */
  readonly #frozen: FrozenDelta[] = [];
  #base: EntryTable;
  #runs: StateRun[] = [];
  #phase: Phase = 'idle';
  /** Where merging, sweeping or spilling goes on. */
  #group = 0;
  #slot = 0;
  #sliceEntries = sliceEntries;
  #writer: StateRunWriter | null = null;
  #runMerge: RunMerge | null = null;
  /** Room for the records that a kernel leaves; 0 before the first merge. */
  #left: BlockHandle = 0;
  /** Those that read everything. */
  #views: TableView[] = [];

  constructor(scope: MemoryScope, options: LayerOptions) {
    this.#scope = scope;
    this.#options = options;
    this.#base = new EntryTable(scope);
  }

  /** Bytes in memory, frozen deltas left out. */
  get sizeBytes(): number {
    return this.#runs.reduce((sum, run) => sum + run.heldBytes, this.#base.sizeBytes);
  }

  get baseBytes(): number {
    return this.#base.sizeBytes;
  }

  /** Those that are not merged, newest first. */
  get frozen(): readonly FrozenDelta[] {
    return this.#frozen;
  }

  get runCount(): number {
    return this.#runs.length;
  }

  /** Whether there is work for `work`. */
  get isBusy(): boolean {
    return this.#phase !== 'idle';
  }

  /** Whether a snapshot holds back what would change the base. */
  get isRead(): boolean {
    return this.#views.some(({ readsBase }) => readsBase);
  }

  /** The record of a key; 0 when there is none. */
  find(key: EntryKey): number {
    for (let at = 0; at < this.#frozen.length; at++) {
      const record = this.#frozen[at]!.table.find(key);
      if (record !== 0) return record;
    }
    const record = this.#base.find(key);
    if (record !== 0) return record;
    for (const run of this.#runs) {
      const found = run.find(key);
      if (found !== 0) return found;
    }
    return 0;
  }

  /** Loads what keys with these hashes are found by (engine/state/entry-table.ts). */
  touch(hashes: Uint32Array, count: number): void {
    let left = count;
    for (let at = 0; at < this.#frozen.length; at++) {
      left = this.#frozen[at]!.table.touch(hashes, left);
    }
    this.#base.touch(hashes, left);
  }

  /** Whether nothing has come down so far. */
  get isEmpty(): boolean {
    return this.#frozen.length === 0 && this.#base.entryCount === 0 && this.#runs.length === 0;
  }

  /** Takes a table over that has no deleted entries: it is the base, and nothing is merged. Only while all is empty. */
  adopt(table: EntryTable): void {
    this.#base.clear();
    this.#base = table;
    if (this.#phase === 'idle') this.#beginNext();
  }

  /** Takes a delta over, to be merged. */
  push(delta: FrozenDelta): void {
    this.#frozen.unshift(delta);
    if (this.#phase === 'idle') this.#begin('merging');
  }

  /** All that is here now, to be read while work goes on; its owner closes it. */
  view(): TableView {
    const { nowMs } = this.#options.clock;
    const below = { base: this.#base, runs: this.#runs.slice(), nowMs };
    const context = { scope: this.#scope, kernels: this.#options.kernels };
    const view = new TableView(context, { deltas: this.#frozen, below });
    this.#views = [...this.#views.filter(({ readsBase }) => readsBase), view];
    return view;
  }

  /**
   * Puts an entry of a snapshot in the place of an older one; `deletedSize` deletes it. Answers the record, whose value the
   * caller writes. Only while there is no work.
   */
  restore(key: EntryKey, valueSize: number, expiresAtMs: number): number {
    if (valueSize !== deletedSize) return this.#base.put(key, valueSize, expiresAtMs);
    this.#remove(key);
    return 0;
  }

  /** Behind `restore`: begins to spill a base that is too large. */
  settle(): void {
    if (this.#phase === 'idle') this.#beginNext();
  }

  /** Does one slice of what is under way; true when nothing is. @param isHurried - Rows wait for it. */
  work(isHurried: boolean): boolean {
    this.#sliceEntries = isHurried ? sliceEntries : smallSliceEntries;
    switch (this.#phase) {
      case 'merging':
        this.#merge();
        break;
      case 'sweeping':
        this.#sweep();
        break;
      case 'spilling':
        this.#spill();
        break;
      case 'compacting':
        this.#compact();
        break;
      default:
    }
    return !this.isBusy;
  }

  close(): void {
    for (const view of this.#views) view.close();
    this.#writer?.close();
    this.#runMerge?.close();
    for (const run of this.#runs) run.close();
    this.#runs = [];
    for (const delta of this.#frozen.splice(0)) delta.release();
    this.#base.clear();
    if (this.#left !== 0) this.#scope.memory.release(this.#left);
    this.#left = 0;
  }

  /** Key groups of the base that may be changed: those before it. */
  get #groupEnd(): number {
    return this.#views.reduce(
      (least, { groupsDone }) => Math.min(least, groupsDone),
      keyGroupCount,
    );
  }

  #begin(phase: Phase): void {
    this.#phase = phase;
    this.#group = 0;
    this.#slot = 0;
  }

  /** What comes next when no delta is being merged. */
  #beginNext(): void {
    if (this.#frozen.length > 0) this.#begin('merging');
    else if (this.#base.sizeBytes > this.#options.baseBytesMax) this.#begin('spilling');
    else if (this.#runs.length > runsMax) this.#begin('compacting');
    else this.#begin('idle');
  }

  /** What a kernel leaves are new keys, values that have grown, and entries that are no more. */
  #merge(): void {
    const delta = this.#frozen.at(-1)!;
    const { table } = delta;
    const { nowMs } = this.#options.clock;
    const groupEnd = this.#groupEnd;
    for (let slots = mergedSlots; slots > 0; ) {
      if (this.#group >= groupEnd) {
        if (this.#group === keyGroupCount) this.#endMerge(delta);
        return;
      }
      const count = Math.min(slots, table.slotCountOf(this.#group) - this.#slot);
      if (count > 0) this.#mergeSlots(table, count, nowMs);
      slots -= count;
      if (this.#slot < table.slotCountOf(this.#group)) return;
      this.#group++;
      this.#slot = 0;
    }
  }

  #mergeSlots(table: EntryTable, count: number, nowMs: number): void {
    const { memory } = this.#scope;
    const base = this.#base;
    const key = this.#recordKey;
    if (this.#left === 0) this.#left = this.#scope.allocate(mergedSlots * 4 + mergeRoomBytes);
    const left = addressOf(this.#left);
    const slots = table.slotsAddressOf(this.#group) + this.#slot * 8;
    const into = base.slotsAddressOf(this.#group);
    const mask = base.slotCountOf(this.#group) - 1;
    const { kernels } = this.#options;
    const leftCount = kernels.mergeEntries(slots, count, into, mask, nowMs, left);
    this.#slot += count;
    for (let at = 0; at < leftCount; at++) {
      const record = memory.uint32[(left >>> 2) + at]! * 8;
      key.of(memory, record);
      if (isDeleted(memory, record) || expiryOf(memory, record) <= nowMs) this.#remove(key);
      else base.putImage(key, record);
    }
  }

  #endMerge(delta: FrozenDelta): void {
    this.#frozen.pop();
    delta.release();
    if (this.#options.expires) this.#begin('sweeping');
    else this.#beginNext();
  }

  /** The record at the place where work goes on, which moves behind it; 0 where it can't go on for now, or at the end. */
  #nextRecord(table: EntryTable): number {
    const groupEnd = this.#groupEnd;
    for (; this.#group < groupEnd; this.#group++, this.#slot = 0) {
      const slotCount = table.slotCountOf(this.#group);
      while (this.#slot < slotCount) {
        const record = table.recordAt(this.#group, this.#slot++);
        if (record !== 0) return record;
      }
    }
    return 0;
  }

  /** Takes an entry out of the base, and hides those of runs. */
  #remove(key: EntryKey): void {
    if (this.#runs.length === 0) this.#base.remove(key);
    else this.#base.put(key, deletedSize, forever);
  }

  /** Takes expired entries out of the base. */
  #sweep(): void {
    const { memory } = this.#scope;
    const { nowMs } = this.#options.clock;
    for (let steps = 0; steps < this.#sliceEntries; steps++) {
      const record = this.#nextRecord(this.#base);
      if (record === 0) {
        if (this.#group === keyGroupCount) this.#beginNext();
        return;
      }
      if (expiryOf(memory, record) > nowMs || isDeleted(memory, record)) continue;
      if (this.#runs.length === 0) this.#base.removeAt(this.#group, --this.#slot);
      else this.#base.put(this.#recordKey.of(memory, record), deletedSize, forever);
    }
  }

  /** Writes the base to a new run, a key group or more at a time. */
  #spill(): void {
    const { files } = this.#options;
    this.#writer ??= new StateRunWriter(this.#scope, files(), this.#base.entryCount);
    const { memory } = this.#scope;
    const { nowMs } = this.#options.clock;
    for (
      let entries = 0;
      entries < this.#sliceEntries && this.#group < keyGroupCount;
      this.#group++
    ) {
      for (const record of sortedRecords(memory, this.#base, this.#group)) {
        entries++;
        if (expiryOf(memory, record) <= nowMs && this.#runs.length === 0) continue;
        if (isDeleted(memory, record) && this.#runs.length === 0) continue;
        this.#writer.append(record);
      }
    }
    if (this.#group < keyGroupCount || this.isRead) return;
    this.#runs.unshift(this.#writer.finish());
    this.#writer = null;
    this.#base.clear();
    this.#beginNext();
  }

  #compact(): void {
    const { files, clock } = this.#options;
    this.#runMerge ??= new RunMerge(this.#scope, files(), this.#runs);
    const merged = this.#runMerge.step(this.#sliceEntries, clock.nowMs);
    if (merged === null) return;
    this.#runMerge = null;
    for (const run of this.#runs) run.close();
    this.#runs = [merged];
    this.#beginNext();
  }
}
