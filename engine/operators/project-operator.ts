/**
 * Project: a column per expression. A plain column reference shares the input's column; anything else
 * is evaluated into a new one that lies beside it, for the same stored rows and selection.
 */
import { assert } from '../../base/assert.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { evaluateExpr } from '../expr/evaluate.ts';
import type { NamedExpr } from '../expr/expr.ts';
import type { BlockHandle } from '../memory/slot-memory.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';

export interface ProjectOperatorOptions {
  readonly output: Schema;
  /** One per field of the output. */
  readonly columns: readonly NamedExpr[];
}

export class ProjectOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: ProjectOperatorOptions;
  readonly #pending = new PendingBatch();

  constructor(context: OperatorContext, options: ProjectOperatorOptions) {
    this.#context = context;
    this.#options = options;
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
  }

  #project(batch: Batch): Batch {
    const { scope } = this.#context;
    const { output, columns } = this.#options;
    const added: BlockHandle[] = [];
    try {
      const projected = columns.map(({ expr }): Column => {
        if (expr.kind === 'column') {
          const column = batch.columns[fieldIndexOf(batch.schema, expr.name)];
          assert(column !== undefined, 'a projected column is in the input');
          return column;
        }
        const { column, blocks } = evaluateExpr(expr, batch, scope);
        added.push(...blocks);
        return column;
      });
      return batch.derive({ schema: output, columns: projected, blocks: added });
    } catch (error) {
      for (const block of added) scope.memory.release(block);
      throw error;
    }
  }
}
