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
 *
 * Only while a barrier overtakes what is in the chain (engine/task/overtaking.ts) more than one batch may line up.
 * Before: engine/operators/operator.ts. After: engine/shuffle/channel-writer.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import { heldBytesOf } from '../batch/held-blocks.ts';

export interface Outbox {
  /** Takes the batch over and answers true; or answers false, or throws, and the caller keeps it. */
  offer(batch: Batch): boolean;
}

/** Works on rows of the batch from `fromRow` on and answers the next row, as an operator does. */
export type Process = (batch: Batch, fromRow: number) => number;

/** Rows that wait in a chain: those of a batch from a row on. */
export interface WaitingRows {
  readonly batch: Batch;
  readonly fromRow: number;
}

/** What may line up in front of an operator while a barrier overtakes it. */
const overdraftBytesMax = 16 << 20;

export class ChainedOutbox implements Outbox {
  readonly #process: Process;
  #pending: Batch | null = null;
  #position = 0;
  /** Behind the pending one. */
  readonly #more: Batch[] = [];
  #hasOverdraft = false;

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

  /** Whether batches line up behind one that is not finished, up to 16 MiB, and are not worked on. */
  setOverdraft(hasOverdraft: boolean): void {
    this.#hasOverdraft = hasOverdraft;
  }

  /** What the operator has not worked on, in order; the caller owns nothing of it. */
  waiting(): readonly WaitingRows[] {
    if (this.#pending === null) return [];
    const more = this.#more.map((batch) => ({ batch, fromRow: 0 }));
    return [{ batch: this.#pending, fromRow: this.#position }, ...more];
  }

  offer(batch: Batch): boolean {
    if (this.#hasOverdraft) return this.#lineUp(batch);
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
    this.#pending = this.#more.shift() ?? null;
    this.#position = 0;
    batch.release();
    return this.#pending === null;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
    for (const batch of this.#more.splice(0)) batch.release();
  }

  #lineUp(batch: Batch): boolean {
    const held = this.#more.reduce((sum, one) => sum + heldBytesOf(one), 0);
    if (held > overdraftBytesMax) return false;
    if (this.#pending === null) this.#pending = batch;
    else this.#more.push(batch);
    return true;
  }
}
