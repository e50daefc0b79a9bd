/**
 * Frozen batches: rows of state that only grows, given to a snapshot as they lie. What is written behind them later is
 * not theirs, and they hold the memory that they are in.
 *
 * After: engine/contracts/snapshot.ts. What changes in place is copied: engine/operators/frozen-rows.ts.
 */
import type { Batch } from '../batch/batch.ts';
import type { SnapshotRows } from '../contracts/snapshot.ts';

export class FrozenBatches implements SnapshotRows {
  readonly #batches: Batch[];

  /** @param batches - Taken over. */
  constructor(batches: readonly Batch[]) {
    this.#batches = batches.filter((batch) => {
      if (batch.rowCount === 0) batch.release();
      return batch.rowCount > 0;
    });
  }

  next(): Batch | null {
    return this.#batches.shift() ?? null;
  }

  close(): void {
    for (const batch of this.#batches.splice(0)) batch.release();
  }
}
