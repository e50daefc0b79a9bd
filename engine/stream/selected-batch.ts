/**
 * A batch of some rows of another: by a selection, which copies nothing, or by a copy where fewer than
 * half of the stored rows are left, since the others would slow every loop behind.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { takeColumn } from './take-column.ts';

export interface SelectedBatchContext {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
}

/** Rows of a batch that stay. */
export interface KeptRows {
  /** `rowCount` ascending u32 of stored rows; taken over, also when this throws. */
  readonly selection: BlockHandle;
  readonly rowCount: number;
}

/** The rows as a batch that the caller owns, the batch itself where all stay; null where none does. */
export function selectedBatch(
  { scope, kernels }: SelectedBatchContext,
  batch: Batch,
  { selection, rowCount }: KeptRows,
): Batch | null {
  if (rowCount === 0 || rowCount === batch.rowCount) {
    scope.memory.release(selection);
    return rowCount === 0 ? null : batch.retain();
  }
  const rows = addressOf(selection);
  if (rowCount * 2 >= batch.storedRows) {
    return batch.derive({ selection: rows, rowCount, blocks: [selection] });
  }
  const blocks: BlockHandle[] = [];
  try {
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

/** `count` rows of a batch from row `from` on, as a batch that the caller owns. */
export function rowsFrom(
  context: SelectedBatchContext,
  batch: Batch,
  { from, count }: { readonly from: number; readonly count: number },
): Batch {
  assert(count > 0, 'some rows are asked for');
  const { memory } = context.scope;
  const selection = context.scope.allocate(count * 4);
  const word = addressOf(selection) >>> 2;
  for (let row = 0; row < count; row++) memory.uint32[word + row] = batch.storedRowOf(from + row);
  const rows = selectedBatch(context, batch, { selection, rowCount: count });
  assert(rows !== null, 'a batch of some rows is one');
  return rows;
}
