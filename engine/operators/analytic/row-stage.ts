/**
 * Row stages: the parts of an analytic operator, each of which takes sorted rows from the one before it and gives
 * them on with more columns.
 *
 *     sorted rows ─▶ ranks ─▶ lag and lead ─▶ frames by row, by peers, of partitions ─▶ output
 *
 * Rows keep their order. A stage that has to look ahead holds rows back until it knows.
 */
import type { Column } from '../../batch/batch.ts';
import type { MemoryScope } from '../../memory/slot-memory.ts';
import type { Schema } from '../../schema/schema.ts';
import { Rooms } from '../result-column.ts';
import type { SortedBatch } from './segment-marks.ts';

export interface RowStage {
  /** Rows; `more` when the slice may end here; `end` when there are no more. The caller owns them. */
  next(): SortedBatch | 'more' | 'end';
  close(): void;
}

/** Rows with more columns, which `make` puts into rooms. Takes them over, also when it throws. */
export function widened(
  scope: MemoryScope,
  rows: SortedBatch,
  { schema, make }: { readonly schema: Schema; readonly make: (rooms: Rooms) => Column[] },
): SortedBatch {
  const rooms = new Rooms(scope);
  try {
    const { batch } = rows;
    const columns = [...batch.columns, ...make(rooms)];
    return rows.replaced(batch.derive({ schema, columns, blocks: rooms.blocks }));
  } catch (error) {
    rooms.release();
    rows.release();
    throw error;
  }
}
