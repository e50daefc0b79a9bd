/**
 * Project: a column per expression. A plain column reference shares the input's column; anything else
 * is computed into a new one that lies beside it, for the same stored rows and selection.
 */
import { assert } from '../../base/assert.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { type RowProjector, rowProjector } from '../compile/row-projector.ts';
import type { NamedExpr } from '../expr/expr.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';

export interface ProjectOperatorOptions {
  readonly output: Schema;
  /** One per field of the output. */
  readonly columns: readonly NamedExpr[];
}

export class ProjectOperator implements Operator {
  readonly #options: ProjectOperatorOptions;
  readonly #projector: RowProjector;
  readonly #pending = new PendingBatch();

  constructor(context: OperatorContext, options: ProjectOperatorOptions) {
    this.#options = options;
    const exprs = options.columns.map(({ expr }) => expr);
    this.#projector = rowProjector(
      context,
      exprs.filter(({ kind }) => kind !== 'column'),
    );
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    return this.#pending.offer(outbox, () => this.#project(batch)) ? batch.rowCount : fromRow;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending.close();
    this.#projector.close();
  }

  #project(batch: Batch): Batch {
    const { output, columns } = this.#options;
    const { columns: computed, blocks } = this.#projector.project(batch);
    const projected = new Array<Column>(columns.length);
    for (let index = 0, next = 0; index < projected.length; index++) {
      const { expr } = columns[index] as NamedExpr;
      const column =
        expr.kind === 'column'
          ? batch.columns[fieldIndexOf(batch.schema, expr.name)]
          : computed[next++];
      assert(column !== undefined, 'a projected column is in the input, or computed');
      projected[index] = column;
    }
    return batch.derive({ schema: output, columns: projected, blocks });
  }
}
