/**
 * Timer rows: the timers of a queue as rows of a snapshot, as they were at one moment, while others are set, cancelled and
 * fired; and back.
 *
 *     keyGroup  uint32     hash  uint32, of the key     key  binary     timeMs  float64
 *
 * A key group is read in one go. Of those that have not been read, timers that were set later are known by their epoch,
 * and those that go are kept aside before.
 *
 * Names and types are on disk: they are never changed.
 *
 * Before: engine/state/state-snapshot.ts. After: engine/state/timer-queue.ts.
 */
import type { Batch } from '../batch/batch.ts';
import { utf8ViewSize, viewBytesAddress, viewSizeOf } from '../batch/utf8-view.ts';
import type { KeyGroupRange, SnapshotRows } from '../contracts/snapshot.ts';
import { keyGroupCount } from '../keys/key-group.ts';
import { GrowingBlock } from '../memory/growing-block.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import { binaryType, float64Type, uint32Type } from '../schema/field-type.ts';
import { fieldOf, schemaOf } from '../schema/schema.ts';
import {
  copyImage,
  entryHeaderBytes,
  entryWord,
  imageBytesOf,
  valueAddressOf,
} from './entry-record.ts';
import type { EntryTable } from './entry-table.ts';
import type { KeyCursor } from './key-cursor.ts';
import { RowsBuilder } from './rows-builder.ts';

export const timerSchema = schemaOf(
  fieldOf('keyGroup', uint32Type),
  fieldOf('hash', uint32Type),
  fieldOf('key', binaryType),
  fieldOf('timeMs', float64Type),
);
const place = { keyGroup: 0, hash: 1, key: 2, timeMs: 3 } as const;

/** Words of a timer's value in the table. */
export const timerWord = {
  /** 1: set; 0: cancelled. */
  live: 0,
  keyHash: 1,
  /** How many snapshots had been taken when it was set. */
  epoch: 2,
} as const;
export const timerValueBytes = 12;

export class TimerRows implements SnapshotRows {
  readonly #scope: MemoryScope;
  readonly #table: EntryTable;
  readonly #epoch: number;
  /** Timers that went before they were read, as records. */
  readonly #aside: GrowingBlock;
  #asideBytes = 0;
  #asideRead = 0;
  /** Why a timer could not be kept aside. */
  #lost: unknown = null;
  #group = 0;
  #ready: Batch[] = [];
  /** Whether nobody reads it any more. */
  isClosed = false;

  /** @param epoch - Of timers that are set now. */
  constructor(scope: MemoryScope, table: EntryTable, epoch: number) {
    this.#scope = scope;
    this.#table = table;
    this.#epoch = epoch;
    this.#aside = new GrowingBlock(scope);
  }

  /** A timer that is set is about to go. Where it can't be kept the snapshot fails, and not the work. */
  keep(record: number): void {
    const { memory } = this.#scope;
    if (memory.uint32[(record >>> 2) + entryWord.group]! < this.#group) return;
    if (this.#lost !== null || !this.#isThere(record)) return;
    const sizeBytes = imageBytesOf(memory, record);
    try {
      this.#aside.ensure(this.#asideBytes + sizeBytes, this.#asideBytes);
    } catch (error) {
      this.#lost = error;
      return;
    }
    copyImage(memory, record, this.#aside.address + this.#asideBytes);
    this.#asideBytes += sizeBytes;
  }

  /** @throws MEMORY_EXHAUSTED */
  next(): Batch | null {
    if (this.#lost !== null) throw this.#lost;
    for (; this.#ready.length === 0 && this.#group < keyGroupCount; this.#group++)
      this.#readGroup();
    if (this.#ready.length === 0) this.#readAside();
    return this.#ready.shift() ?? null;
  }

  close(): void {
    this.isClosed = true;
    for (const batch of this.#ready.splice(0)) batch.release();
    this.#aside.close();
    this.#asideBytes = 0;
    this.#group = keyGroupCount;
  }

  /** Whether a record is that of a timer of the snapshot. */
  #isThere(record: number): boolean {
    const { memory } = this.#scope;
    const value = valueAddressOf(memory, record) >>> 2;
    const { uint32 } = memory;
    return uint32[value + timerWord.live] === 1 && uint32[value + timerWord.epoch]! <= this.#epoch;
  }

  #readGroup(): void {
    const slotCount = this.#table.slotCountOf(this.#group);
    const records: number[] = [];
    for (let slot = 0; slot < slotCount; slot++) {
      const record = this.#table.recordAt(this.#group, slot);
      if (record !== 0 && this.#isThere(record)) records.push(record);
    }
    for (let from = 0; from < records.length; ) from = this.#build(records, from);
  }

  #readAside(): void {
    const records: number[] = [];
    while (this.#asideRead < this.#asideBytes) {
      const record = this.#aside.address + this.#asideRead;
      records.push(record);
      this.#asideRead += imageBytesOf(this.#scope.memory, record);
    }
    for (let from = 0; from < records.length; ) from = this.#build(records, from);
  }

  /** Makes a batch of records from one on; answers the next one. */
  #build(records: readonly number[], from: number): number {
    const { memory } = this.#scope;
    const { uint32, view } = memory;
    const keySizeOf = (record: number) => uint32[(record >>> 2) + entryWord.keySize]!;
    const builder = new RowsBuilder(this.#scope, timerSchema, keySizeOf(records[from]!));
    let at = from;
    for (; at < records.length; at++) {
      const record = records[at]!;
      const keySize = keySizeOf(record);
      if (!builder.hasRoom(keySize)) break;
      const key = record + entryHeaderBytes;
      const value = valueAddressOf(memory, record) >>> 2;
      builder.putUint32(place.keyGroup, uint32[(record >>> 2) + entryWord.group]!);
      builder.putUint32(place.hash, uint32[value + timerWord.keyHash]!);
      builder.putBytes(place.key, key, keySize);
      builder.putFloat64(place.timeMs, view.getFloat64(key + keySize, true));
      builder.endRow();
    }
    this.#ready.push(builder.finish());
    return at;
  }
}

/** Sets the timers of rows whose key groups are the task's. @throws MEMORY_EXHAUSTED */
export function readTimerRows(
  { columns, rowCount, memory }: Batch,
  { start, end }: KeyGroupRange,
  cursor: KeyCursor,
  set: (timeMs: number) => void,
): void {
  const { uint32, float64 } = memory;
  const [groups, hashes, keys, times] = columns.map((column) => column.values);
  for (let row = 0; row < rowCount; row++) {
    const group = uint32[(groups! >>> 2) + row]!;
    if (group < start || group >= end) continue;
    const view = keys! + row * utf8ViewSize;
    const hash = uint32[(hashes! >>> 2) + row]!;
    cursor.load(viewBytesAddress(memory, view), viewSizeOf(memory, view), hash);
    set(float64[(times! >>> 3) + row]!);
  }
  cursor.leave();
}
