/**
 * Timer queue: the times at which a user's function wants to be called, each with a key. One timer per key and
 * time: to set it again changes nothing.
 *
 *     entry table   key, time ──▶ live or cancelled, hash of the key       found when set and cancelled
 *     heap          time, record of the table                              the least one first
 *
 * A cancelled timer stays in the heap until its time comes, or until half of the heap is cancelled.
 *
 * Invariants:
 * - Each record of the table is in the heap once.
 * - Timers come in order of time, then of the bytes of their keys.
 * - A snapshot that is being taken is told of each timer before it goes (timer-rows.ts).
 * @see Williams 1964, Algorithm 232: Heapsort
 */
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { entryHeaderBytes, entryWord, RecordKey, valueAddressOf } from './entry-record.ts';
import { EntryTable } from './entry-table.ts';
import type { KeyCursor } from './key-cursor.ts';
import { TimerRows, timerValueBytes, timerWord } from './timer-rows.ts';

const firstCapacity = 64;
/** Fewer cancelled timers than this are left alone. */
const cancelledMin = 1024;

export class TimerQueue {
  /** The time of the timer that `take` gave last. */
  timeMs = Number.NEGATIVE_INFINITY;
  readonly #scope: MemoryScope;
  readonly #table: EntryTable;
  readonly #recordKey = new RecordKey();
  /** Records that a call has changed and what they were before: 1 for live. Null: nobody will undo it. */
  readonly #changes: number[] | null;
  #block: BlockHandle = 0;
  #capacity = 0;
  /** In units of 8 and 4 bytes. */
  #times = 0;
  #records = 0;
  #count = 0;
  #cancelledCount = 0;
  /** Snapshots that have been taken, and the rows of those that are being written. */
  #epoch = 0;
  #snapshots: TimerRows[] = [];

  /** @param canUndo - Whether `undo` will be called. */
  constructor(scope: MemoryScope, canUndo: boolean) {
    this.#scope = scope;
    this.#table = new EntryTable(scope);
    this.#changes = canUndo ? [] : null;
  }

  /** Timers that are set. */
  get count(): number {
    return this.#count - this.#cancelledCount;
  }

  get sizeBytes(): number {
    const heap = this.#block === 0 ? 0 : this.#scope.memory.sizeOf(this.#block);
    return this.#table.sizeBytes + heap;
  }

  /** The least time of a timer that is set; infinity when there is none. */
  get nextMs(): number {
    this.#dropCancelled();
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#scope.memory.float64[this.#times]!;
  }

