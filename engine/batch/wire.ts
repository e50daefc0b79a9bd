/**
 * Batches between threads: rows of a batch as one contiguous body, which is what rings carry.
 *
 *     header │ per column: sizes │ per column: bitmap, values or offsets and text
 *
 * The exact layout: engine/batch/body-layout.ts. The buffers are Arrow's, so a body is what Arrow
 * IPC would carry, less the metadata that both sides know. Selections are resolved: only the rows
 * asked for go. The receiver copies a body once into its own memory and uses it in place; only the
 * 16-byte views of text are made anew, and they point into the body.
 *
 * Contract:
 * - Sender and receiver have the same schema (asserted: count of columns, kinds by their sizes).
 * - Bodies come from another thread of the same process and version, or from a file that it wrote, whose
 *   checksums agree: what does not fit is a bug, not an input error (asserted; text is not looked at again).
 * - Text of a body stays below 2 GiB (asserted).
 * Before: engine/shuffle/channel-writer.ts · After: engine/memory/ring.ts
 */
import { assert } from '../../base/assert.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { takeOf } from '../kernels/take-kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, layoutOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import { Batch, batchRowsMax, type Column } from './batch.ts';
import {
  bodyHeaderBytes,
  bodyMark,
  columnHeaderBytes,
  headerBytes,
  isView,
  partBytesOf,
  readBodyLayout,
  roundUp,
} from './body-layout.ts';
import { utf8ViewSize } from './utf8-view.ts';

const textBytesMax = 2 ** 31 - 1;

/** Bytes that `encodeRows` will write for these rows. */
export function encodedSizeOf(
  kernels: Kernels,
  batch: Batch,
  rowsAddress: number,
  rowCount: number,
): number {
  const rows = rowsOf(batch, rowsAddress, rowCount);
  let size = bodyHeaderBytes(batch.columns.length);
  for (const column of batch.columns) {
    if (column.validity !== 0) size += bitmapSizeOf(rowCount);
    size += isView(column.type)
      ? partBytesOf(column.type, rowCount) +
        roundUp(kernels.utf8SizeOf(column.values, rows, rowCount))
      : partBytesOf(column.type, rowCount);
  }
  return size;
}

/**
 * Writes rows of a batch as a body into the slot's memory.
 *
 * @param rowsAddress - Address of `rowCount` u32 stored-row indexes, in any order; 0 means the first
 *   `rowCount` rows of the batch, through its selection where it has one.
 * @param targetAddress - A multiple of 8 with room for `encodedSizeOf` bytes (not checked).
 * @returns The bytes written: exactly `encodedSizeOf`.
 */
export function encodeRows(
  kernels: Kernels,
  batch: Batch,
  rowsAddress: number,
  rowCount: number,
  targetAddress: number,
): number {
  assert(targetAddress % 8 === 0, 'a body starts at a multiple of 8');
  const { uint32 } = batch.memory;
  const rows = rowsOf(batch, rowsAddress, rowCount);
  let at = targetAddress + bodyHeaderBytes(batch.columns.length);
  let columnHeader = (targetAddress + headerBytes) >>> 2;
  for (const column of batch.columns) {
    const validityBytes = column.validity === 0 ? 0 : bitmapSizeOf(rowCount);
    if (validityBytes > 0) kernels.take1Bit(column.validity, rows, rowCount, at);
    at += validityBytes;
    uint32[columnHeader] = validityBytes;
    if (isView(column.type)) {
      const offsetsEnd = at + (rowCount + 1) * 4;
      const text = at + partBytesOf(column.type, rowCount);
      const textBytes = kernels.utf8ToArrow(column.values, rows, rowCount, at, text) >>> 0;
      assert(textBytes <= textBytesMax, 'text of a body stays below 2 GiB');
      uint32[columnHeader + 1] = textBytes;
      at = text + roundUp(textBytes);
      batch.memory.bytes.fill(0, offsetsEnd, text);
      batch.memory.bytes.fill(0, text + textBytes, at);
    } else {
      const valuesBytes = partBytesOf(column.type, rowCount);
      takeValues(kernels, batch, column, { rows, rowCount, out: at });
      uint32[columnHeader + 1] = valuesBytes;
      at += valuesBytes;
    }
    columnHeader += columnHeaderBytes / 4;
  }
  const header = targetAddress >>> 2;
  uint32[header] = bodyMark;
  uint32[header + 1] = rowCount;
  uint32[header + 2] = batch.columns.length;
  uint32[header + 3] = at - targetAddress;
  return at - targetAddress;
}

/** A body in the receiver's memory. */
export interface Body {
  readonly block: BlockHandle;
  /** Where in the block it begins, a multiple of 8. @defaultValue 0 */
  readonly offset?: number;
  readonly sizeBytes: number;
}

/**
 * Makes a batch of a body, in place. One reference to the block is taken over, also when this throws.
 * @throws MEMORY_EXHAUSTED when there is no room for the views of text.
 */
export function decodeBody(
  kernels: Kernels,
  scope: MemoryScope,
  schema: Schema,
  body: Body,
): Batch {
  const { memory } = scope;
  const blocks = [body.block];
  try {
    const { offset = 0, sizeBytes } = body;
    const start = addressOf(body.block) + offset;
    const { rowCount, parts } = readBodyLayout(memory.uint32, schema, { start, sizeBytes });
    let views = 0;
    const textColumns = schema.fields.filter((field) => isView(field.type)).length;
    if (textColumns > 0) {
      const block = scope.allocate(textColumns * rowCount * utf8ViewSize);
      blocks.push(block);
      views = addressOf(block);
    }
    const columns = parts.map(({ validity, values, text }, index): Column => {
      const { type } = schema.fields[index]!;
      if (!isView(type)) return { type, validity, values };
      const column = { type, validity, values: views };
      kernels.utf8FromArrow(values, text, rowCount, views);
      views += rowCount * utf8ViewSize;
      return column;
    });
    return new Batch(memory, { schema, rowCount, columns, blocks });
  } catch (error) {
    for (const block of blocks) memory.release(block);
    throw error;
  }
}

interface TakeTo {
  readonly rows: number;
  readonly rowCount: number;
  readonly out: number;
}

/** Copies the values of the rows; those that lie side by side in one go. */
function takeValues(kernels: Kernels, batch: Batch, column: Column, to: TakeTo): void {
  const { values, type } = column;
  const { rows, rowCount, out } = to;
  if (layoutOf(type) === 'bits') {
    kernels.take1Bit(values, rows, rowCount, out);
    return;
  }
  const size = valuesSizeOf(type, rowCount);
  // The padding of small values: no byte of a body is left as it was.
  if (size % 8 !== 0) batch.memory.bytes.fill(0, out + size, out + roundUp(size));
  if (rows === 0) batch.memory.bytes.copyWithin(out, values, values + size);
  else takeOf(kernels, type)(values, rows, rowCount, out);
}

/** The address of stored rows; 0 when these are the first ones in order. */
function rowsOf(batch: Batch, rowsAddress: number, rowCount: number): number {
  assert(rowCount <= batchRowsMax, 'a body has at most 8,192 rows');
  assert(rowsAddress !== 0 || rowCount <= batch.rowCount, 'the batch has the rows');
  return rowsAddress === 0 ? batch.selection : rowsAddress;
}
