/**
 * Filter rows: keeps the rows for which a user's function is true. It writes a selection and copies
 * nothing, unless fewer than half of the stored rows are left, as the filter of an expression does.
 *
 * The selection of a batch is made over several calls when the function is slow; it goes out when the
 * batch is done. A batch without survivors ends here.
 * @see engine/compile/filter-driver.ts
 */
import type { Batch } from '../batch/batch.ts';
import { type FilterDriver, filterDriver } from '../compile/filter-driver.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { selectedBatch } from '../stream/selected-batch.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';
import { type PoisonRecords, poisonRecordsOf } from './poison-records.ts';
import { RowPacer } from './row-pacer.ts';

export interface FilterRowsOptions {
  readonly input: Schema;
  readonly filter: (row: never) => unknown;
}

export class FilterRowsOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #driver: FilterDriver;
  readonly #pacer: RowPacer;
  readonly #pending = new PendingBatch();
  readonly #poison: PoisonRecords | null;
  /** Rows of the running batch that stay; 0 between batches. */
  #selection: BlockHandle = 0;
  /** The first row that the function has not seen. */
  #nextRow = 0;
  #keptCount = 0;

  constructor(context: OperatorContext, { input, filter }: FilterRowsOptions) {
    const { name, scope, shouldYield } = context;
    this.#context = context;
    this.#pacer = new RowPacer(shouldYield);
    const poison = poisonRecordsOf(context);
    this.#poison = poison;
    this.#driver = filterDriver({ operator: name, memory: scope.memory, input, filter, poison });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    const { rowCount } = batch;
    if (rowCount === 0) return 0;
    if (this.#poison?.flush() === false) return fromRow;
    if (this.#nextRow === 0) {
      this.#selection = this.#context.scope.allocate(rowCount * 4);
      this.#keptCount = 0;
    }
    while (this.#nextRow < rowCount) {
      const toRow = Math.min(this.#nextRow + this.#pacer.rows, rowCount);
      const out = addressOf(this.#selection) + this.#keptCount * 4;
      this.#keptCount += this.#driver.run(batch, this.#nextRow, toRow, out);
      this.#nextRow = toRow;
      if (this.#pacer.isOver() && toRow < rowCount) return toRow;
    }
    // The last row is the position until the outbox has taken what was made.
    if (!this.#pending.offer(outbox, () => this.#kept(batch))) return rowCount - 1;
    this.#nextRow = 0;
    return rowCount;
  }

  /** Dead letters go before the barrier. */
  snapshot(): boolean {
    return this.#poison?.finish() !== false;
  }

  finish(): boolean {
    return this.#poison?.finish() !== false;
  }

  close(): void {
    this.#pending.close();
    this.#poison?.close();
    if (this.#selection !== 0) this.#context.scope.memory.release(this.#selection);
    this.#selection = 0;
  }

  /** The batch of the rows that stay, or null; the selection is given away. */
  #kept(batch: Batch): Batch | null {
    const selection = this.#selection;
    this.#selection = 0;
    return selectedBatch(this.#context, batch, { selection, rowCount: this.#keptCount });
  }
}
