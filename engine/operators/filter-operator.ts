/**
 * Filter: keeps the rows for which a condition is true. It writes a selection and copies nothing,
 * unless fewer than half of the stored rows are left: then the rest would slow every loop behind it,
 * and the rows are copied together.
 *
 * A batch without survivors ends here: downstream operators never see it.
 */
import type { Batch } from '../batch/batch.ts';
import { selectRows } from '../expr/evaluate.ts';
import type { Expr } from '../expr/expr.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { takeColumn } from '../stream/take-column.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';

export class FilterOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #predicate: Expr;
  readonly #pending = new PendingBatch();

  constructor(context: OperatorContext, predicate: Expr) {
    this.#context = context;
    this.#predicate = predicate;
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    return this.#pending.offer(outbox, () => this.#filter(batch)) ? batch.rowCount : fromRow;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending.close();
  }

  #filter(batch: Batch): Batch | null {
    const { scope } = this.#context;
    const { selection, rowCount } = selectRows(this.#predicate, batch, scope);
    if (rowCount === 0) return null;
    if (selection === 0) return batch.retain();
    if (rowCount * 2 < batch.storedRows) return this.#compact(batch, selection, rowCount);
    return batch.derive({ selection: addressOf(selection), rowCount, blocks: [selection] });
  }

  #compact(batch: Batch, selection: BlockHandle, rowCount: number): Batch {
    const { scope, kernels } = this.#context;
    const blocks: BlockHandle[] = [];
    try {
      const rows = addressOf(selection);
      const target = { scope, kernels, blocks };
      const columns = batch.columns.map((column) => takeColumn(target, column, rows, rowCount));
      return batch.derive({ rowCount, storedRows: rowCount, selection: 0, columns, blocks });
    } catch (error) {
      for (const block of blocks) scope.memory.release(block);
      throw error;
    } finally {
      scope.memory.release(selection);
    }
  }
}
