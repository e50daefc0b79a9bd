/**
 * Read rows: what a source has read and not given out yet: a batch of rows, and one of records that could not be
 * read. Both are offered until they are taken; nothing more is read before.
 *
 * Before: engine/operators/source-operator.ts, engine/operators/merged-source-operator.ts.
 */
import type { Batch } from '../batch/batch.ts';
import type { SplitReader } from '../contracts/source.ts';
import type { Outbox } from './operator.ts';

export class ReadRows {
  #rows: Batch | null = null;
  #letters: Batch | null = null;
  #rowCount = 0;
  /** Whether the reader may have more letters than were taken. */
  #hasMoreLetters = false;

  /** Whether all that was read has been taken. */
  get isEmpty(): boolean {
    return this.#rows === null && this.#letters === null;
  }

  /** Rows given out so far. */
  get rowCount(): number {
    return this.#rowCount;
  }

  put(rows: Batch): void {
    this.#rows = rows;
  }

  /** Takes what the reader could not read; false when there is nothing. */
  takeLetters(reader: SplitReader): boolean {
    this.#letters = reader.takeDeadLetters?.() ?? null;
    this.#hasMoreLetters = this.#letters !== null;
    return this.#hasMoreLetters;
  }

  /**
   * Whether all that the reader has gone past was given out, so that its position says it all; letters that it still
   * has are taken now, and offered next.
   */
  isUpTo(reader: SplitReader | null): boolean {
    if (!this.isEmpty) return false;
    return !this.#hasMoreLetters || reader === null || !this.takeLetters(reader);
  }

  /**
   * True when nothing is left.
   *
   * @param deadLetters - Null where the reader has none.
   */
  offer(outbox: Outbox, deadLetters: Outbox | null): boolean {
    const areLettersTaken = deadLetters === null || this.#offerLetters(deadLetters);
    return this.#offerRows(outbox) && areLettersTaken;
  }

  close(): void {
    this.#rows?.release();
    this.#rows = null;
    this.#letters?.release();
    this.#letters = null;
  }

  #offerRows(outbox: Outbox): boolean {
    if (this.#rows === null) return true;
    const { rowCount } = this.#rows;
    if (!outbox.offer(this.#rows)) return false;
    this.#rows = null;
    this.#rowCount += rowCount;
    return true;
  }

  #offerLetters(outbox: Outbox): boolean {
    if (this.#letters === null) return true;
    if (!outbox.offer(this.#letters)) return false;
    this.#letters = null;
    return true;
  }
}
