/**
 * Gathers rows that lie scattered over many batches into one batch of its own, texts included.
 *
 * A row is known by a u32 number: the index of its batch × 8,192 + its stored row. Fixed-size values
 * are moved as 4-byte words, never as doubles, since a double may lose the bits of a NaN.
 */
import { assert } from '../../base/assert.ts';
import { Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { Kernels } from '../kernels/kernels.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  type SlotMemory,
} from '../memory/slot-memory.ts';
import { bitmapSizeOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';

const textBytesMax = 1 << 20; // A batch ends when its texts pass 1 MiB.

export interface GatherOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly schema: Schema;
  readonly batches: readonly Batch[];
}

/** A gathering under way: where to read, what to fill. */
interface Gathering {
  readonly memory: SlotMemory;
  /** Address of the row numbers, and how many. */
  readonly numbers: number;
  readonly count: number;
  /** Of one column: the place in each batch. */
  readonly sources: readonly Column[];
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
  try {
    const rowCount = rowsThatFit(options, numbers, count);
    const columns = schema.fields.map(({ type }, index): Column => {
      const sources = batches.map((batch) => columnOf(batch, index));
      const gathering: Gathering = { memory, numbers, count: rowCount, sources };
      const values = room(valuesSizeOf(type, rowCount));
      if (type.kind === 'bool') gatherBits(gathering, values, ({ values }) => values);
      else gatherWords(gathering, values, valuesSizeOf(type, 1) >>> 2);
      if (type.kind === 'utf8') ownTexts(options, { values, rowCount, room });
      if (sources.every(({ validity }) => validity === 0)) return { type, validity: 0, values };
      const validity = room(bitmapSizeOf(rowCount));
      gatherBits(gathering, validity, (source) => source.validity);
      return { type, validity, values };
    });
    return new Batch(memory, { schema, rowCount, columns, blocks });
  } catch (error) {
    for (const block of blocks) memory.release(block);
    throw error;
  }
}

/** How many of the rows have up to 1 MiB of text together; at least one. */
function rowsThatFit({ scope, schema, batches }: GatherOptions, numbers: number, count: number) {
  const { uint32 } = scope.memory;
  const texts = schema.fields.flatMap(({ type }, index) => (type.kind === 'utf8' ? [index] : []));
  const places = texts.map((index) => batches.map((batch) => columnOf(batch, index).values));
  let textBytes = 0;
  for (let row = 0; row < count; row++) {
    const number = uint32[numbers / 4 + row] ?? 0;
    for (const views of places) {
      const view = (views[number >>> 13] ?? 0) + (number & 8191) * 16;
      textBytes += uint32[view >>> 2] ?? 0;
    }
    if (textBytes > textBytesMax) return Math.max(1, row);
  }
  return count;
}

function gatherWords({ memory, numbers, count, sources }: Gathering, out: number, width: number) {
  const { uint32 } = memory;
  const starts = sources.map(({ values }) => values / 4);
  let to = out / 4;
  for (let row = 0; row < count; row++) {
    const number = uint32[numbers / 4 + row] ?? 0;
    const from = (starts[number >>> 13] ?? 0) + (number & 8191) * width;
    for (let word = 0; word < width; word++) uint32[to++] = uint32[from + word] ?? 0;
  }
}

/** Bits of bitmaps; a bitmap at 0 is all ones. */
function gatherBits(
  { memory, numbers, count, sources }: Gathering,
  out: number,
  bitmapOf: (column: Column) => number,
): void {
  const { bytes, uint32 } = memory;
  const bitmaps = sources.map(bitmapOf);
  bytes.fill(0, out, out + bitmapSizeOf(count));
  for (let row = 0; row < count; row++) {
    const number = uint32[numbers / 4 + row] ?? 0;
    const bitmap = bitmaps[number >>> 13] ?? 0;
    const stored = number & 8191;
    const bit = bitmap === 0 ? 1 : ((bytes[bitmap + (stored >>> 3)] ?? 0) >>> (stored & 7)) & 1;
    const at = out + (row >>> 3);
    bytes[at] = (bytes[at] ?? 0) | (bit << (row & 7));
  }
}

interface TextColumn {
  /** Address of the views, which point into other batches so far. */
  readonly values: number;
  readonly rowCount: number;
  /** New memory that the batch to be made will hold. */
  readonly room: (sizeBytes: number) => number;
}

/** Copies the texts of a column into memory of the new batch and points the views there. */
export function ownTexts(
  { scope, kernels }: Pick<GatherOptions, 'scope' | 'kernels'>,
  { values, rowCount, room }: TextColumn,
): void {
  const bytes = room(kernels.utf8SizeOf(values, 0, rowCount));
  const offsets = scope.allocate((rowCount + 1) * 4);
  kernels.utf8ToArrow(values, 0, rowCount, addressOf(offsets), bytes);
  kernels.utf8FromArrow(addressOf(offsets), bytes, rowCount, values);
  scope.memory.release(offsets);
}

function columnOf(batch: Batch, index: number): Column {
  const column = batch.columns[index];
  assert(column !== undefined, 'gathered rows have the schema of the result');
  return column;
}

/** Numbers of rows: batches may be at most this many. */
export const gatherBatchesMax = 2 ** 32 / batchRowsMax;
