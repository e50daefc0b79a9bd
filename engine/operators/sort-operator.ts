/**
 * Sort and top: all rows in order, or only the first `count` of them. Output begins when the input
 * has ended; sorting goes on in slices. Equal rows keep the order in which they came.
 */
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import type { OrderColumn } from '../stream/row-order.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { RowSorter } from './row-sorter.ts';

export interface SortOperatorOptions {
  readonly schema: Schema;
  readonly order: readonly OrderColumn[];
  /** Rows wanted, 0 or more. @defaultValue all */
  readonly count?: number;
}

export class SortOperator implements Operator {
  readonly #context: OperatorContext;
  /** Null when no row is wanted. */
  #sorter: RowSorter | null;
  #isSorted = false;
  #pending: Batch | null = null;

  constructor(context: OperatorContext, { schema, order, count }: SortOperatorOptions) {
    this.#context = context;
    const limit = count === undefined ? {} : { limit: count };
    this.#sorter = count === 0 ? null : new RowSorter(context, { schema, order, ...limit });
  }

  process(batch: Batch, fromRow: number): number {
    const sorter = this.#sorter;
    if (sorter === null) return batch.rowCount;
    while (sorter.needsCompaction) {
      if (sorter.sortSlice()) sorter.compact();
      else if (this.#context.shouldYield()) return fromRow;
    }
    sorter.add(batch);
    return batch.rowCount;
  }

  finish(outbox: Outbox): boolean {
    const sorter = this.#sorter;
    if (sorter === null) return true;
    if (!this.#isSorted) sorter.seal();
    while (!this.#isSorted) {
      this.#isSorted = sorter.sortSlice();
      if (!this.#isSorted && this.#context.shouldYield()) return false;
    }
    for (;;) {
      this.#pending ??= sorter.next();
      if (this.#pending === null) break;
      if (!outbox.offer(this.#pending)) return false;
      this.#pending = null;
      if (this.#context.shouldYield()) return false;
    }
    sorter.close();
    this.#sorter = null;
    return true;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
    this.#sorter?.close();
    this.#sorter = null;
  }
}
