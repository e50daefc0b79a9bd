/** Sorted rows: by key fields, for functions that are called key by key; ties in order of arrival. */
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import type { GatheredPairs } from './group-runner.ts';
import type { OperatorContext } from './operator.ts';
import { RowSorter } from './row-sorter.ts';

export class SortedRows implements GatheredPairs {
  readonly #sorter: RowSorter;
  #rowCount = 0;

  /** @param keys - Names of the key fields. */
  constructor(context: OperatorContext, schema: Schema, keys: readonly string[]) {
    const order = keys.map((column) => ({ column, isDescending: false, areNullsFirst: false }));
    this.#sorter = new RowSorter(context, { schema, order });
  }

  /** Rows added since the start or the last `clear`. */
  get rowCount(): number {
    return this.#rowCount;
  }

  add(batch: Batch): void {
    this.#sorter.add(batch);
    this.#rowCount += batch.rowCount;
  }

  arrange(): boolean {
    this.#sorter.seal();
    return this.#sorter.sortSlice();
  }

  /** The next sorted rows, or null at the end. The caller owns the batch. */
  next(): Batch | null {
    return this.#sorter.next();
  }

  clear(): void {
    this.#sorter.clear();
    this.#rowCount = 0;
  }

  close(): void {
    this.#sorter.close();
  }
}
