/**
 * Row function: a user's function over rows, whose output rows fill batches: map, flatMap, and the map
 * of mapReduce. They differ in the driver only.
 *
 * Output rows are collected over input batches until a batch is full, so a function that keeps few
 * rows does not make many tiny batches; `finish` gives out the rest.
 * @see engine/compile/map-row-driver.ts, engine/compile/flat-map-driver.ts, engine/compile/map-driver.ts
 */
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/batch-builder.ts';
import type { RowDriver } from '../compile/compile-driver.ts';
import type { PoisonSink } from '../compile/driver-helper.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { BuiltBatches } from './built-batches.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from './operator.ts';
import { type PoisonRecords, poisonRecordsOf } from './poison-records.ts';
import { RowPacer } from './row-pacer.ts';

/** What a driver is made of, beside the user's function. */
export interface RowFunctionInputs {
  readonly operator: string;
  readonly memory: SlotMemory;
  readonly input: Schema;
  readonly output: Schema;
  readonly builder: BatchBuilder;
  /** Empties a full builder, for functions that can't be stopped in the middle of a row. */
  readonly overflow: () => void;
  readonly poison: PoisonSink | null;
}

export interface RowFunctionOptions {
  readonly input: Schema;
  readonly output: Schema;
  readonly driver: (inputs: RowFunctionInputs) => RowDriver;
}

export class RowFunctionOperator implements Operator {
  readonly #builder: BatchBuilder;
  readonly #driver: RowDriver;
  readonly #pacer: RowPacer;
  readonly #output: BuiltBatches;
  readonly #poison: PoisonRecords | null;

  constructor(context: OperatorContext, { input, output, driver }: RowFunctionOptions) {
    const { scope, name, shouldYield } = context;
    const builder = new BatchBuilder(scope, output);
    const built = new BuiltBatches(builder);
    const overflow = () => built.cut();
    this.#builder = builder;
    this.#output = built;
    this.#pacer = new RowPacer(shouldYield);
    const { memory } = scope;
    const poison = poisonRecordsOf(context);
    this.#poison = poison;
    this.#driver = driver({ operator: name, memory, input, output, builder, overflow, poison });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    const { rowCount } = batch;
    let row = fromRow;
    while (row < rowCount) {
      if (!this.#output.flush(outbox) || this.#poison?.flush() === false) return row;
      row = this.#driver.run(batch, row, Math.min(row + this.#pacer.rows, rowCount));
      if (this.#builder.isFull) this.#output.cut();
      if (this.#pacer.isOver()) break;
    }
    return row;
  }

  /** No watermark overtakes rows that wait for their batch to fill. */
  advance(_timeMs: number, outbox: Outbox): boolean {
    return this.#output.finish(outbox);
  }

  idle(outbox: Outbox): IdleAnswer {
    return this.#output.finish(outbox) ? 'pass' : 'again';
  }

  finish(outbox: Outbox): boolean {
    return this.#output.finish(outbox) && this.#poison?.finish() !== false;
  }

  close(): void {
    this.#driver.close();
    this.#output.close();
    this.#poison?.close();
  }
}
