/**
 * Map: mapReduce's first part, a user's function that emits pairs.
 *
 * A call cannot be stopped halfway, so full batches are put aside until it returns; more than one
 * waits only when a single row emits more than a batch.
 * @see engine/compile/map-driver.ts
 */
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/batch-builder.ts';
import type { RowDriver } from '../compile/compile-driver.ts';
import { mapDriver } from '../compile/map-driver.ts';
import type { Schema } from '../schema/schema.ts';
import { BuiltBatches } from './built-batches.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { RowPacer } from './row-pacer.ts';

export interface MapOperatorOptions {
  readonly input: Schema;
  /** `key` and `value`. */
  readonly pairs: Schema;
  readonly map: (row: never, emit: (key: unknown, value: unknown) => void) => void;
}

export class MapOperator implements Operator {
  readonly #builder: BatchBuilder;
  readonly #driver: RowDriver;
  readonly #pacer: RowPacer;
  readonly #output: BuiltBatches;

  constructor(context: OperatorContext, { input, pairs, map }: MapOperatorOptions) {
    const { scope } = context;
    this.#builder = new BatchBuilder(scope, pairs);
    this.#output = new BuiltBatches(this.#builder);
    this.#pacer = new RowPacer(context.shouldYield);
    this.#driver = mapDriver({
      operator: context.name,
      memory: scope.memory,
      builder: this.#builder,
      overflow: () => this.#output.cut(),
      input,
      pairs,
      map,
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
