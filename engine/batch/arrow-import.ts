/**
 * A record batch of apache-arrow into the slot's memory, as batches of up to 8,192 rows.
 *
 *     values      copied          bitmaps   copied bit by bit where Arrow starts within a byte
 *     utf8        text copied and checked, then views made by the kernels that threads use
 *
 * What comes from outside is not trusted: lengths of buffers, offsets and the text itself are
 * checked, for a kernel would read past a block otherwise.
 * After: engine/batch/ipc.ts
 */
import type * as arrow from 'apache-arrow';
import { type TypedError, typedError } from '../../base/typed-error.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Field, Schema } from '../schema/schema.ts';
import { Batch, batchRowsMax, type Column } from './batch.ts';
import { utf8ViewSize } from './utf8-view.ts';
import { isNullError } from './value-errors.ts';

export interface ArrowTarget {
  readonly kernels: Kernels;
  readonly scope: MemoryScope;
}

/** One column's part that goes into a batch. */
interface Part extends ArrowTarget {
  readonly field: Field;
  readonly data: arrow.Data;
  readonly fromRow: number;
  readonly rowCount: number;
  /** Where allocated blocks are noted. */
  readonly blocks: BlockHandle[];
}

/**
 * Rows of a record batch from `fromRow` on, up to 8,192 of them, as a batch.
 * @throws ARROW_CORRUPT, TEXT_INVALID_UTF8, VALUE_IS_NULL naming the column.
 */
export function importRows(
  target: ArrowTarget,
  schema: Schema,
  source: arrow.RecordBatch,
  fromRow: number,
): Batch {
  const { memory } = target.scope;
  const rowCount = Math.min(batchRowsMax, source.numRows - fromRow);
  const blocks: BlockHandle[] = [];
  try {
    const columns = schema.fields.map((field, index): Column => {
      const data = source.data.children[index];
      if (data === undefined || data.length < source.numRows) throw corruptError(field, 'rows');
      return importColumn({ ...target, field, data, fromRow, rowCount, blocks });
    });
    return new Batch(memory, { schema, rowCount, columns, blocks });
  } catch (error) {
    for (const block of blocks) memory.release(block);
    throw error;
  }
}

function importColumn(part: Part): Column {
  const { field, data } = part;
  const { type } = field;
  const hasNulls = data.nullCount > 0;
  if (hasNulls && !field.nullable) throw isNullError(field);
  const validity = hasNulls ? importBits(part, data.nullBitmap) : 0;
  if (type.kind === 'utf8') return { type, validity, values: importText(part, validity) };
  if (type.kind === 'bool') return { type, validity, values: importBits(part, data.values) };
  const source = bytesOf(data.values);
  const width = valuesSizeOf(type, 1);
  const [from, end] = [part.fromRow * width, (part.fromRow + part.rowCount) * width];
  if (end > source.length) throw corruptError(field, 'values for its rows');
  const values = allocate(part, end - from);
  part.scope.memory.bytes.set(source.subarray(from, end), values);
  return { type, validity, values };
}

/** A bitmap; Arrow's may start at any bit. */
function importBits(part: Part, bits: Uint8Array): number {
  const { field, data, fromRow, rowCount, scope } = part;
  const start = data.offset + fromRow;
  if ((start + rowCount + 7) >>> 3 > bits.length) throw corruptError(field, 'bits for its rows');
  const sizeBytes = bitmapSizeOf(rowCount);
  const target = allocate(part, sizeBytes);
  const { bytes } = scope.memory;
  const shift = start & 7;
  const first = start >>> 3;
  for (let index = 0; index < sizeBytes; index++) {
    const low = bits[first + index] ?? 0;
    const high = bits[first + index + 1] ?? 0;
    bytes[target + index] = (low | (high << 8)) >>> shift;
  }
  return target;
}

/** The address of the views of a part of a text column. */
function importText(part: Part, validity: number): number {
  const { field, data, fromRow, rowCount, scope, kernels } = part;
  const { memory } = scope;
  const views = allocate(part, rowCount * utf8ViewSize);
  if (rowCount === 0) return views;
  const offsets = data.valueOffsets as Int32Array;
  const source = bytesOf(data.values);
  const start = offsets[fromRow];
  const end = offsets[fromRow + rowCount];
  if (start === undefined || end === undefined) throw corruptError(field, 'offsets for its rows');
  if (start < 0 || end > source.length) throw corruptError(field, 'text for its offsets');
  for (let row = fromRow; row < fromRow + rowCount; row++) {
    if (offsets[row]! > offsets[row + 1]!) throw corruptError(field, 'ascending offsets');
  }
  const text = allocate(part, end - start);
  memory.bytes.set(source.subarray(start, end), text);
  checkText(part, text, offsets);
  const offsetsBlock = scope.allocate((rowCount + 1) * 4);
  const offsetsAddress = addressOf(offsetsBlock);
  for (let index = 0; index <= rowCount; index++) {
    memory.int32[(offsetsAddress >>> 2) + index] = offsets[fromRow + index]! - start;
  }
  kernels.utf8FromArrow(offsetsAddress, text, rowCount, views);
  memory.release(offsetsBlock);
  if (validity !== 0) kernels.zeroNullViews(views, validity, rowCount);
  return views;
}

/** Checks that each value is well-formed: the whole text is, and no value starts amid a character. */
function checkText(part: Part, text: number, offsets: Int32Array): void {
  const { field, fromRow, rowCount, scope, kernels } = part;
  const { memory } = scope;
  const start = offsets[fromRow]!;
  const end = text + offsets[fromRow + rowCount]! - start;
  const result = scope.allocate(8);
  const invalid = kernels.findInvalidUtf8(text, end, addressOf(result)) >>> 0;
  memory.release(result);
  if (invalid !== 0) throw invalidTextError(field, start + invalid - text);
  for (let row = fromRow; row < fromRow + rowCount; row++) {
    const at = text + offsets[row]! - start;
    const isInside = at < end && (memory.bytes[at]! & 0xc0) === 0x80;
    if (isInside) throw invalidTextError(field, offsets[row]!);
  }
}

function allocate(part: Part, sizeBytes: number): number {
  const block = part.scope.allocate(sizeBytes);
  part.blocks.push(block);
  return addressOf(block);
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function corruptError(field: Field, what: string): TypedError {
  return typedError('ARROW_CORRUPT', `the Arrow column "${field.name}" lacks ${what}`, {
    hint: 'Write the Arrow data anew; what is here was cut off or damaged.',
    details: { column: field.name },
  });
}

function invalidTextError(field: Field, byteOffset: number): TypedError {
  return typedError(
    'TEXT_INVALID_UTF8',
    `the Arrow column "${field.name}" has bytes that are not UTF-8 at byte ${byteOffset} of its text`,
    {
      hint: 'Write the column as binary, or convert the text to UTF-8 before it comes here.',
      details: { column: field.name, byteOffset },
    },
  );
}
