/**
 * The fence of a receiver: remembers the newest term and epoch it has seen and refuses older ones.
 * A sender cannot fence itself: it may be paused between its check and its write, so only the
 * receiver's memory stops a leader or an attempt that was replaced. Kept per receiver, not on disk:
 * what must hold across restarts is stored by the receiver with what the number protects.
 */
import { staleEpochError } from './rpc-error.ts';

export class EpochFence {
  #term = 0;
  #epoch = 0;

  /** @throws RPC_STALE_EPOCH when a newer number of either kind has been seen. */
  admit(numbers: { readonly term?: number; readonly epoch?: number }): void {
    const { term, epoch } = numbers;
    if (term !== undefined && term < this.#term) throw staleEpochError('term', term, this.#term);
    // An epoch counts within its term only after the term has passed.
    if (epoch !== undefined && epoch < this.#epoch) {
      throw staleEpochError('epoch', epoch, this.#epoch);
    }
    this.#term = Math.max(this.#term, term ?? 0);
    this.#epoch = Math.max(this.#epoch, epoch ?? 0);
  }
}
