/**
 * Flat map: a user's function, each row in, any number of rows out.
 *
 * Output rows are collected over input batches until a batch is full, so a function that keeps few
 * rows does not make many tiny batches; `finish` gives out the rest.
 * @see engine/compile/flat-map-driver.ts
 */
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/batch-builder.ts';
import type { RowDriver } from '../compile/compile-driver.ts';
import { flatMapDriver } from '../compile/flat-map-driver.ts';
import type { Schema } from '../schema/schema.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { RowPacer } from './row-pacer.ts';

export interface FlatMapOperatorOptions {
  readonly input: Schema;
  readonly output: Schema;
  readonly flatMap: (row: never) => Iterable<unknown>;
}

export class FlatMapOperator implements Operator {
  readonly #builder: BatchBuilder;
  readonly #driver: RowDriver;
  readonly #pacer: RowPacer;
  #pending: Batch | null = null;

  constructor(context: OperatorContext, { input, output, flatMap }: FlatMapOperatorOptions) {
    const { scope } = context;
    this.#builder = new BatchBuilder(scope, output);
    this.#pacer = new RowPacer(context.shouldYield);
    this.#driver = flatMapDriver({
      operator: context.name,
      memory: scope.memory,
      builder: this.#builder,
      input,
      output,
      flatMap,
    });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    const { rowCount } = batch;
    let row = fromRow;
    while (row < rowCount) {
      if (!this.#flush(outbox)) return row;
      row = this.#driver.run(batch, row, Math.min(row + this.#pacer.rows, rowCount));
      if (this.#builder.isFull) this.#pending = this.#builder.build();
      if (this.#pacer.isOver()) break;
    }
    return row;
  }

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
  }

  /** Offers the batch that waits; true when none is left. */
  #flush(outbox: Outbox): boolean {
    if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
    this.#pending = null;
    return true;
  }
}
