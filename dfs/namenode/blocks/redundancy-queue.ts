/**
 * Blocks that need a copy, most urgent first; among equals, who waits longest. A block that becomes more or less urgent changes its
 * queue, and is the last of the new one.
 *
 * Blocks of which nothing whole is left are counted here, and never handed out: there is nothing to copy.
 * @see Apache Hadoop HDFS, `LowRedundancyBlocks`
 */
import { type Urgency, urgencies } from './redundancy.ts';

export class RedundancyQueue {
  /** Rows of blocks, in the order of their coming. */
  readonly #waiting: Readonly<Record<Urgency, Set<number>>> = {
    'only-one': new Set(),
    'very-few': new Set(),
    few: new Set(),
    misplaced: new Set(),
    'none-whole': new Set(),
  };

  countOf(urgency: Urgency): number {
    return this.#waiting[urgency].size;
  }

  /** Null: it needs nothing, or is gone. */
  put(blockRow: number, urgency: Urgency | null): void {
    for (const other of urgencies) {
      if (other !== urgency) this.#waiting[other].delete(blockRow);
    }
    if (urgency !== null) this.#waiting[urgency].add(blockRow);
  }

  /** Takes out so many. Whoever can do nothing for one puts it back, behind those that he has not seen. */
  take(countMax: number): number[] {
    const rows: number[] = [];
    for (const urgency of urgencies) {
      if (urgency === 'none-whole') continue;
      for (const row of this.#waiting[urgency]) {
        if (rows.length >= countMax) return rows;
        this.#waiting[urgency].delete(row);
        rows.push(row);
      }
    }
    return rows;
  }
}
