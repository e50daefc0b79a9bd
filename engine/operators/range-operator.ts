/**
 * Range: the last of a chain whose rows go to ranges of an order. Rows pass as they are; what comes at the
 * build side are the boundaries of the ranges, which it gives to whoever sends the rows.
 *
 * Why an operator: the boundaries must be there before the first row is sent, and a task reads its build
 * sides first.
 * After: engine/shuffle/range-partitioner.ts.
 */
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import type { RangePartitioner } from '../shuffle/range-partitioner.ts';
import type { JoinOperator, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';

export interface RangeOperatorOptions {
  /** Of the boundaries. */
  readonly build: Schema;
  /** Of every edge that carries the rows on. */
  readonly partitioners: readonly Pick<RangePartitioner, 'addBoundaries'>[];
}

export class RangeOperator implements JoinOperator {
  readonly #options: RangeOperatorOptions;
  readonly #pending = new PendingBatch();

  constructor(options: RangeOperatorOptions) {
    this.#options = options;
  }

  build(batch: Batch): number {
    const { build, partitioners } = this.#options;
    for (const partitioner of partitioners) partitioner.addBoundaries(batch, build);
    return batch.rowCount;
  }

  buildEnded(): boolean {
    return true;
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    return this.#pending.offer(outbox, () => batch.retain()) ? batch.rowCount : fromRow;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending.close();
  }
}
