/**
 * The columns of an aggregate between batches and the group table, which knows keys of utf8 and int64
 * and accumulators of int64 and float64 only.
 *
 *     in     up to 4 bytes → int64 or float64 by widening · float key → its bits · the rest as it lies
 *     out    the same way back
 *
 * Scratch columns have room for one batch, are made once, and hold the widened values of the batch
 * that is being added.
 */
import { assert } from '../../base/assert.ts';
import { Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { ColumnAddress, GroupTable } from '../kernels/group-table.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { type Convert, keyBitsOf, narrowOf, widenOf } from '../kernels/widen-kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, layoutOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';

const nowhere: ColumnAddress = { values: 0, validity: 0 };

/** Widens columns of batches into scratch of its own. */
export class WideColumns {
  readonly #scope: MemoryScope;
  readonly #kernels: Kernels;
  readonly #blocks = new Map<number, BlockHandle>();

  constructor(scope: MemoryScope, kernels: Kernels) {
    this.#scope = scope;
    this.#kernels = kernels;
  }

  /** The column as a key: equal keys have equal bytes. */
  key(batch: Batch, index: number): ColumnAddress {
    const column = columnOf(batch, index);
    return this.#widened(batch, column, {
      widen: keyBitsOf(this.#kernels, column.type),
      place: -1,
    });
  }

  /** The column with 8 or 16 bytes per value; an index below 0 is no column. */
  value(batch: Batch, index: number): ColumnAddress {
    if (index < 0) return nowhere;
    const column = columnOf(batch, index);
    return this.#widened(batch, column, {
      widen: widenOf(this.#kernels, column.type),
      place: index,
    });
  }

  close(): void {
    for (const block of this.#blocks.values()) this.#scope.memory.release(block);
    this.#blocks.clear();
  }

  /** The column itself where nothing is to widen; else a scratch column, known by its place. */
  #widened(
    batch: Batch,
    column: Column,
    { widen, place }: { widen: Convert | null; place: number },
  ): ColumnAddress {
    if (widen === null) return column;
    const values = this.#scratch(place);
    widen(column.values, batch.storedRows, values);
    return { values, validity: column.validity };
  }

  #scratch(index: number): number {
    let block = this.#blocks.get(index);
    if (block === undefined) {
      block = this.#scope.allocate(batchRowsMax * 8);
      this.#blocks.set(index, block);
    }
    return addressOf(block);
  }
}

export interface ReadGroupsOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly table: GroupTable;
  /** First the key, then a field per accumulator. */
  readonly schema: Schema;
}

/** The next groups as a batch, or null when this slice of the table has none. */
export function readGroupBatch(
  { scope, kernels, table, schema }: ReadGroupsOptions,
  fromSlot: number,
): { readonly batch: Batch | null; readonly nextSlot: number } {
  const blocks: BlockHandle[] = [];
  const rowsMax = Math.min(batchRowsMax, table.groupCount);
  try {
    const room = (sizeBytes: number) => {
      const block = scope.allocate(sizeBytes);
      blocks.push(block);
      return addressOf(block);
    };
    const wide = schema.fields.map(({ type, nullable }) => ({
      values: room(rowsMax * (layoutOf(type) === 'view' ? 16 : 8)),
      validity: nullable ? room(bitmapSizeOf(rowsMax)) : 0,
    }));
    const [key = nowhere, ...accumulators] = wide;
    const { rowCount, nextSlot } = table.readGroups(fromSlot, rowsMax, { key, accumulators });
    if (rowCount === 0) {
      for (const block of blocks) scope.memory.release(block);
      return { batch: null, nextSlot };
    }
    const columns = schema.fields.map(({ type }, index): Column => {
      const { values, validity } = wide[index] ?? nowhere;
      const narrow = narrowOf(kernels, type);
      if (narrow === null) return { type, validity, values };
      const narrowed = room(valuesSizeOf(type, rowCount));
      narrow(values, rowCount, narrowed);
      return { type, validity, values: narrowed };
    });
    for (const block of table.arenaBlocks) {
      scope.memory.retain(block);
      blocks.push(block);
    }
    return { batch: new Batch(scope.memory, { schema, rowCount, columns, blocks }), nextSlot };
  } catch (error) {
    for (const block of blocks) scope.memory.release(block);
    throw error;
  }
}

function columnOf(batch: Batch, index: number): Column {
  const column = batch.columns[index];
  assert(column !== undefined, 'the column is in the batch');
  return column;
}
