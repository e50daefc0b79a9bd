/**
 * Ingestion time: puts the time of the clock beside the rows that pass, and makes watermarks of the clock.
 *
 *     rows ─▶ rows, ingestedAt 10:00:00.120
 *     clock ────────────────────────────────▶ watermark, every 20 ms, whether rows come or not
 *
 * Windows of such rows are those of processing time: they end when the clock has passed them. Rows get the time of
 * their batch, from a clock that does not fall (engine/time/steady-clock.ts), so none is older than a watermark.
 *
 * Invariant: the time of a row is at least that of the rows and watermarks before it.
 * Before: engine/time/steady-clock.ts. After: engine/task/mark-passage.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import { addressOf } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import type { StreamMark } from '../stream/stream-element.ts';
import { SteadyClock } from '../time/steady-clock.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';
import { latestTimeOf } from './snapshot-notes.ts';

export interface IngestionTimeOptions {
  /** The columns that come in, then the time in milliseconds. */
  readonly output: Schema;
  /** Whether watermarks follow the clock: in streams. */
  readonly makesWatermarks: boolean;
  readonly mono: () => number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

const watermarkIntervalMs = 20;
const highUnit = 2 ** 32;

export class IngestionTimeOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: IngestionTimeOptions;
  readonly #clock: SteadyClock;
  readonly #pending = new PendingBatch();
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #sentMs = Number.NEGATIVE_INFINITY;

  constructor(context: OperatorContext, options: IngestionTimeOptions) {
    this.#context = context;
    this.#options = options;
    this.#clock = new SteadyClock(options);
  }

  get wakeAtMs(): number {
    return this.#options.makesWatermarks
      ? this.#sentAtMs + watermarkIntervalMs
      : Number.POSITIVE_INFINITY;
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    return this.#pending.offer(outbox, () => this.#timed(batch)) ? batch.rowCount : fromRow;
  }

  /** What others promised about the times of other columns. */
  watermarkBehind(): number {
    return Number.NEGATIVE_INFINITY;
  }

  /** The clock goes on though no rows come. */
  idle(): IdleAnswer {
    return 'hold';
  }

  takeMark(nowMs: number): StreamMark | null {
    if (!this.#options.makesWatermarks || nowMs - this.#sentAtMs < watermarkIntervalMs) return null;
    const timeMs = this.#clock.now();
    this.#sentAtMs = nowMs;
    if (timeMs <= this.#sentMs) return null;
    this.#sentMs = timeMs;
    return { kind: 'watermark', timeMs, clock: { atMs: nowMs, perMs: 1 } };
  }

  snapshot(writer: SnapshotWriter): boolean {
    writer.note({ nowMs: this.#clock.now() });
    return true;
  }

  /** No row gets an older time than one before it, though the clock of this machine may be behind. */
  restore(reader: SnapshotReader): boolean {
    this.#clock.setLeast(latestTimeOf(reader, 'nowMs'));
    return true;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending.close();
  }

  #timed(batch: Batch): Batch {
    const { scope } = this.#context;
    const { output } = this.#options;
    const type = output.fields.at(-1)?.type;
    assert(type !== undefined, 'the time is the last of the columns');
    const block = scope.allocate(batch.storedRows * 8);
    const values = addressOf(block);
    const nowMs = this.#clock.now();
    const { uint32 } = scope.memory;
    for (let word = values >>> 2; word < (values >>> 2) + batch.storedRows * 2; word += 2) {
      uint32[word] = nowMs % highUnit;
      uint32[word + 1] = Math.floor(nowMs / highUnit);
    }
    const columns = [...batch.columns, { type, values, validity: 0 }];
    return batch.derive({ schema: output, columns, blocks: [block] });
  }
}
