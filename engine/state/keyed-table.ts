/**
 * Keyed table: the entries of one state, as base and delta.
 *
 *     write ──▶ delta ──freeze──▶ frozen deltas ──▶ base ──▶ runs on disk      table-layers.ts
 *     read      first             then              then     newest first
 *
 * Why: a checkpoint needs the state as it was at one moment while work goes on. To freeze the delta is to
 * swap two pointers; the frozen ones are what has changed since the last time, and are written beside the work.
 * A deleted key is an entry as well, as long as something older may have the key.
 *
 * Expired entries are not found.
 *
 * Before: engine/state/keyed-state.ts. After: engine/state/table-layers.ts, engine/state/table-view.ts.
 */
import type { Kernels } from '../kernels/kernels.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import {
  deletedSize,
  type EntryKey,
  expiryOf,
  setExpiry,
  valueAddressOf,
  valueSizeIn,
} from './entry-record.ts';
import { EntryTable, touchedRowsMax } from './entry-table.ts';
import { FrozenDelta } from './frozen-delta.ts';
import type { KeyCursor } from './key-cursor.ts';
import type { StateFiles } from './state-files.ts';
import { TableChanges } from './table-changes.ts';
import { type StateClock, TableLayers } from './table-layers.ts';
import { TableView } from './table-view.ts';
import type { UndoLog } from './undo-log.ts';

/** When entries go by themselves. */
export interface TimeToLive {
  readonly afterMs: number;
  /** Whether reading an entry counts as writing it does. */
  readonly isRenewedOnRead: boolean;
}

export interface KeyedTableOptions {
  readonly kernels: Kernels;
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

const touchedHashes = new Uint32Array(touchedRowsMax);

export class KeyedTable {
  /** Bytes of the value that `get` found last. */
  valueSize = 0;
  /** When the entry that `get` found last expires; infinity where entries live for ever. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  /** While true reading renews nothing: somebody looks on. */
  isLookedAt = false;
  readonly #scope: MemoryScope;
  readonly #options: KeyedTableOptions;
  readonly #layers: TableLayers;
  readonly #changes: TableChanges;
  #delta: EntryTable;
  #isLayered = false;
  /** The delta's record of the key that was looked up last, by the version of the cursor. */
  #knownVersion = -1;
  #knownRecord = 0;

