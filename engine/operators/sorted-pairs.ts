/** Sorted pairs: reduce's, in order of keys; those of one key in order of arrival. */
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import type { GatheredPairs } from './group-runner.ts';
import type { OperatorContext } from './operator.ts';
import { RowSorter } from './row-sorter.ts';

export class SortedPairs implements GatheredPairs {
  readonly #sorter: RowSorter;

  /** @param pairs - Schema of `key` and `value`. */
  constructor(context: OperatorContext, pairs: Schema) {
    const column = pairs.fields[0]?.name ?? 'key';
    const order = [{ column, isDescending: false, areNullsFirst: false }];
    this.#sorter = new RowSorter(context, { schema: pairs, order });
  }

  add(batch: Batch): void {
    this.#sorter.add(batch);
  }

  arrange(): boolean {
    this.#sorter.seal();
    return this.#sorter.sortSlice();
  }

  /** The next sorted pairs, or null at the end. The caller owns the batch. */
  next(): Batch | null {
    return this.#sorter.next();
  }

  clear(): void {
    this.#sorter.clear();
  }

  close(): void {
    this.#sorter.close();
  }
}
