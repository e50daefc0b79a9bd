/**
 * Hands out the splits of a source, one at a time, to whichever task asks: a task on a slow thread
 * gets fewer of them, and nobody waits for a share that was fixed at the start.
 */
import type { Split } from '../../engine/contracts/source.ts';

export class SplitAssigner {
  readonly #splits: readonly Split[];
  #next = 0;

  constructor(splits: readonly Split[]) {
    this.#splits = splits;
  }

  /** The next split, or null when all are given out. */
  next(): Split | null {
    return this.#splits[this.#next++] ?? null;
  }
}
