/**
 * Which batches belong to transactions that were aborted, for those who want committed records only. The broker
 * tells with each fetch from which offset on a producer's records are to be left out; its marker of the abort,
 * a control batch, is where they end.
 *
 *     aborted   producer 7 from offset 4
 *     batches   0 p7 ✓   2 p9 ✓   4 p7 ✗   6 p9 ✓   7 abort of p7   8 p7 ✓
 */
import type { AbortedTransaction } from './kafka-client.ts';

export class AbortedProducers {
  readonly #coming: AbortedTransaction[];
  readonly #open = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#coming = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Whether the records of a transactional batch are left out; batches are asked of in their order. */
  leavesOut(producerId: number, lastOffset: number): boolean {
    this.#reach(lastOffset);
    return this.#open.has(producerId);
  }

  /** A marker says that the producer's transaction was aborted. */
  end(producerId: number, offset: number): void {
    this.#reach(offset);
    this.#open.delete(producerId);
  }

  #reach(offset: number): void {
    for (let [next] = this.#coming; next && next.firstOffset <= offset; [next] = this.#coming) {
      this.#open.add(next.producerId);
      this.#coming.shift();
    }
  }
}
