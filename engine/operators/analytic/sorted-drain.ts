/**
 * Sorted drain: what operators over sorted rows do when they have them all. The rows are arranged, then made into
 * batches until there are none; it stops wherever the outbox is full or the slice is over.
 */
import type { Batch } from '../../batch/batch.ts';
import type { OperatorContext, Outbox } from '../operator.ts';
import { PendingBatch } from '../pending-batch.ts';
import type { SortedRows } from './sorted-rows.ts';

export interface SortedDrainOptions {
  readonly sorted: SortedRows;
  /** The next batch to give out; `more` where the rows that it took gave none. */
  readonly make: () => Batch | 'more' | 'end';
}

export class SortedDrain {
  readonly #context: OperatorContext;
  readonly #options: SortedDrainOptions;
  readonly #pending = new PendingBatch();
  #isRunning = false;
  #isArranged = false;
  #isAtEnd = false;

  constructor(context: OperatorContext, options: SortedDrainOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Whether it is on its way: no row may be added before `run` has come to its end. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Works for a slice; true when all was given out, and the rows are forgotten. */
  run(outbox: Outbox): boolean {
    const { sorted } = this.#options;
    this.#isRunning = true;
    while (!this.#isArranged) {
      this.#isArranged = sorted.arrange();
      if (!this.#isArranged && this.#context.shouldYield()) return false;
    }
    while (this.#pending.offer(outbox, () => this.#next())) {
      if (this.#isAtEnd) {
        this.#isRunning = this.#isArranged = this.#isAtEnd = false;
        sorted.clear();
        return true;
      }
      if (this.#context.shouldYield()) return false;
    }
    return false;
  }

  close(): void {
    this.#pending.close();
  }

  #next(): Batch | null {
    const made = this.#options.make();
    this.#isAtEnd = made === 'end';
    return typeof made === 'string' ? null : made;
  }
}
