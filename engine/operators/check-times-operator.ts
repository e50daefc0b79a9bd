/**
 * Check of times: rows whose time can't be believed are put aside, before time follows the others.
 *
 *     rows ──▶ time is there, and not too far ahead of the wall clock ──▶ on
 *                └─ else ─▶ the late output, as they came
 *
 * Without it such a row goes on like others, and only watermarks do not follow it
 * (engine/operators/event-time-operator.ts): it would wait in a window that does not end. A batch without such
 * rows, as nearly all are, costs one kernel call.
 *
 * Invariant: each row goes one way, and is counted when it is put aside.
 */
import { assert } from '../../base/assert.ts';
import type { Batch, Column } from '../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { selectedBatch } from '../stream/selected-batch.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { sumOfCounts } from './snapshot-notes.ts';

export interface CheckTimesOptions {
  readonly input: Schema;
  /** The time of a row: a timestamp. */
  readonly column: string;
  /** How far ahead of the wall clock a time may be. */
  readonly futureLimitMs: number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

const highUnit = 2 ** 32;

export class CheckTimesOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: CheckTimesOptions;
  readonly #column: number;
  readonly #unitsPerMs: number;
  /** Where the kernel puts the count of rows too far ahead. */
  readonly #beyond: BlockHandle;
  /** Whether the batch that is worked on is in the two below, or was. */
  #isDivided = false;
  #good: Batch | null = null;
  #bad: Batch | null = null;
  #futureCount = 0;
  #untimedCount = 0;

  constructor(context: OperatorContext, options: CheckTimesOptions) {
    this.#context = context;
    this.#options = options;
    this.#column = fieldIndexOf(options.input, options.column);
    const type = options.input.fields[this.#column]?.type;
    assert(type?.kind === 'timestamp', 'event time is a timestamp of the input');
    this.#unitsPerMs = type.unit === 'us' ? 1000 : 1;
    this.#beyond = context.scope.allocate(8);
  }

  get notedRows(): Readonly<Record<string, number>> {
    return { future: this.#futureCount, untimed: this.#untimedCount };
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (!this.#isDivided) this.#divide(batch);
    this.#isDivided = true;
    if (this.#good !== null && !outbox.offer(this.#good)) return fromRow;
    this.#good = null;
    if (!this.#putAside()) return fromRow;
    this.#isDivided = false;
    return batch.rowCount;
  }

  snapshot(writer: SnapshotWriter): boolean {
    writer.note(this.notedRows);
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    this.#futureCount = sumOfCounts(reader, 'future');
    this.#untimedCount = sumOfCounts(reader, 'untimed');
    return true;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#good?.release();
    this.#bad?.release();
    this.#good = null;
    this.#bad = null;
    this.#context.scope.memory.release(this.#beyond);
  }

  /** False asks to be called again. */
  #putAside(): boolean {
    const { late = null } = this.#context;
    if (this.#bad === null) return true;
    if (late === null) this.#bad.release();
    else if (!late.offer(this.#bad)) return false;
    this.#bad = null;
    return true;
  }

  #divide(batch: Batch): void {
    const column = batch.columns[this.#column];
    assert(column !== undefined, 'the event time is in the batch');
    const { wall, futureLimitMs } = this.#options;
    const limit = (wall() + futureLimitMs) * this.#unitsPerMs;
    const { kernels, scope } = this.#context;
    const { values, validity } = column;
    const { selection, rowCount } = batch;
    const beyond = addressOf(this.#beyond);
    kernels.newestMoment(values, validity, selection, rowCount, limit, beyond);
    const isGood = validity === 0 && scope.memory.uint32[beyond >>> 2] === 0;
    if (isGood) this.#good = batch.retain();
    else this.#divideRows(batch, column, limit);
  }

  #divideRows(batch: Batch, { values, validity }: Column, limit: number): void {
    const { scope } = this.#context;
    const { rowCount } = batch;
    const blocks = [scope.allocate(rowCount * 4), scope.allocate(rowCount * 4)] as const;
    const { bytes, int32, uint32 } = scope.memory;
    const [good, bad] = blocks.map((block) => addressOf(block) >>> 2) as [number, number];
    let [goodCount, badCount, futureCount] = [0, 0, 0];
    for (let index = 0; index < rowCount; index++) {
      const row = batch.selection === 0 ? index : (uint32[(batch.selection >>> 2) + index] ?? 0);
      const isTimed =
        validity === 0 || (((bytes[validity + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 1;
      const at = (values >>> 2) + row * 2;
      const isFuture = isTimed && (int32[at + 1] ?? 0) * highUnit + (uint32[at] ?? 0) > limit;
      if (isTimed && !isFuture) uint32[good + goodCount++] = row;
      else uint32[bad + badCount++] = row;
      if (isFuture) futureCount++;
    }
    this.#futureCount += futureCount;
    this.#untimedCount += badCount - futureCount;
    const [goodRows, badRows] = blocks;
    this.#bad = selectedBatch(this.#context, batch, { selection: badRows, rowCount: badCount });
    this.#good = selectedBatch(this.#context, batch, { selection: goodRows, rowCount: goodCount });
  }
}
