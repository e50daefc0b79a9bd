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
  #pending: Batch[] = [];

  constructor(context: OperatorContext, { input, pairs, map }: MapOperatorOptions) {
    const { scope } = context;
    this.#builder = new BatchBuilder(scope, pairs);
    this.#pacer = new RowPacer(context.shouldYield);
    this.#driver = mapDriver({
      operator: context.name,
      memory: scope.memory,
      builder: this.#builder,
      overflow: () => this.#pending.push(this.#builder.build()),
      input,
      pairs,
      map,
    });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    const { rowCount } = batch;
    let row = fromRow;
    while (row < rowCount) {
      if (!this.#flush(outbox)) return row;
      row = this.#driver.run(batch, row, Math.min(row + this.#pacer.rows, rowCount));
      if (this.#builder.isFull) this.#pending.push(this.#builder.build());
      if (this.#pacer.isOver()) break;
    }
    return row;
  }

  finish(outbox: Outbox): boolean {
    if (this.#builder.rowCount > 0) this.#pending.push(this.#builder.build());
    return this.#flush(outbox);
  }

  close(): void {
    this.#driver.close();
    for (const batch of this.#pending.splice(0)) batch.release();
    this.#builder.discard();
  }

  /** Offers the batches that wait; true when none is left. */
  #flush(outbox: Outbox): boolean {
    while (this.#pending[0] !== undefined) {
      if (!outbox.offer(this.#pending[0])) return false;
      this.#pending.shift();
    }
    return true;
  }
}
