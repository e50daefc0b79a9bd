/**
 * Group runner: what combine and reduce share. Pairs are gathered, sorted by key in slices, and given
 * group by group to the user's function, whose output fills batches.
 *
 *     gathering ──drain──▶ sorting ──▶ groups ──▶ (batches out) ──▶ gathering, empty
 */
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/batch-builder.ts';
import type { GroupDriver, GroupOptions } from '../compile/group-driver.ts';
import type { Schema } from '../schema/schema.ts';
import type { OperatorContext, Outbox } from './operator.ts';
import { RowPacer } from './row-pacer.ts';
import { RowSorter } from './row-sorter.ts';

export interface GroupRunnerOptions {
  /** `key` and `value`. */
  readonly pairs: Schema;
  readonly output: Schema;
  readonly driver: (options: GroupOptions) => GroupDriver;
}

export class GroupRunner {
  readonly #context: OperatorContext;
  readonly #sorter: RowSorter;
  readonly #builder: BatchBuilder;
  readonly #driver: GroupDriver;
  readonly #pacer: RowPacer;
  #isSorted = false;
  #pending: Batch | null = null;

  constructor(context: OperatorContext, { pairs, output, driver }: GroupRunnerOptions) {
    const { scope, name } = context;
    this.#context = context;
    this.#pacer = new RowPacer(context.shouldYield);
    const column = pairs.fields[0]?.name ?? 'key';
    const order = [{ column, isDescending: false, areNullsFirst: false }];
    this.#sorter = new RowSorter(context, { schema: pairs, order });
    this.#builder = new BatchBuilder(scope, output);
    this.#driver = driver({
      operator: name,
      memory: scope.memory,
      pairs,
      output,
      builder: this.#builder,
      nextBatch: () => this.#sorter.next(),
    });
  }

  /** Pairs gathered. */
  get rowCount(): number {
    return this.#sorter.rowCount;
  }

  add(batch: Batch): void {
    this.#sorter.add(batch);
  }

  /** Runs the function over all gathered pairs; false asks to be called again. */
  drain(outbox: Outbox): boolean {
    if (!this.#flush(outbox)) return false;
    if (!this.#sort()) return false;
    for (;;) {
      const outcome = this.#driver.run(this.#pacer.rows);
      if (outcome === 'done') break;
      if (outcome === 'full') {
        this.#pending = this.#builder.build();
        if (!this.#flush(outbox)) return false;
      }
      if (this.#pacer.isOver()) return false;
    }
    this.#sorter.clear();
    this.#isSorted = false;
    return true;
  }

  /** Gives out the rows of the last, partly filled batch; false asks to be called again. */
  finish(outbox: Outbox): boolean {
    if (!this.#flush(outbox)) return false;
    if (this.#builder.rowCount > 0) this.#pending = this.#builder.build();
    return this.#flush(outbox);
  }

  close(): void {
    this.#driver.close();
    this.#pending?.release();
    this.#pending = null;
    this.#builder.discard();
    this.#sorter.close();
  }

  #sort(): boolean {
    if (!this.#isSorted) this.#sorter.seal();
    while (!this.#isSorted) {
      this.#isSorted = this.#sorter.sortSlice();
      if (!this.#isSorted && this.#context.shouldYield()) return false;
    }
    return true;
  }

  #flush(outbox: Outbox): boolean {
    if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
    this.#pending = null;
    return true;
  }
}