  /** Sets a timer for the cursor's key. @throws MEMORY_EXHAUSTED */
  set(cursor: KeyCursor, timeMs: number): void {
    const { uint32 } = this.#scope.memory;
    cursor.useTime(timeMs);
    const found = this.#table.find(cursor);
    if (found !== 0) {
      const live = valueAddressOf(this.#scope.memory, found) >>> 2;
      if (uint32[live] === 1) return;
      this.#changes?.push(found, 0);
      uint32[live] = 1;
      uint32[live + timerWord.epoch] = this.#epoch;
      this.#cancelledCount--;
      return;
    }
    if (this.#count === this.#capacity) this.#grow();
    const record = this.#table.put(cursor, timerValueBytes, Number.POSITIVE_INFINITY);
    const value = valueAddressOf(this.#scope.memory, record) >>> 2;
    uint32[value + timerWord.live] = 1;
    uint32[value + timerWord.keyHash] = cursor.keyHash;
    uint32[value + timerWord.epoch] = this.#epoch;
    this.#changes?.push(record, 0);
    this.#siftUp(this.#count++, timeMs, record);
  }

  /** Cancels a timer of the cursor's key; false when it was not set. */
  cancel(cursor: KeyCursor, timeMs: number): boolean {
    cursor.useTime(timeMs);
    const record = this.#table.find(cursor);
    if (record === 0) return false;
    const { uint32 } = this.#scope.memory;
    const live = valueAddressOf(this.#scope.memory, record) >>> 2;
    if (uint32[live] === 0) return false;
    for (const snapshot of this.#snapshots) snapshot.keep(record);
    this.#changes?.push(record, 1);
    uint32[live] = 0;
    this.#cancelledCount++;
    return true;
  }

  /**
   * Takes the first timer if its time has come, and puts its key into the cursor; false when there is none.
   * Also for `nowMs` of infinity.
   */
  take(cursor: KeyCursor, nowMs: number): boolean {
    if (this.nextMs > nowMs || this.#count === 0) return false;
    const { memory } = this.#scope;
    const record = this.#first;
    this.timeMs = memory.float64[this.#times]!;
    const keySize = memory.uint32[(record >>> 2) + entryWord.keySize]!;
    const hash = memory.uint32[(valueAddressOf(memory, record) >>> 2) + timerWord.keyHash]!;
    for (const snapshot of this.#snapshots) snapshot.keep(record);
    cursor.load(record + entryHeaderBytes, keySize, hash);
    this.#removeFirst();
    return true;
  }

  /** Times that are set for the cursor's key, ascending: of a look at one of the key groups. */
  timesOf(cursor: KeyCursor): number[] {
    cursor.useKey();
    const { memory } = this.#scope;
    const { group } = cursor;
    const times: number[] = [];
    for (let slot = this.#table.slotCountOf(group) - 1; slot >= 0; slot--) {
      const record = this.#table.recordAt(group, slot);
      if (record === 0 || !this.#isOfKey(record, cursor)) continue;
      if (memory.uint32[valueAddressOf(memory, record) >>> 2] === 0) continue;
      times.push(memory.view.getFloat64(record + entryHeaderBytes + cursor.keySize, true));
    }
    return times.sort((a, b) => a - b);
  }

  /** The timers that are set now, as rows. Between calls. */
  snapshot(): TimerRows {
    const rows = new TimerRows(this.#scope, this.#table, this.#epoch++);
    this.#snapshots = [...this.#snapshots.filter(({ isClosed }) => !isClosed), rows];
    return rows;
  }

  /** What was set and cancelled stays. */
  commit(): void {
    if (this.#changes !== null) this.#changes.length = 0;
  }

  /** Undoes what was set and cancelled since `commit`. */
  undo(): void {
    const changes = this.#changes ?? [];
    const { memory } = this.#scope;
    for (let at = changes.length - 2; at >= 0; at -= 2) {
      const live = valueAddressOf(memory, changes[at]!) >>> 2;
      const was = changes[at + 1]!;
      this.#cancelledCount += memory.uint32[live]! - was;
      memory.uint32[live] = was;
    }
    this.commit();
  }

  close(): void {
    for (const snapshot of this.#snapshots) snapshot.close();
    this.#table.clear();
    if (this.#block !== 0) this.#scope.memory.release(this.#block);
    this.#block = 0;
  }

  get #first(): number {
    return this.#scope.memory.uint32[this.#records]! * 8;
  }

  /** Takes cancelled timers off the top, and all of them when they are too many. */
  #dropCancelled(): void {
    const { memory } = this.#scope;
    if (this.#cancelledCount === 0) return;
    if (this.#cancelledCount >= cancelledMin && this.#cancelledCount * 2 > this.#count) {
      this.#rebuild();
    }
    while (this.#count > 0 && memory.uint32[valueAddressOf(memory, this.#first) >>> 2] === 0) {
      this.#removeFirst();
      this.#cancelledCount--;
    }
  }

  /** A heap of those that are set. */
  #rebuild(): void {
    const { memory } = this.#scope;
    const { uint32, float64 } = memory;
    const count = this.#count;
    this.#count = 0;
    for (let at = 0; at < count; at++) {
      const record = uint32[this.#records + at]! * 8;
      const timeMs = float64[this.#times + at]!;
      if (uint32[valueAddressOf(memory, record) >>> 2] === 1) {
        this.#siftUp(this.#count++, timeMs, record);
      } else {
        this.#table.remove(this.#recordKey.of(memory, record));
      }
    }
    this.#cancelledCount = 0;
  }

  #removeFirst(): void {
    const { memory } = this.#scope;
    this.#table.remove(this.#recordKey.of(memory, this.#first));
    this.#count--;
    if (this.#count === 0) return;
    const { float64, uint32 } = memory;
    this.#siftDown(float64[this.#times + this.#count]!, uint32[this.#records + this.#count]! * 8);
  }

  #siftUp(place: number, timeMs: number, record: number): void {
    const { float64, uint32 } = this.#scope.memory;
    let at = place;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isBefore(timeMs, record, parent)) break;
      float64[this.#times + at] = float64[this.#times + parent]!;
      uint32[this.#records + at] = uint32[this.#records + parent]!;
      at = parent;
    }
    float64[this.#times + at] = timeMs;
    uint32[this.#records + at] = record / 8;
  }

  #siftDown(timeMs: number, record: number): void {
    const { float64, uint32 } = this.#scope.memory;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= this.#count) break;
      const right = child + 1;
      if (
        right < this.#count &&
        this.#isBefore(float64[this.#times + right]!, uint32[this.#records + right]! * 8, child)
      ) {
        child = right;
      }
      if (this.#isBefore(timeMs, record, child)) break;
      float64[this.#times + at] = float64[this.#times + child]!;
      uint32[this.#records + at] = uint32[this.#records + child]!;
      at = child;
    }
    float64[this.#times + at] = timeMs;
    uint32[this.#records + at] = record / 8;
  }

  /** Whether a timer comes before the one at a place of the heap. */
  #isBefore(timeMs: number, record: number, place: number): boolean {
    const { float64, uint32 } = this.#scope.memory;
    const other = float64[this.#times + place]!;
    if (timeMs !== other) return timeMs < other;
    return this.#isKeyBefore(record, uint32[this.#records + place]! * 8);
  }

  #isOfKey(record: number, { address, keySize }: KeyCursor): boolean {
    const { uint32, bytes } = this.#scope.memory;
    if (uint32[(record >>> 2) + entryWord.keySize] !== keySize) return false;
    const stored = record + entryHeaderBytes;
    for (let at = 0; at < keySize; at++) {
      if (bytes[stored + at] !== bytes[address + at]) return false;
    }
    return true;
  }

  #isKeyBefore(left: number, right: number): boolean {
    const { uint32, bytes } = this.#scope.memory;
    const leftSize = uint32[(left >>> 2) + entryWord.keySize]!;
    const rightSize = uint32[(right >>> 2) + entryWord.keySize]!;
    const common = Math.min(leftSize, rightSize);
    for (let at = entryHeaderBytes; at < entryHeaderBytes + common; at++) {
      const difference = bytes[left + at]! - bytes[right + at]!;
      if (difference !== 0) return difference < 0;
    }
    return leftSize < rightSize;
  }

  #grow(): void {
    const { memory } = this.#scope;
    const capacity = Math.max(firstCapacity, this.#capacity * 2);
    const block = this.#scope.allocate(capacity * 12);
    const times = addressOf(block) / 8;
    const records = addressOf(block) / 4 + capacity * 2;
    memory.float64.copyWithin(times, this.#times, this.#times + this.#count);
    memory.uint32.copyWithin(records, this.#records, this.#records + this.#count);
    if (this.#block !== 0) memory.release(this.#block);
    this.#block = block;
    this.#capacity = capacity;
    this.#times = times;
    this.#records = records;
  }
}
