/**
 * Row function: a user's function over rows, whose output rows fill batches: map, flatMap, and the map
 * of mapReduce. They differ in the driver only.
 *
 * Output rows are collected over input batches until a batch is full, so a function that keeps few
 * rows does not make many tiny batches, but for 10 ms at most: a slow stream may not fill one for hours.
 * @see engine/compile/map-row-driver.ts, engine/compile/flat-map-driver.ts, engine/compile/map-driver.ts
 */
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/batch-builder.ts';
import type { RowDriver } from '../compile/compile-driver.ts';
import type { PoisonSink } from '../compile/driver-helper.ts';
import type { SnapshotWriter } from '../contracts/snapshot.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { BuiltBatches, rowsHeldMs } from './built-batches.ts';
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
  readonly #nowMs: () => number;
  /** Since when rows wait for others that fill a batch; infinity: there are none. */
  #heldSinceMs = Number.POSITIVE_INFINITY;

  constructor(context: OperatorContext, { input, output, driver }: RowFunctionOptions) {
    const { scope, name, shouldYield, nowMs = () => 0 } = context;
    this.#nowMs = nowMs;
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

  get wakeAtMs(): number {
    return this.#heldSinceMs + rowsHeldMs;
  }

  /** A flatMap may be in the midst of the rows that it makes of one. */
  get isStoppable(): boolean {
    return this.#driver.isWithinRow?.() !== true;
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
    if (this.#output.isEmpty) this.#heldSinceMs = Number.POSITIVE_INFINITY;
    else if (this.#heldSinceMs === Number.POSITIVE_INFINITY) this.#heldSinceMs = this.#nowMs();
    return row;
  }

  wake(_nowMs: number, outbox: Outbox): boolean {
    return this.#giveOut(outbox);
  }

  /** No watermark overtakes rows that wait for their batch to fill. */
  advance(_timeMs: number, outbox: Outbox): boolean {
    return this.#giveOut(outbox);
  }

  idle(outbox: Outbox): IdleAnswer {
    return this.#giveOut(outbox) ? 'pass' : 'again';
  }

  /** Rows that wait for others go before the barrier. */
  snapshot(_writer: SnapshotWriter, outbox: Outbox): boolean {
    return this.#giveOut(outbox) && this.#poison?.finish() !== false;
  }

  finish(outbox: Outbox): boolean {
    return this.#output.finish(outbox) && this.#poison?.finish() !== false;
  }

  close(): void {
    this.#driver.close();
    this.#output.close();
    this.#poison?.close();
  }

  /** Gives out the rows so far; false asks to be called again. */
  #giveOut(outbox: Outbox): boolean {
    if (!this.#output.finish(outbox)) return false;
    this.#heldSinceMs = Number.POSITIVE_INFINITY;
    return true;
  }
}
