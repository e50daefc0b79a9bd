/**
 * The reference evaluator over batches: runs a node's meaning (evaluator.ts) row by row, with
 * results in the slot's memory. Only selected rows are evaluated; the first one with an error ends
 * the evaluation.
 */
import { assert } from '../../base/assert.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { fieldIndexOf } from '../schema/schema.ts';
import { valueReaderOf } from './column-values.ts';
import { type Evaluate, evaluatorOf } from './evaluator.ts';
import type { Expr } from './expr.ts';
import { Failure } from './failure.ts';
import { ResultColumn } from './result-column.ts';
import type { Value } from './value.ts';

/** A column that lies beside the batch's own: stored rows, the batch's selection. */
export interface Evaluated {
  readonly column: Column;
  /** What the column needs besides the batch's blocks; the caller's, as `Batch.derive` takes them. */
  readonly blocks: readonly BlockHandle[];
}

/**
 * Evaluates an expression for the rows of a batch.
 *
 * @returns A column with the values of the selected rows; those of the others may be anything.
 * @throws EXPR_OVERFLOW, EXPR_DIVIDE_BY_ZERO, EXPR_CAST naming expression and row; no memory is
 * kept then.
 */
export function evaluateExpr(expr: Expr, batch: Batch, scope: MemoryScope): Evaluated {
  if (expr.kind === 'column') return { column: columnOf(batch, expr.name), blocks: [] };
  const evaluate = evaluatorIn(batch, expr);
  const result = new ResultColumn(scope, expr, batch.storedRows);
  try {
    for (let index = 0; index < batch.rowCount; index++) {
      const row = batch.storedRowOf(index);
      result.set(row, checkedValue(evaluate, row));
    }
    return result.finish();
  } catch (error) {
    result.discard();
    throw error;
  }
}

/** Rows of a batch for which a condition is true. */
export interface SelectedRows {
  /** The block with their stored rows, ascending; 0 when all rows of the batch are, or none is. */
  readonly selection: BlockHandle;
  readonly rowCount: number;
}

/**
 * The rows for which the condition is true; neither false nor null is.
 *
 * @returns The caller owns the block: `batch.derive({ selection: addressOf(block), rowCount,
 * blocks: [block] })`. With `rowCount` that of the batch, the batch itself is the answer.
 * @throws As `evaluateExpr`.
 */
export function selectRows(predicate: Expr, batch: Batch, scope: MemoryScope): SelectedRows {
  const { memory } = scope;
  const evaluate = evaluatorIn(batch, predicate);
  const selection = scope.allocate(batch.rowCount * 4);
  const out = addressOf(selection) >>> 2;
  let rowCount = 0;
  try {
    for (let index = 0; index < batch.rowCount; index++) {
      const row = batch.storedRowOf(index);
      if (checkedValue(evaluate, row) === true) memory.uint32[out + rowCount++] = row;
    }
  } catch (error) {
    memory.release(selection);
    throw error;
  }
  if (rowCount > 0 && rowCount < batch.rowCount) return { selection, rowCount };
  memory.release(selection);
  return { selection: 0, rowCount };
}

function evaluatorIn(batch: Batch, expr: Expr): Evaluate {
  return evaluatorOf(expr, (name) => valueReaderOf(batch.memory, columnOf(batch, name)));
}

function columnOf(batch: Batch, name: string): Column {
  const column = batch.columns[fieldIndexOf(batch.schema, name)];
  assert(column !== undefined, 'an expression reads columns of its input');
  return column;
}

function checkedValue(evaluate: Evaluate, row: number): Value {
  const value = evaluate(row);
  if (value instanceof Failure) throw value.errorIn(row);
  return value;
}
