/**
 * Sort and top: all rows in order, or only the first `count` of them. Output begins when the input
 * has ended; sorting goes on in slices, on disk where memory is short. Equal rows keep the order in which
 * they came.
 */
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import type { OrderColumn } from '../stream/row-order.ts';
import { ExternalSorter } from './external-sorter.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';

export interface SortOperatorOptions {
  readonly schema: Schema;
  readonly order: readonly OrderColumn[];
  /** Rows wanted, 0 or more. @defaultValue all */
  readonly count?: number;
}

export class SortOperator implements Operator {
  readonly #context: OperatorContext;
  /** Null when no row is wanted. */
  #sorter: ExternalSorter | null;
  #isArranged = false;
  #pending: Batch | null = null;

  constructor(context: OperatorContext, { schema, order, count }: SortOperatorOptions) {
    this.#context = context;
    const limit = count === undefined ? {} : { limit: count };
    this.#sorter = count === 0 ? null : new ExternalSorter(context, { schema, order, ...limit });
  }

  process(batch: Batch, fromRow: number): number {
    const isTaken = this.#sorter === null || this.#sorter.offer(batch);
    return isTaken ? batch.rowCount : fromRow;
  }

  finish(outbox: Outbox): boolean {
    const sorter = this.#sorter;
    if (sorter === null) return true;
    while (!this.#isArranged) {
      this.#isArranged = sorter.arrange();
      if (!this.#isArranged && this.#context.shouldYield()) return false;
    }
    for (;;) {
      this.#pending ??= sorter.next();
      if (this.#pending === null) break;
      if (!outbox.offer(this.#pending)) return false;
      this.#pending = null;
      if (this.#context.shouldYield()) return false;
    }
    this.#sorter = null;
    sorter.close();
    return true;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
    const sorter = this.#sorter;
    this.#sorter = null;
    sorter?.close();
  }
}
