/**
 * Batches to and from apache-arrow: record batches, and the bytes of Arrow IPC streams and files.
 * For the edges only: files, clients, results. Threads exchange bodies (engine/batch/wire.ts).
 *
 *     batch ──arrow-export.ts──▶ record batch ──▶ IPC bytes ──▶ record batch ──arrow-import.ts──▶ batch
 *
 * Buffers, offsets and text from outside are checked. The metadata of IPC bytes is not: apache-arrow
 * trusts the lengths in it, and damage there can take memory without bound. Bytes from storage that
 * may rot carry a checksum of their own.
 *
 * Loads apache-arrow (90 ms): nothing that a slot thread loads may import this.
 */
import * as arrow from 'apache-arrow';
import { TypedError, typedError } from '../../base/typed-error.ts';
import type { Schema } from '../schema/schema.ts';
import { ArrowDictionaries } from './arrow-dictionaries.ts';
import { ArrowExporter } from './arrow-export.ts';
import { importRows } from './arrow-import.ts';
import type { ArrowTarget } from './arrow-part.ts';
import { fromArrowSchema } from './arrow-schema.ts';
import type { Batch } from './batch.ts';

export type IpcFormat = 'stream' | 'file';

/** A copy of the batch's rows as a record batch. The batch stays the caller's. */
export function toRecordBatch(target: ArrowTarget, batch: Batch): arrow.RecordBatch {
  const exporter = new ArrowExporter(target, batch.schema);
  const recordBatch = exporter.export(batch);
  exporter.finish();
  return recordBatch;
}

/**
 * The rows of a record batch as batches of up to 8,192 rows, which the caller owns.
 * @throws ARROW_TYPE_UNSUPPORTED, ARROW_CORRUPT, TEXT_INVALID_UTF8, VALUE_IS_NULL
 */
export function fromRecordBatch(target: ArrowTarget, source: arrow.RecordBatch): Batch[] {
  const schema = fromArrowSchema(source.schema);
  const dictionaries = new ArrowDictionaries(target.scope.memory);
  const batches: Batch[] = [];
  try {
    for (let row = 0; row < source.numRows; ) {
      const batch = importRows(target, { schema, source, dictionaries }, row);
      batches.push(batch);
      row += batch.rowCount;
    }
    return batches;
  } catch (error) {
    for (const batch of batches) batch.release();
    throw error;
  } finally {
    dictionaries.release();
  }
}

/** Batches of one schema as the bytes of an Arrow IPC stream or file. They stay the caller's. */
export function toIpc(
  target: ArrowTarget,
  schema: Schema,
  batches: Iterable<Batch>,
  format: IpcFormat = 'stream',
): Uint8Array {
  const exporter = new ArrowExporter(target, schema);
  const recordBatches = Array.from(batches, (batch) => exporter.export(batch));
  exporter.finish();
  return arrow.tableToIPC(new arrow.Table(exporter.schema, recordBatches), format);
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
