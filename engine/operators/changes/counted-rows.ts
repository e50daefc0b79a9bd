/**
 * Counted rows: tables of rows in which equal ones are one with a weight, an int64 behind their columns, and work over them
 * that is done in parts.
 *
 * Before: engine/operators/changes/running-top-operator.ts · After: engine/operators/aggregate-table.ts
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import type { AggregateTable } from '../aggregate-table.ts';
import type { OperatorContext } from '../operator.ts';

/** A part of the work: changes to give out, or null where it may rest. */
export type Work = Generator<Batch | null, void>;

/** Adds a batch, which it takes over. */
export function* added(table: AggregateTable, batch: Batch): Work {
  try {
    for (let row = 0; row < batch.rowCount; row = table.add(batch, row)) yield null;
  } finally {
    batch.release();
  }
}

/** Reads all groups; `work` gives out what is to be given out of a batch, which it does not own. */
export function* readOut(
  table: AggregateTable,
  read: (table: AggregateTable) => Batch | null,
  work: (batch: Batch) => Work,
): Work {
  while (!table.settle()) yield null;
  table.rewind();
  while (!table.isReadOut) {
    const batch = read(table);
    if (batch === null) {
      yield null;
      continue;
    }
    try {
      yield* work(batch);
      yield null;
    } finally {
      batch.release();
    }
  }
  table.rewind();
}

/** Weights are whole numbers below 2^53. */
export function weightOf(batch: Batch, row: number): number {
  const at = ((batch.columns.at(-1)?.values ?? 0) >>> 2) + batch.storedRowOf(row) * 2;
  const { uint32 } = batch.memory;
  return ((uint32[at + 1] ?? 0) | 0) * 2 ** 32 + (uint32[at] ?? 0);
}

/** The rows whose weight is not 0 then, with it; null for none. The caller still owns the batch. */
export function withWeights(
  { scope }: OperatorContext,
  batch: Batch,
  weigh: (weight: number) => number,
): Batch | null {
  const { uint32 } = scope.memory;
  const { storedRows } = batch;
  const weights = scope.allocate(storedRows * 8);
  const rows = scope.allocate(Math.max(1, batch.rowCount) * 4);
  const [to, selection] = [addressOf(weights), addressOf(rows)];
  let rowCount = 0;
  for (let row = 0; row < batch.rowCount; row++) {
    const weight = weigh(weightOf(batch, row));
    if (weight === 0) continue;
    const stored = batch.storedRowOf(row);
    const at = (to >>> 2) + stored * 2;
    uint32[at] = weight;
    uint32[at + 1] = Math.floor(weight / 2 ** 32);
    uint32[(selection >>> 2) + rowCount++] = stored;
  }
  const blocks = [weights, rows];
  if (rowCount === 0) {
    for (const block of blocks) scope.memory.release(block);
    return null;
  }
  const weight = batch.columns.at(-1);
  assert(weight !== undefined, 'rows have a weight behind them');
  const columns = [...batch.columns.slice(0, -1), { ...weight, values: to, validity: 0 }];
  return batch.derive({ rowCount, selection, columns, blocks });
}

export function negative(context: OperatorContext, batch: Batch): Batch {
  const taken = withWeights(context, batch, (weight) => -weight);
  assert(taken !== null, 'rows that were given out have a weight');
  return taken;
}
