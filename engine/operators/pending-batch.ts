/**
 * A pending batch: what an operator made of its whole input batch and the outbox has not taken yet.
 * Made once, offered until it is taken; shared by operators that make one batch of each.
 */
import type { Batch } from '../batch/batch.ts';
import type { Outbox } from './operator.ts';

export class PendingBatch {
  #batch: Batch | null = null;

  /**
   * Makes the batch unless one is pending, and offers it. True when it was taken, or when `make`
   * answered null: there is nothing to give out.
   */
  offer(outbox: Outbox, make: () => Batch | null): boolean {
    this.#batch ??= make();
    if (this.#batch !== null && !outbox.offer(this.#batch)) return false;
    this.#batch = null;
    return true;
  }

  close(): void {
    this.#batch?.release();
    this.#batch = null;
  }
}
