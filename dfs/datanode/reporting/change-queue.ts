/**
 * What has changed about replicas and was not told to the namenode yet: in order, sent again until it is answered, and bounded. Where
 * more has changed than it holds, the whole of it is given up for a full report, which says the same.
 */
import type { ReceivedOrDeleted } from '../../protocol/datanode-protocol.ts';

/** A hundred full calls. */
const changesMax = 400_000;

export class ChangeQueue {
  #changes: ReceivedOrDeleted[] = [];
  /** Sent, and not answered. */
  #sentCount = 0;
  #isOverflown = false;

  /** A full report is due, for changes were given up. */
  get isOverflown(): boolean {
    return this.#isOverflown;
  }

  get length(): number {
    return this.#changes.length;
  }

  add(change: ReceivedOrDeleted): void {
    if (this.#changes.length >= changesMax) {
      this.#changes = [];
      this.#sentCount = 0;
      this.#isOverflown = true;
    }
    this.#changes.push(change);
  }

  /** The oldest changes; the same again until they are answered. */
  take(countMax: number): readonly ReceivedOrDeleted[] {
    if (this.#sentCount === 0) this.#sentCount = Math.min(countMax, this.#changes.length);
    return this.#changes.slice(0, this.#sentCount);
  }

  answered(): void {
    this.#changes.splice(0, this.#sentCount);
    this.#sentCount = 0;
  }

  /** Full reports that are made from now on say all of it. */
  clear(): void {
    this.#changes = [];
    this.#sentCount = 0;
    this.#isOverflown = false;
  }
}
