/**
 * Keyed table: the entries of one state, as base and delta.
 *
 *     write ──▶ delta ──freeze──▶ frozen ──merge, in slices──▶ base ──spill, in slices──▶ runs on disk
 *     read      first             then                         then                       newest first
 *
 * Why: a checkpoint needs the state as it was at one moment while work goes on. To freeze the delta is to
 * swap two pointers; the frozen one is what has changed since the last time, and is written beside the work.
 * A deleted key is an entry as well, as long as something older may have the key.
 *
 * Expired entries are not found, and go when they are merged; a merge looks through the base for others.
 *
 * Invariants:
 * - A frozen delta and runs are never written to.
 * - Of several entries of a key the first one in the order of reading counts.
 * - One of merging, sweeping, spilling and compacting is under way at a time.
 */
import { keyGroupCount } from '../keys/key-group.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import {
  deletedSize,
  type EntryKey,
  expiryOf,
  isDeleted,
  RecordKey,
  setExpiry,
  valueAddressOf,
  valueSizeIn,
} from './entry-record.ts';
import { EntryTable } from './entry-table.ts';
import type { KeyCursor } from './key-cursor.ts';
import { RunMerge } from './run-merge.ts';
import { sortedRecords } from './sorted-records.ts';
import type { StateFiles } from './state-files.ts';
import { type StateRun, StateRunWriter } from './state-run.ts';
import type { UndoLog } from './undo-log.ts';

/** When entries go by themselves. */
export interface TimeToLive {
  readonly afterMs: number;
  /** Whether reading an entry counts as writing it does. */
  readonly isRenewedOnRead: boolean;
}

/** The time that entries live by. */
export interface StateClock {
  /** Entries that expire at this time or before have expired; never goes back. */
  nowMs: number;
  /** The time that counts for an entry that is written now. */
  writtenAtMs: number;
}

export interface KeyedTableOptions {
  readonly ttl: TimeToLive | null;
  readonly clock: StateClock;
  /** Bytes of delta and of base from which on they are frozen, and spilled. */
  readonly limits: TableLimits;
  readonly undo: UndoLog | null;
  /** Asked for when the first entries go to disk. */
  readonly files: () => StateFiles;
}

export interface TableLimits {
  readonly deltaBytesMax: number;
  /**
   * What delta and base may have together before the delta is frozen for its size, where entries live for ever: to merge
   * it earlier only costs. @defaultValue `deltaBytesMax`
   */
  readonly unmergedBytesMax?: number;
  readonly baseBytesMax: number;
}

/** More runs than this become one. */
const runsMax = 6;
/** Entries of a slice: well below a millisecond. */
const sliceEntries = 2048;

type Phase = 'idle' | 'merging' | 'sweeping' | 'spilling' | 'compacting';

export class KeyedTable {
  /** Bytes of the value that `get` found last. */
  valueSize = 0;
  /** While true reading renews nothing: somebody looks on. */
  isLookedAt = false;
  readonly #scope: MemoryScope;
  readonly #options: KeyedTableOptions;
  readonly #recordKey = new RecordKey();
  #delta: EntryTable;
  #frozen: EntryTable;
  readonly #base: EntryTable;
  #runs: StateRun[] = [];
  #phase: Phase = 'idle';
  /** Where merging, sweeping or spilling goes on. */
  #group = 0;
  #slot = 0;
  #writer: StateRunWriter | null = null;
  #runMerge: RunMerge | null = null;
  #isLayered = false;
  /** The delta's record of the key that was looked up last, by the version of the cursor. */
  #knownVersion = -1;
  #knownRecord = 0;

  constructor(scope: MemoryScope, options: KeyedTableOptions) {
    this.#scope = scope;
    this.#options = options;
    this.#delta = new EntryTable(scope);
    this.#frozen = new EntryTable(scope);
    this.#base = new EntryTable(scope);
  }

  get ttl(): TimeToLive | null {
    return this.#options.ttl;
  }

  /** Bytes in memory. */
  get sizeBytes(): number {
    const tables = this.#delta.sizeBytes + this.#frozen.sizeBytes + this.#base.sizeBytes;
    return this.#runs.reduce((sum, run) => sum + run.heldBytes, tables);
  }

