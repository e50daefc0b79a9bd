/**
 * Groups of a table as batches: keys, and the results that their accumulators come to. What a group
 * table gives is 8 or 16 bytes wide; it is narrowed, divided or rooted into columns of the output.
 */
import { assert } from '../../base/assert.ts';
import { Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { ColumnAddress, GroupTable } from '../kernels/group-table.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { narrowOf } from '../kernels/widen-kernels.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  type SlotMemory,
} from '../memory/slot-memory.ts';
import { bitmapSizeOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Field, Schema } from '../schema/schema.ts';
import type { AggregateResult } from './aggregate-plan.ts';
import type { GroupKeys } from './group-keys.ts';

export interface ReadGroupsOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly table: GroupTable;
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

function canBeNull(
  result: AggregateResult,
): result is Exclude<AggregateResult, { readonly kind: 'zero' }> {
  return result.kind !== 'zero' && !(result.kind === 'plain' && result.isCount === true);
}

/** The result column that says whether there is a result. */
function validityColumnOf(result: Exclude<AggregateResult, { kind: 'zero' }>): number {
  if (result.kind === 'plain') return result.column;
  return result.kind === 'average' ? result.sum : result.count;
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

interface ResultOptions {
  readonly memory: SlotMemory;
  readonly result: AggregateResult;
  readonly field: Field;
  readonly columns: readonly ColumnAddress[];
  readonly rowCount: number;
  readonly room: (sizeBytes: number) => number;
}

function resultColumn(kernels: Kernels, options: ResultOptions): ColumnAddress {
  const { memory, result, field, columns, rowCount, room } = options;
  const of = (column: number): ColumnAddress => {
    const address = columns[column];
    assert(address !== undefined, 'a result is made of columns of the table');
    return address;
  };
  if (result.kind === 'zero') {
    const values = room(valuesSizeOf(field.type, rowCount));
    memory.bytes.fill(0, values, values + valuesSizeOf(field.type, rowCount));
    return { values, validity: 0 };
  }
  const isNullable = field.nullable && canBeNull(result);
  const validity = isNullable ? of(validityColumnOf(result)).validity : 0;
  if (result.kind === 'plain') {
    const { values } = of(result.column);
    const narrow = narrowOf(kernels, field.type);
    if (narrow === null) return { values, validity };
    const out = room(valuesSizeOf(field.type, rowCount));
    narrow(values, rowCount, out);
    return { values: out, validity };
  }
  const out = room(valuesSizeOf(field.type, rowCount));
  if (result.kind === 'average') {
    const [sums, counts] = [of(result.sum).values, of(result.count).values];
    if (result.divisor === null) kernels.averageOfFloat64(sums, counts, rowCount, out);
    else kernels.averageOfInt128(sums, counts, rowCount, result.divisor, out);
    return { values: out, validity };
  }
  const { lost, isRoot } = result;
  const [counts, m2] = [of(result.count).values, of(result.m2).values];
  // The bitmap may be that of other results as well, and bits are cleared in it.
  const own = validity === 0 ? 0 : room(bitmapSizeOf(rowCount));
  if (own !== 0) kernels.take1Bit(validity, 0, rowCount, own);
  kernels.varianceOf(counts, m2, rowCount, lost, Number(isRoot), out, own);
  return { values: out, validity: own };
}

/** Blocks of memory that are released together, unless a batch takes them. */
class Rooms {
  readonly #scope: MemoryScope;
  #blocks: BlockHandle[] = [];

  constructor(scope: MemoryScope) {
    this.#scope = scope;
  }

  get blocks(): readonly BlockHandle[] {
    return this.#blocks;
  }

  room(sizeBytes: number): number {
    const block = this.#scope.allocate(sizeBytes);
    this.#blocks.push(block);
    return addressOf(block);
  }

  retain(blocks: readonly BlockHandle[]): void {
    for (const block of blocks) {
      this.#scope.memory.retain(block);
      this.#blocks.push(block);
    }
  }

  /** Takes the blocks of another over that columns point to. */
  take(from: Rooms, columns: readonly Column[]): void {
    const used = new Set(columns.flatMap(({ values, validity }) => [values, validity]));
    const isUsed = (block: BlockHandle) => used.has(addressOf(block));
    this.#blocks.push(...from.#blocks.filter(isUsed));
    from.#blocks = from.#blocks.filter((block) => !isUsed(block));
  }

  release(): void {
    for (const block of this.#blocks) this.#scope.memory.release(block);
    this.#blocks = [];
  }
}
