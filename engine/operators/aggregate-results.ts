/**
 * Groups of a table as batches: keys, and the results that their accumulators come to
 * (engine/operators/result-column.ts).
 */
import { assert } from '../../base/assert.ts';
import { Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { ColumnAddress, GroupTable } from '../kernels/group-table.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import type { AggregateResult } from './aggregate-plan.ts';
import type { GroupKeys } from './group-keys.ts';
import { canBeNull, Rooms, resultColumn, validityColumnOf } from './result-column.ts';

/** Groups, or what has the same form. */
export type ReadableGroups = Pick<
  GroupTable,
  'groupCount' | 'resultSizes' | 'arenaBlocks' | 'readGroups'
>;

export interface ReadGroupsOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly table: ReadableGroups;
  readonly keys: GroupKeys;
  /** The columns behind the keys. */
  readonly results: readonly AggregateResult[];
  /** First the keys, then a field per result. */
  readonly schema: Schema;
}

/** The next groups as a batch, or null when this slice of the table has none. */
export function readGroupBatch(
  options: ReadGroupsOptions,
  fromSlot: number,
): { readonly batch: Batch | null; readonly nextSlot: number } {
  const { scope, table, schema } = options;
  const kept = new Rooms(scope);
  const scratch = new Rooms(scope);
  try {
    const rowsMax = Math.min(batchRowsMax, table.groupCount);
    const wide = roomsOf(options, scratch, rowsMax);
    const { rowCount, nextSlot } = table.readGroups(fromSlot, rowsMax, wide);
    if (rowCount === 0) {
      kept.release();
      return { batch: null, nextSlot };
    }
    const columns = columnsOf(options, wide, { rowCount, kept });
    kept.retain(table.arenaBlocks);
    // Columns that came out as they are stay; those that were converted go.
    kept.take(scratch, columns);
    const batch = new Batch(scope.memory, { schema, rowCount, columns, blocks: kept.blocks });
    return { batch, nextSlot };
  } catch (error) {
    kept.release();
    throw error;
  } finally {
    scratch.release();
  }
}

interface WideGroups {
  readonly key: ColumnAddress;
  readonly results: readonly ColumnAddress[];
}

function roomsOf(
  { table, keys, results, schema }: ReadGroupsOptions,
  scratch: Rooms,
  rowsMax: number,
): WideGroups {
  const keyCount = schema.fields.length - results.length;
  const hasNullKeys = schema.fields.slice(0, keyCount).some((field) => field.nullable);
  const bitmap = bitmapSizeOf(rowsMax);
  const nullable = new Set(
    results.flatMap((result, index) =>
      schema.fields[keyCount + index]?.nullable === true && canBeNull(result)
        ? [validityColumnOf(result)]
        : [],
    ),
  );
  return {
    key: {
      values: scratch.room(rowsMax * (keys.form === 'int64' ? 8 : 16)),
      validity: hasNullKeys ? scratch.room(bitmap) : 0,
    },
    results: table.resultSizes.map((sizeBytes, column) => ({
      values: scratch.room(rowsMax * sizeBytes),
      validity: nullable.has(column) ? scratch.room(bitmap) : 0,
    })),
  };
}

function columnsOf(
  { scope, kernels, keys, results, schema }: ReadGroupsOptions,
  wide: WideGroups,
  { rowCount, kept }: { rowCount: number; kept: Rooms },
): Column[] {
  const { fields } = schema;
  const room = (sizeBytes: number) => kept.room(sizeBytes);
  const keyColumns = keys.write(wide.key, rowCount, room);
  const addresses = [
    ...keyColumns,
    ...results.map((result, index) => {
      const field = fields[keyColumns.length + index];
      assert(field !== undefined, 'the output has a field for each result');
      const from = { memory: scope.memory, columns: wide.results, rowCount, room };
      return resultColumn(kernels, { ...from, result, field });
    }),
  ];
  return addresses.map(({ values, validity }, index): Column => {
    const field = fields[index];
    assert(field !== undefined, 'the output has a field for each column');
    return { type: field.type, values, validity };
  });
}
