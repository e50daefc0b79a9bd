/**
 * Batches to and from apache-arrow: record batches, and the bytes of Arrow IPC streams and files.
 * For the edges only: files, clients, results. Threads exchange bodies (engine/batch/wire.ts).
 *
 *     batch ──encodeRows──▶ body, copied out of the slot's memory ──▶ record batch ──▶ IPC bytes
 *
 * A body already has Arrow's buffers, so a record batch is views into a copy of one; the copy is
 * needed since the slot's memory is used again.
 *
 * Buffers, offsets and text from outside are checked. The metadata of IPC bytes is not: apache-arrow
 * trusts the lengths in it, and damage there can take memory without bound. Bytes from storage that
 * may rot carry a checksum of their own.
 *
 * Loads apache-arrow (90 ms): nothing that a slot thread loads may import this.
 */
import * as arrow from 'apache-arrow';
import { assert } from '../../base/assert.ts';
import { TypedError, typedError } from '../../base/typed-error.ts';
import { addressOf } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { type ArrowTarget, importRows } from './arrow-import.ts';
import { fromArrowSchema, toArrowSchema } from './arrow-schema.ts';
import type { Batch } from './batch.ts';
import { type BodyPart, readBodyLayout } from './body-layout.ts';
import { encodedSizeOf, encodeRows } from './wire.ts';

export type IpcFormat = 'stream' | 'file';

/** A copy of the batch's rows as a record batch. The batch stays the caller's. */
export function toRecordBatch(target: ArrowTarget, batch: Batch): arrow.RecordBatch {
  const { kernels, scope } = target;
  const { rowCount, memory, schema } = batch;
  const block = scope.allocate(encodedSizeOf(kernels, batch, 0, rowCount));
  const start = addressOf(block);
  const sizeBytes = encodeRows(kernels, batch, 0, rowCount, start);
  const body = memory.bytes.slice(start, start + sizeBytes);
  memory.release(block);
  const arrowSchema = toArrowSchema(schema);
  const layout = readBodyLayout(new Uint32Array(body.buffer), schema, { start: 0, sizeBytes });
  const children = layout.parts.map((part, index) =>
    makeColumnData(body, part, rowCount, arrowSchema.fields[index]!.type),
  );
  const struct = new arrow.Struct(arrowSchema.fields);
  const data = arrow.makeData({ type: struct, length: rowCount, nullCount: 0, children });
  return new arrow.RecordBatch(arrowSchema, data);
}

/**
 * The rows of a record batch as batches of up to 8,192 rows, which the caller owns.
 * @throws ARROW_TYPE_UNSUPPORTED, ARROW_CORRUPT, TEXT_INVALID_UTF8, VALUE_IS_NULL
 */
export function fromRecordBatch(target: ArrowTarget, source: arrow.RecordBatch): Batch[] {
  const schema = fromArrowSchema(source.schema);
  const batches: Batch[] = [];
  try {
    for (let row = 0; row < source.numRows; ) {
      const batch = importRows(target, schema, source, row);
      batches.push(batch);
      row += batch.rowCount;
    }
    return batches;
  } catch (error) {
    for (const batch of batches) batch.release();
    throw error;
  }
}

/** Batches of one schema as the bytes of an Arrow IPC stream or file. They stay the caller's. */
export function toIpc(
  target: ArrowTarget,
  schema: Schema,
  batches: Iterable<Batch>,
  format: IpcFormat = 'stream',
): Uint8Array {
  const recordBatches = Array.from(batches, (batch) => toRecordBatch(target, batch));
  return arrow.tableToIPC(new arrow.Table(toArrowSchema(schema), recordBatches), format);
}

/**
 * The batches of an Arrow IPC stream or file, which the caller owns.
 * @throws ARROW_CORRUPT when the bytes are not Arrow IPC; else as `fromRecordBatch`.
 */
export function fromIpc(
  target: ArrowTarget,
  bytes: Uint8Array,
): { readonly schema: Schema; readonly batches: Batch[] } {
  const table = readTable(bytes);
  const schema = fromArrowSchema(table.schema);
  const batches: Batch[] = [];
  try {
    for (const source of table.batches) batches.push(...fromRecordBatch(target, source));
    return { schema, batches };
  } catch (error) {
    for (const batch of batches) batch.release();
    throw error instanceof TypedError ? error : corruptError(error);
  }
}

/** A column as views into the body, which is a buffer of its own. */
function makeColumnData(
  body: Uint8Array<ArrayBuffer>,
  part: BodyPart,
  length: number,
  type: arrow.DataType,
): arrow.Data {
  const { buffer } = body;
  const { validity, values, valuesBytes, text, textBytes } = part;
  const nullBitmap = validity === 0 ? null : body.subarray(validity, values);
  const common = { length, nullBitmap };
  if (arrow.DataType.isUtf8(type)) {
    const valueOffsets = new Int32Array(buffer, values, length + 1);
    const data = body.subarray(text, text + textBytes);
    return arrow.makeData({ ...common, type, valueOffsets, data });
  }
  if (arrow.DataType.isBool(type)) {
    const data = body.subarray(values, values + valuesBytes);
    return arrow.makeData({ ...common, type, data });
  }
  if (arrow.DataType.isFloat(type)) {
    return arrow.makeData({ ...common, type, data: new Float64Array(buffer, values, length) });
  }
  if (arrow.DataType.isInt(type) && type.bitWidth === 32) {
    return arrow.makeData({ ...common, type, data: new Int32Array(buffer, values, length) });
  }
  assert(arrow.DataType.isInt(type) || arrow.DataType.isTimestamp(type), 'all types are known');
  const data = new BigInt64Array(buffer, values, length);
  return arrow.makeData({ ...common, type: type as arrow.Int64, data });
}

function readTable(bytes: Uint8Array): arrow.Table {
  try {
    return arrow.tableFromIPC(bytes);
  } catch (error) {
    throw corruptError(error);
  }
}

function corruptError(cause: unknown): TypedError {
  return typedError('ARROW_CORRUPT', 'the bytes are no complete Arrow IPC stream or file', {
    hint: 'Write the Arrow data anew; what is here was cut off or damaged.',
    cause,
  });
}
