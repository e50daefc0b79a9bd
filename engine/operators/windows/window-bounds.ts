/** Window bounds: groups of a window with its start, and its end, in front of them as columns. */
import type { Batch, Column } from '../../batch/batch.ts';
import { addressOf, type MemoryScope } from '../../memory/slot-memory.ts';
import type { Schema } from '../../schema/schema.ts';

const highUnit = 2 ** 32;

/**
 * The batch with a column of one value for each of `bounds` in front, milliseconds in int64; takes the
 * batch over.
 */
export function withBounds(
  scope: MemoryScope,
  batch: Batch,
  bounds: readonly number[],
  schema: Schema,
): Batch {
  if (bounds.length === 0) return batch;
  const { storedRows } = batch;
  const block = scope.allocate(bounds.length * storedRows * 8);
  const { uint32 } = scope.memory;
  const columns: Column[] = [];
  for (const [index, value] of bounds.entries()) {
    const values = addressOf(block) + index * storedRows * 8;
    const [low, high] = [value >>> 0, Math.floor(value / highUnit) >>> 0];
    const end = (values >>> 2) + storedRows * 2;
    for (let at = values >>> 2; at < end; at += 2) {
      uint32[at] = low;
      uint32[at + 1] = high;
    }
    columns.push({ type: { kind: 'timestamp', unit: 'ms' }, values, validity: 0 });
  }
  const all = batch.derive({ schema, columns: [...columns, ...batch.columns], blocks: [block] });
  batch.release();
  return all;
}
