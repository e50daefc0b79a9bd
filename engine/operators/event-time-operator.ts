/**
 * Event time: looks at the time of the rows that pass, and makes watermarks of it.
 *
 *     rows ──────────────▶ rows, as they are
 *       └─ newest time ─▶ SplitTimes ─▶ watermark, behind the rows
 *
 * A watermark goes out when it has grown and 10 ms have passed since the one before, for each makes the exchange
 * behind it send what it has gathered. Watermarks that come in end here: this operator knows better.
 *
 * A row whose time is far ahead of the wall clock is passed on, but time does not follow it: one bad clock would
 * close all windows. Such rows are counted. A row without a time changes nothing either.
 * Before: engine/time/split-times.ts. After: engine/task/mark-passage.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { EventClock, StreamMark } from '../stream/stream-element.ts';
import type { SplitTimes } from '../time/split-times.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';
import { notesOf, sumOfCounts } from './snapshot-notes.ts';

export interface EventTimeOptions {
  readonly input: Schema;
  /** The time of a row: a timestamp. */
  readonly column: string;
  /** What watermarks follow; a timestamp, or null where a row says nothing. @defaultValue column */
  readonly watermarkColumn?: string;
  readonly outOfOrdernessMs: number;
  /** How far ahead of the wall clock a time may be. */
  readonly futureLimitMs: number;
  readonly times: SplitTimes;
  readonly mono: () => number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

const watermarkIntervalMs = 10;

export class EventTimeOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: EventTimeOptions;
  readonly #column: number;
  readonly #unitsPerMs: number;
  readonly #pending = new PendingBatch();
  /** Where the kernel puts the count of rows too far ahead. */
  readonly #beyond: BlockHandle;
  #hasSeen = false;
  #sentMs = Number.NEGATIVE_INFINITY;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  /** When the row was due that the last watermark followed. */
  #sentDueMs = Number.NEGATIVE_INFINITY;
  #saysIdle = false;
  #futureRowCount = 0;

  constructor(context: OperatorContext, options: EventTimeOptions) {
    this.#context = context;
    this.#options = options;
    this.#column = fieldIndexOf(options.input, options.watermarkColumn ?? options.column);
    const type = options.input.fields[this.#column]?.type;
    assert(type?.kind === 'timestamp', 'event time is a timestamp of the input');
    this.#unitsPerMs = type.unit === 'us' ? 1000 : 1;
    this.#beyond = context.scope.allocate(8);
  }

  get notedRows(): Readonly<Record<string, number>> {
    return { future: this.#futureRowCount };
  }

  /** Rows whose time was too far ahead to be believed. */
  get futureRowCount(): number {
    return this.#futureRowCount;
  }

  get wakeAtMs(): number {
    const { times, mono } = this.#options;
    const hasNews = times.watermark(mono()) > this.#sentMs;
    const nextMs = hasNews ? this.#sentAtMs + watermarkIntervalMs : Number.POSITIVE_INFINITY;
    return this.#saysIdle ? nextMs : Math.min(nextMs, times.idleAtMs);
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (!this.#hasSeen) this.#observe(batch);
    this.#hasSeen = true;
    if (!this.#pending.offer(outbox, () => batch.retain())) return fromRow;
    this.#hasSeen = false;
    return batch.rowCount;
  }

  /** What others promised about the times of other columns. */
  watermarkBehind(): number {
    return Number.NEGATIVE_INFINITY;
  }

  takeMark(nowMs: number): StreamMark | null {
    const { times } = this.#options;
    const timeMs = times.watermark(nowMs);
    if (timeMs > this.#sentMs && nowMs - this.#sentAtMs >= watermarkIntervalMs) {
      const clock = this.#clockAt(timeMs);
      this.#sentMs = timeMs;
      this.#sentAtMs = nowMs;
      this.#saysIdle = false;
      return { kind: 'watermark', timeMs, ...(clock !== null && { clock }) };
    }
    const isIdle = times.isIdle(nowMs);
    if (isIdle === this.#saysIdle) return null;
    this.#saysIdle = isIdle;
    return isIdle ? { kind: 'idle' } : null;
  }

  /** How far each split has come: who goes on reading it begins there. */
  snapshot(writer: SnapshotWriter): boolean {
    writer.note({ future: this.#futureRowCount, splits: this.#options.times.newestBySplit() });
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    this.#futureRowCount = sumOfCounts(reader, 'future');
    for (const { splits } of notesOf(reader)) {
      this.#options.times.goOnFrom(splits as Readonly<Record<string, number>>);
    }
    return true;
  }

  finish(): boolean {
    return true;
  }

  /** When event time came to a watermark: before the row that it follows, which is newer by the out-of-orderness. */
  #clockAt(timeMs: number): EventClock | null {
    const { times, outOfOrdernessMs } = this.#options;
    const dueMs = times.watermarkDueMs;
    const [beforeMs, dueBeforeMs] = [this.#sentMs, this.#sentDueMs];
    this.#sentDueMs = dueMs;
    if (!Number.isFinite(dueMs)) return null;
    const hasBefore = Number.isFinite(dueBeforeMs) && Number.isFinite(beforeMs);
    const perMs = hasBefore ? Math.max(0, dueMs - dueBeforeMs) / (timeMs - beforeMs) : 0;
    return { atMs: dueMs - outOfOrdernessMs * perMs, perMs };
  }

  close(): void {
    this.#pending.close();
    this.#context.scope.memory.release(this.#beyond);
  }

  #observe(batch: Batch): void {
    const column = batch.columns[this.#column];
    if (column === undefined || batch.rowCount === 0) return;
    const { kernels, scope } = this.#context;
    assert(scope.memory === batch.memory, 'a batch is in the memory of its operator');
    const { wall, mono, futureLimitMs, times } = this.#options;
    const limit = (wall() + futureLimitMs) * this.#unitsPerMs;
    const { values, validity } = column;
    const beyond = addressOf(this.#beyond);
    const { selection, rowCount } = batch;
    const newest = kernels.newestMoment(values, validity, selection, rowCount, limit, beyond);
    this.#futureRowCount += scope.memory.uint32[beyond >>> 2] ?? 0;
    if (newest === Number.NEGATIVE_INFINITY) return;
    times.observe(Math.floor(newest / this.#unitsPerMs), mono());
  }
}
