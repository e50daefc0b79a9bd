/**
 * Filter: keeps the rows for which a condition is true. It writes a selection and copies nothing,
 * unless fewer than half of the stored rows are left: then the rest would slow every loop behind it,
 * and the rows are copied together.
 *
 * A batch without survivors ends here: downstream operators never see it.
 */
import type { Batch } from '../batch/batch.ts';
import { type RowFilter, rowFilter } from '../compile/row-filter.ts';
import type { Expr } from '../expr/expr.ts';
import { selectedBatch } from '../stream/selected-batch.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';

export class FilterOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #filter: RowFilter;
  readonly #pending = new PendingBatch();

  constructor(context: OperatorContext, predicate: Expr) {
    this.#context = context;
    this.#filter = rowFilter(context, predicate);
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    return this.#pending.offer(outbox, () => this.#select(batch)) ? batch.rowCount : fromRow;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending.close();
    this.#filter.close();
  }

  #select(batch: Batch): Batch | null {
    const { selection, rowCount } = this.#filter.select(batch);
    if (selection === 0) return rowCount === 0 ? null : batch.retain();
    return selectedBatch(this.#context, batch, { selection, rowCount });
  }
}