  constructor(scope: MemoryScope, options: KeyedTableOptions) {
    const { kernels, ttl, clock, limits, files } = options;
    this.#scope = scope;
    this.#options = options;
    this.#delta = new EntryTable(scope);
    this.#changes = new TableChanges(limits.deltaBytesMax);
    this.#layers = new TableLayers(scope, {
      ...{ kernels, clock, files, expires: ttl !== null, baseBytesMax: limits.baseBytesMax },
    });
  }

  get ttl(): TimeToLive | null {
    return this.#options.ttl;
  }

  /** Bytes in memory. */
  get sizeBytes(): number {
    const frozen = new Set([...this.#layers.frozen, ...this.#changes.deltas]);
    const bytes = this.#delta.sizeBytes + this.#layers.sizeBytes;
    return [...frozen].reduce((sum, { table }) => sum + table.sizeBytes, bytes);
  }

  get runCount(): number {
    return this.#layers.runCount;
  }

  /** The address of the key's value, until the next call; 0 when it has none. */
  get(key: KeyCursor): number {
    let record = this.#find(key);
    const isOlder = record === 0;
    if (isOlder) {
      if (!this.#isLayered) return 0;
      record = this.#layers.find(key);
      if (record === 0) return 0;
    }
    const { memory } = this.#scope;
    const size = valueSizeIn(memory, record);
    if (size === deletedSize) return 0;
    const { ttl, clock } = this.#options;
    if (ttl !== null) {
      if (expiryOf(memory, record) <= clock.nowMs) return 0;
      if (ttl.isRenewedOnRead && !this.isLookedAt) record = this.#renewed(key, record, isOlder);
      this.expiresAtMs = expiryOf(memory, record);
    }
    this.valueSize = size;
    return valueAddressOf(memory, record);
  }

  /**
   * Where the caller writes the key's new value, of `valueSize` bytes.
   *
   * @param expiresAtMs - Of a value that only moves: when it expires. @defaultValue as one that is written now
   * @throws MEMORY_EXHAUSTED
   */
  put(key: KeyCursor, valueSize: number, expiresAtMs = this.#expiry()): number {
    this.#options.undo?.note(this.#delta, key);
    const record = this.#delta.put(key, valueSize, expiresAtMs, this.#find(key));
    this.#knownRecord = record;
    return valueAddressOf(this.#scope.memory, record);
  }

  delete(key: KeyCursor): void {
    this.#options.undo?.note(this.#delta, key);
    this.forget();
    if (this.#isLayered) this.#delta.put(key, deletedSize, Number.POSITIVE_INFINITY);
    else this.#delta.remove(key);
  }

  /** What was written since the last time becomes a frozen delta. */
  freeze(): void {
    const frozen = this.#freezeDelta();
    if (frozen !== null) this.#changes.add(frozen);
  }

  /** Whether `view` can give what has changed since the last view. */
  get knowsChanges(): boolean {
    return this.#changes.isWhole;
  }

  /**
   * The table as it is now, or what has changed since the last view, to be read while work goes on. Its owner closes it,
   * before the table.
   */
  view(of: 'everything' | 'changes'): TableView {
    const frozen = this.#freezeDelta();
    const { deltas } = this.#changes;
    const view =
      of === 'everything'
        ? this.#layers.view()
        : new TableView(
            { scope: this.#scope, kernels: this.#options.kernels },
            { deltas: frozen === null ? deltas : [frozen, ...deltas], below: null },
          );
    this.#changes.restart();
    return view;
  }

  /**
   * Puts an entry of a snapshot in the place of an older one; `deletedSize` deletes it. Answers the address where the caller
   * writes the value. Only before the first call of another kind, and while `work` has nothing to do.
   */
  restore(key: EntryKey, valueSize: number, expiresAtMs: number): number {
    this.#isLayered = true;
    const record = this.#layers.restore(key, valueSize, expiresAtMs);
    return record === 0 ? 0 : valueAddressOf(this.#scope.memory, record);
  }

  /** All of a snapshot has been restored, and it is one to come on top of: what changes from now on is kept. */
  keepChanges(): void {
    this.#changes.restart();
  }

  /** Keeps what was restored within the limits: false asks to be called again. */
  settle(): boolean {
    this.#layers.settle();
    return this.work();
  }

  /** Records may have moved: looks the key up again, whatever its version. */
  forget(): void {
    this.#knownVersion = -1;
  }

  /** Loads what keys with these hashes, u32 at an address, are found by. */
  touch(hashes: number, count: number): void {
    const { uint32 } = this.#scope.memory;
    const first = hashes >>> 2;
    for (let at = 0; at < count; at++) touchedHashes[at] = uint32[first + at]!;
    const left = this.#delta.touch(touchedHashes, count);
    if (this.#isLayered) this.#layers.touch(touchedHashes, left);
  }

  /**
   * Keeps within the limits: freezes a delta that is large enough, does a slice of what is under way.
   * False: there is no room for more until more of it is done; call again.
   */
  maintain(): boolean {
    const isFull = () => this.#delta.sizeBytes > this.#deltaBytesMax;
    if (isFull() && this.#hasRoomBelow) this.freeze();
    if (this.#layers.isBusy) this.#layers.work(isFull());
    return !(isFull() && this.#layers.isBusy);
  }

  /** Does one slice of what is under way; true when nothing is. */
  work(): boolean {
    return this.#layers.work(true);
  }

  close(): void {
    this.#changes.close();
    this.#layers.close();
    this.#delta.clear();
  }

  get #deltaBytesMax(): number {
    const { deltaBytesMax, unmergedBytesMax = 0 } = this.#options.limits;
    if (this.ttl !== null) return deltaBytesMax;
    return Math.max(deltaBytesMax, unmergedBytesMax - this.#layers.baseBytes);
  }

  /** One delta at a time is merged; while a snapshot holds that back, some more wait. */
  get #hasRoomBelow(): boolean {
    const { frozen, isRead } = this.#layers;
    if (frozen.length === 0) return true;
    if (!isRead) return false;
    const { deltaBytesMax, unmergedBytesMax = deltaBytesMax } = this.#options.limits;
    const bytes = frozen.reduce((sum, { table }) => sum + table.sizeBytes, this.#delta.sizeBytes);
    return bytes <= unmergedBytesMax;
  }

  /** Hands the delta down; null when it is empty, or has become the base: the first one has nothing to be merged with. */
  #freezeDelta(): FrozenDelta | null {
    if (this.#delta.entryCount === 0) return null;
    const isFirst = !this.#isLayered && this.#layers.isEmpty && !this.#changes.isWhole;
    const frozen = isFirst ? null : new FrozenDelta(this.#delta);
    if (frozen === null) this.#layers.adopt(this.#delta);
    else this.#layers.push(frozen);
    this.#delta = new EntryTable(this.#scope, frozen?.table ?? null);
    this.#isLayered = true;
    this.forget();
    return frozen;
  }

  #find(key: KeyCursor): number {
    if (key.version === this.#knownVersion) return this.#knownRecord;
    this.#knownRecord = this.#delta.find(key);
    this.#knownVersion = key.version;
    return this.#knownRecord;
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
}
