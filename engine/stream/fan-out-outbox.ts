/**
 * Fan-out: one stream given to several outboxes. A batch is counted, not copied: each outbox gets a
 * reference of its own.
 *
 *     offer ─▶ pending batch ─┬─▶ outbox 0   has taken it
 *                             ├─▶ outbox 1   full: asked again by `pump`
 *                             └─▶ outbox 2   has taken it
 *
 * An outbox that is full does not keep the others from the batch, but from the one after it: what is
 * held is bounded by one batch, and no outbox is ahead of another by more.
 *
 * Invariants:
 * - Every outbox gets every batch once, in the same order.
 * - `offer` answers false while an outbox still owes the batch before.
 * Before: engine/task/operator-chain.ts. After: engine/shuffle/channel-writer.ts.
 */
import type { Batch } from '../batch/batch.ts';
import type { Outbox } from './outbox.ts';

export class FanOutOutbox implements Outbox {
  readonly #outboxes: readonly Outbox[];
  #pending: Batch | null = null;
  /** Outboxes that have not taken the pending batch. */
  #owing: Outbox[] = [];

  constructor(outboxes: readonly Outbox[]) {
    this.#outboxes = outboxes;
  }

  offer(batch: Batch): boolean {
    if (!this.pump()) return false;
    this.#pending = batch;
    this.#owing = [...this.#outboxes];
    try {
      this.pump();
    } catch (error) {
      this.#pending = null; // As it was not taken over, the caller keeps it.
      throw error;
    }
    return true;
  }

  /** Offers the pending batch to those that owe it; true when nothing is pending any more. */
  pump(): boolean {
    const batch = this.#pending;
    if (batch === null) return true;
    this.#owing = this.#owing.filter((outbox) => !give(batch, outbox));
    if (this.#owing.length > 0) return false;
    this.#pending = null;
    batch.release();
    return true;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
  }
}

function give(batch: Batch, outbox: Outbox): boolean {
  let isTaken = false;
  batch.retain();
  try {
    isTaken = outbox.offer(batch);
  } finally {
    if (!isTaken) batch.release();
  }
  return isTaken;
}
