/**
 * Limit: the first rows only. Rows are cut by shortening a batch, nothing is copied. Once it has them
 * it says so, and a source in the same task stops reading.
 */
import type { Batch } from '../batch/batch.ts';
import type { Operator, Outbox } from './operator.ts';

export class LimitOperator implements Operator {
  #left: number;
  #pending: Batch | null = null;

  /** @param count - Rows that pass, 0 or more; the others are dropped. */
  constructor(count: number) {
    this.#left = count;
  }

  get hasEnough(): boolean {
    return this.#left === 0;
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (this.#pending === null && this.#left > 0) this.#pending = firstRows(batch, this.#left);
    if (this.#pending !== null && this.#pending.rowCount > 0) {
      const { rowCount } = this.#pending;
      if (!outbox.offer(this.#pending)) return fromRow;
      this.#left -= rowCount;
    } else {
      this.#pending?.release();
    }
    this.#pending = null;
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
  }
}

/** The first `count` rows of the batch; the caller owns the answer. */
function firstRows(batch: Batch, count: number): Batch {
  if (count >= batch.rowCount) return batch.retain();
  return batch.selection === 0
    ? batch.derive({ rowCount: count, storedRows: count })
    : batch.derive({ rowCount: count });
}
