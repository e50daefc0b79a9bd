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
import { BuiltBatches } from './built-batches.ts';
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
  readonly #output: BuiltBatches;

  constructor(context: OperatorContext, { input, output, flatMap }: FlatMapOperatorOptions) {
    const { scope } = context;
    this.#builder = new BatchBuilder(scope, output);
    this.#output = new BuiltBatches(this.#builder);
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
      if (!this.#output.flush(outbox)) return row;
      row = this.#driver.run(batch, row, Math.min(row + this.#pacer.rows, rowCount));
      if (this.#builder.isFull) this.#output.cut();
      if (this.#pacer.isOver()) break;
    }
    return row;
  }

  finish(outbox: Outbox): boolean {
    return this.#output.finish(outbox);
  }

  close(): void {
    this.#driver.close();
    this.#output.close();
  }
}
