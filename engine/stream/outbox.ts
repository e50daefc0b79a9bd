/**
 * Outboxes: where an operator puts what it made, and the chained form that hands it to the next
 * operator by a direct call.
 *
 *     operator ──offer──▶ ChainedOutbox ──process──▶ next operator ──offer──▶ …
 *                         one pending batch, its position
 *
 * Why one pending batch and no queue: a batch that the next operator could not finish stays here with
 * the row it got to; until it is done, `offer` answers false, and that "full" travels up the chain to
 * the source or the input gate. So a chain holds at most one batch per link, whatever the speeds.
 *
 * Invariants:
 * - A batch is given on exactly once, row ranges ascending and without gaps (asserted).
 * - The reference of the pending batch is released when its last row is done, or by `close`.
 * Before: engine/operators/operator.ts. After: engine/shuffle/channel-writer.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';

export interface Outbox {
  /** Takes the batch over and answers true; or answers false, or throws, and the caller keeps it. */
  offer(batch: Batch): boolean;
}

/** Works on rows of the batch from `fromRow` on and answers the next row, as an operator does. */
export type Process = (batch: Batch, fromRow: number) => number;

export class ChainedOutbox implements Outbox {
  readonly #process: Process;
  #pending: Batch | null = null;
  #position = 0;

  constructor(process: Process) {
    this.#process = process;
  }

  /** The next row of the pending batch; 0 when there is none. */
  get position(): number {
    return this.#position;
  }

  get isEmpty(): boolean {
    return this.#pending === null;
  }

  offer(batch: Batch): boolean {
    if (this.#pending !== null) return false;
    this.#pending = batch;
    this.#position = 0;
    try {
      this.pump();
    } catch (error) {
      this.#pending = null;
      throw error;
    }
    return true;
  }

  /** Goes on with the pending batch; true when nothing is pending any more. */
  pump(): boolean {
    const batch = this.#pending;
    if (batch === null) return true;
    const next = this.#process(batch, this.#position);
    assert(next >= this.#position && next <= batch.rowCount, 'a position only grows, to rowCount');
    this.#position = next;
    if (next < batch.rowCount) return false;
    this.#pending = null;
    this.#position = 0;
    batch.release();
    return true;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
  }
}
