/** Operators one behind the other as one, as a task has them, for tests of phases. */
import type { Batch } from '../../../engine/batch/batch.ts';
import type { Operator } from '../../../engine/operators/operator.ts';
import { ChainedOutbox, type Outbox } from '../../../engine/stream/outbox.ts';

export class ChainedOperators implements Operator {
  readonly #first: Operator;
  readonly #second: Operator;
  /** What the first has given out and the second has not finished. */
  readonly #between: ChainedOutbox;
  #outbox: Outbox | null = null;
  #isFirstDone = false;
  /** To the time that the second is told of next. */
  #isFirstAdvanced = false;

  constructor([first, second]: readonly [Operator, Operator]) {
    this.#first = first;
    this.#second = second;
    this.#between = new ChainedOutbox((batch, row) =>
      this.#outbox === null ? row : second.process(batch, row, this.#outbox),
    );
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    this.#outbox = outbox;
    if (!this.#between.pump()) return fromRow;
    return this.#first.process(batch, fromRow, this.#between);
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    this.#outbox = outbox;
    if (!this.#between.pump()) return false;
    this.#isFirstAdvanced ||= this.#first.advance?.(timeMs, this.#between) ?? true;
    if (!this.#isFirstAdvanced || !this.#between.pump()) return false;
    if (this.#second.advance?.(timeMs, outbox) === false) return false;
    this.#isFirstAdvanced = false;
    return true;
  }

  finish(outbox: Outbox): boolean {
    this.#outbox = outbox;
    if (!this.#between.pump()) return false;
    this.#isFirstDone ||= this.#first.finish(this.#between);
    if (!this.#isFirstDone || !this.#between.pump()) return false;
    return this.#second.finish(outbox);
  }

  close(): void {
    this.#between.close();
    this.#first.close();
    this.#second.close();
  }
}
