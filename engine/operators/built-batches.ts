/**
 * Built batches: the way out of operators whose rows go through a builder. Full batches are cut off
 * and wait here until the outbox takes them, in order; more than one waits only where a function that
 * can't be stopped makes more rows than a batch holds.
 */
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { Outbox } from './operator.ts';

/** How long rows wait for others that fill a batch. */
export const rowsHeldMs = 10;

export class BuiltBatches {
  readonly #builder: BatchBuilder;
  readonly #waiting: Batch[] = [];

  constructor(builder: BatchBuilder) {
    this.#builder = builder;
  }

  /** Whether no row waits. */
  get isEmpty(): boolean {
    return this.#builder.rowCount === 0 && this.#waiting.length === 0;
  }

  /** Puts the builder's rows aside as a batch. */
  cut(): void {
    this.#waiting.push(this.#builder.build());
  }

  /** Offers the batches that wait; true when none is left. */
  flush(outbox: Outbox): boolean {
    for (let batch = this.#waiting[0]; batch !== undefined; batch = this.#waiting[0]) {
      if (!outbox.offer(batch)) return false;
      this.#waiting.shift();
    }
    return true;
  }

  /** Gives out the rest, a partly filled batch included; false asks to be called again. */
  finish(outbox: Outbox): boolean {
    if (this.#builder.rowCount > 0) this.cut();
    return this.flush(outbox);
  }

  /** Releases what waits and what the builder holds. */
  close(): void {
    for (const batch of this.#waiting.splice(0)) batch.release();
    this.#builder.discard();
  }
}