  get deltaBytes(): number {
    return this.#delta.sizeBytes;
  }

  /** The delta that was frozen last, until it is merged; empty if there is none. */
  get frozen(): EntryTable {
    return this.#frozen;
  }

  get runCount(): number {
    return this.#runs.length;
  }

  /** Whether there is work for `work`. */
  get isBusy(): boolean {
    return this.#phase !== 'idle';
  }

  /** The address of the key's value, until the next call; 0 when it has none. */
  get(key: KeyCursor): number {
    let record = this.#find(key);
    const isOlder = record === 0;
    if (isOlder) {
      if (!this.#isLayered) return 0;
      record = this.#findBelow(key);
      if (record === 0) return 0;
    }
    const { memory } = this.#scope;
    const size = valueSizeIn(memory, record);
    if (size === deletedSize) return 0;
    const { ttl, clock } = this.#options;
    if (ttl !== null) {
      if (expiryOf(memory, record) <= clock.nowMs) return 0;
      if (ttl.isRenewedOnRead && !this.isLookedAt) record = this.#renewed(key, record, isOlder);
    }
    this.valueSize = size;
    return valueAddressOf(memory, record);
  }

  /** Where the caller writes the key's new value, of `valueSize` bytes. @throws MEMORY_EXHAUSTED */
  put(key: KeyCursor, valueSize: number): number {
    this.#options.undo?.note(this.#delta, key);
    const record = this.#delta.put(key, valueSize, this.#expiry(), this.#find(key));
    this.#knownRecord = record;
    return valueAddressOf(this.#scope.memory, record);
  }

  delete(key: KeyCursor): void {
    this.#options.undo?.note(this.#delta, key);
    this.forget();
    if (this.#isLayered) this.#delta.put(key, deletedSize, Number.POSITIVE_INFINITY);
    else this.#delta.remove(key);
  }

  /** Makes the delta the frozen one; false while there is one already. */
  freeze(): boolean {
    if (this.#frozen.entryCount > 0) return false;
    if (this.#delta.entryCount === 0) return true;
    [this.#delta, this.#frozen] = [this.#frozen, this.#delta];
    this.forget();
    this.#isLayered = true;
    if (this.#phase === 'idle') this.#begin('merging');
    return true;
  }

  /** Records may have moved: looks the key up again, whatever its version. */
  forget(): void {
    this.#knownVersion = -1;
  }

  /** Loads what keys with these hashes are found by. */
  touch(hashes: number, count: number): void {
    this.#delta.touch(hashes, count);
    if (this.#isLayered) this.#base.touch(hashes, count);
  }

  /**
   * Keeps within the limits: freezes a delta that is large enough, does a slice of what is under way.
   * False: there is no room for more until more of it is done; call again.
   */
  maintain(): boolean {
    const isFull = () => this.#delta.sizeBytes > this.#deltaBytesMax;
    if (isFull()) this.freeze();
    if (this.isBusy) this.work();
    return !(isFull() && this.isBusy);
  }

  get #deltaBytesMax(): number {
    const { deltaBytesMax, unmergedBytesMax = 0 } = this.#options.limits;
    if (this.ttl !== null) return deltaBytesMax;
    return Math.max(deltaBytesMax, unmergedBytesMax - this.#base.sizeBytes);
  }

  /** Does one slice of what is under way; true when nothing is. */
  work(): boolean {
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
    this.#writer?.close();
    this.#runMerge?.close();
    for (const run of this.#runs) run.close();
    this.#runs = [];
    for (const table of [this.#delta, this.#frozen, this.#base]) table.clear();
  }

  #find(key: KeyCursor): number {
    if (key.version === this.#knownVersion) return this.#knownRecord;
    this.#knownRecord = this.#delta.find(key);
    this.#knownVersion = key.version;
    return this.#knownRecord;
  }

  #findBelow(key: EntryKey): number {
    const record = this.#frozen.find(key) || this.#base.find(key);
    if (record !== 0) return record;
    for (const run of this.#runs) {
      const found = run.find(key);
      if (found !== 0) return found;
    }
    return 0;
  }

  /** The record of an entry that has been read and lives on. */
  #renewed(key: EntryKey, record: number, isOlder: boolean): number {
    const { memory } = this.#scope;
    let own = record;
    if (isOlder) {
      this.forget();
      this.#options.undo?.note(this.#delta, key);
      this.#delta.putImage(key, record);
      own = this.#delta.find(key);
    }
    setExpiry(memory, own, Math.max(expiryOf(memory, own), this.#expiry()));
    return own;
  }

  #expiry(): number {
    const { ttl, clock } = this.#options;
    if (ttl === null || clock.writtenAtMs === Number.NEGATIVE_INFINITY) {
      return Number.POSITIVE_INFINITY;
    }
    return clock.writtenAtMs + ttl.afterMs;
  }

  #begin(phase: Phase): void {
    this.#phase = phase;
    this.#group = 0;
    this.#slot = 0;
  }

  /** What comes next when no delta is being merged. */
  #beginNext(): void {
    if (this.#frozen.entryCount > 0) this.#begin('merging');
    else if (this.#base.sizeBytes > this.#options.limits.baseBytesMax) this.#begin('spilling');
    else if (this.#runs.length > runsMax) this.#begin('compacting');
    else this.#begin('idle');
  }

  #merge(): void {
    const { memory } = this.#scope;
    const { nowMs } = this.#options.clock;
    const key = this.#recordKey;
    for (let entries = 0; entries < sliceEntries; ) {
      const record = this.#nextRecord(this.#frozen);
      if (record === 0) {
        this.#frozen.clear();
        if (this.#options.ttl !== null) this.#begin('sweeping');
        else this.#beginNext();
        return;
      }
      entries++;
      key.of(memory, record);
      const isGone = isDeleted(memory, record) || expiryOf(memory, record) <= nowMs;
      if (!isGone) this.#base.putImage(key, record);
      else if (this.#runs.length === 0) this.#base.remove(key);
      else this.#base.put(key, deletedSize, Number.POSITIVE_INFINITY);
    }
  }

  /** The record at the place where work goes on, which moves behind it; 0 at the end. */
  #nextRecord(table: EntryTable): number {
    for (; this.#group < keyGroupCount; this.#group++, this.#slot = 0) {
      const slotCount = table.slotCountOf(this.#group);
      while (this.#slot < slotCount) {
        const record = table.recordAt(this.#group, this.#slot++);
        if (record !== 0) return record;
      }
    }
    return 0;
  }

  /** Takes expired entries out of the base. */
  #sweep(): void {
    const { memory } = this.#scope;
    const { nowMs } = this.#options.clock;
    for (let steps = 0; steps < sliceEntries; steps++) {
      const record = this.#nextRecord(this.#base);
      if (record === 0) {
        this.#beginNext();
        return;
      }
      if (expiryOf(memory, record) > nowMs || isDeleted(memory, record)) continue;
      if (this.#runs.length === 0) this.#base.removeAt(this.#group, --this.#slot);
      else
        this.#base.put(this.#recordKey.of(memory, record), deletedSize, Number.POSITIVE_INFINITY);
    }
  }

  /** Writes the base to a new run, a key group or more at a time. */
  #spill(): void {
    const { files } = this.#options;
    this.#writer ??= new StateRunWriter(this.#scope, files(), this.#base.entryCount);
    const { memory } = this.#scope;
    const { nowMs } = this.#options.clock;
    for (let entries = 0; entries < sliceEntries && this.#group < keyGroupCount; this.#group++) {
      for (const record of sortedRecords(memory, this.#base, this.#group)) {
        entries++;
        if (expiryOf(memory, record) <= nowMs && this.#runs.length === 0) continue;
        if (isDeleted(memory, record) && this.#runs.length === 0) continue;
        this.#writer.append(record);
      }
    }
    if (this.#group < keyGroupCount) return;
    this.#runs.unshift(this.#writer.finish());
    this.#writer = null;
    this.#base.clear();
    this.#beginNext();
  }

  #compact(): void {
    const { files, clock } = this.#options;
    this.#runMerge ??= new RunMerge(this.#scope, files(), this.#runs);
    const merged = this.#runMerge.step(sliceEntries, clock.nowMs);
    if (merged === null) return;
    this.#runMerge = null;
    for (const run of this.#runs) run.close();
    this.#runs = [merged];
    this.#beginNext();
  }
}
