/**
 * Gathers rows that lie scattered over many batches into one batch of its own, texts included. What
 * is said of texts here holds for all that is behind views.
 *
 * A row is known by a u32 number: the index of its batch × 8,192 + its stored row. Texts of up to 8
 * bytes are in their views; only longer ones have bytes to copy.
 */
import { assert } from '../../base/assert.ts';
import { Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { gatherOf } from '../kernels/take-kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, layoutOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';

const textBytesMax = 1 << 20; // A batch ends when its texts pass 1 MiB.

export interface GatherOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly schema: Schema;
  readonly batches: readonly Batch[];
  /** Whether texts stay where they are: the result is valid while the batches are. @defaultValue false */
  readonly showsTexts?: boolean;
}

/**
 * @param numbers - Address of `count` u32 row numbers.
 * @returns A batch with the first of these rows, at least one: fewer than `count` when their texts
 * are large. The caller owns it.
 */
export function gatherRows(options: GatherOptions, numbers: number, count: number): Batch {
  const { scope, schema, batches } = options;
  const { memory } = scope;
  const blocks: BlockHandle[] = [];
  const room = (sizeBytes: number) => {
    const block = scope.allocate(sizeBytes);
    blocks.push(block);
    return addressOf(block);
  };
  // Addresses of one column in all batches; of all text columns at first.
  const bases = scope.allocate(Math.max(1, schema.fields.length * batches.length) * 4);
  try {
    // Where only views are copied, texts may be as large as they like.
    const rowCount = options.showsTexts
      ? count
      : rowsThatFit(options, addressOf(bases), numbers, count);
    const rows: RowsToGather = { options, bases: addressOf(bases), numbers, rowCount, room };
    const columns = schema.fields.map((_, index) => gatherColumn(rows, index));
    return new Batch(memory, { schema, rowCount, columns, blocks });
  } catch (error) {
    for (const block of blocks) memory.release(block);
    throw error;
  } finally {
    memory.release(bases);
  }
}

interface RowsToGather {
  readonly options: GatherOptions;
  /** Room for an address per batch. */
  readonly bases: number;
  readonly numbers: number;
  readonly rowCount: number;
  /** New memory that the batch to be made will hold. */
  readonly room: (sizeBytes: number) => number;
}

function gatherColumn(rows: RowsToGather, index: number): Column {
  const { options, bases, numbers, rowCount, room } = rows;
  const { kernels, schema, batches } = options;
  const type = schema.fields[index]?.type;
  assert(type !== undefined, 'a column that is gathered has a field');
  const sources = batches.map((batch) => columnOf(batch, index));
  const values = room(valuesSizeOf(type, rowCount));
  const words = options.scope.memory.uint32;
  sources.forEach((source, batch) => {
    words[(bases >>> 2) + batch] = source.values;
  });
  gatherOf(kernels, type)(bases, numbers, rowCount, values);
  const isOwned = layoutOf(type) === 'view' && options.showsTexts !== true;
  if (isOwned) ownTexts(kernels, { values, rowCount, room });
  if (sources.every(({ validity }) => validity === 0)) return { type, validity: 0, values };
  sources.forEach((source, batch) => {
    words[(bases >>> 2) + batch] = source.validity;
  });
  const validity = room(bitmapSizeOf(rowCount));
  kernels.gatherAcross1Bit(bases, numbers, rowCount, validity);
  return { type, validity, values };
}

/** How many of the rows have up to 1 MiB of text together; at least one. */
function rowsThatFit(options: GatherOptions, bases: number, numbers: number, count: number) {
  const { scope, kernels, schema, batches } = options;
  const texts = schema.fields.flatMap(({ type }, index) =>
    layoutOf(type) === 'view' ? [index] : [],
  );
  texts.forEach((index, place) => {
    batches.forEach((batch, at) => {
      const word = (bases >>> 2) + place * batches.length + at;
      scope.memory.uint32[word] = columnOf(batch, index).values;
    });
  });
  const { length } = batches;
  const fitting = kernels.rowsWithTexts(bases, length, texts.length, numbers, count, textBytesMax);
  return Math.max(1, fitting);
}

interface TextColumn {
  /** Address of the views, which point into other batches so far. */
  readonly values: number;
  readonly rowCount: number;
  /** New memory that the batch to be made will hold. */
  readonly room: (sizeBytes: number) => number;
}

/** Copies the texts of a column into memory of the new batch and points the views there. */
export function ownTexts(kernels: Kernels, { values, rowCount, room }: TextColumn): void {
  const sizeBytes = kernels.longTextSizeOf(values, rowCount);
  if (sizeBytes > 0) kernels.copyLongTexts(values, rowCount, room(sizeBytes));
}

function columnOf(batch: Batch, index: number): Column {
  const column = batch.columns[index];
  assert(column !== undefined, 'gathered rows have the schema of the result');
  return column;
}

/** Numbers of rows: batches may be at most this many. */
export const gatherBatchesMax = 2 ** 32 / batchRowsMax;
