/** Parquet files in tests: read whole through the `files` connector, and written by its writer. */
import fs from 'node:fs';
import { createRealDisk } from '../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { filesConnector } from '../../connectors/filesystem/files-connector.ts';
import { fileFormatOf } from '../../connectors/formats/file-formats.ts';
import { type ParquetSinkSettings, parquet } from '../../connectors/formats/format-builders.ts';
import { OutputBuffer } from '../../connectors/formats/output-buffer.ts';
import type { RowWriter } from '../../connectors/formats/row-writer.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import {
  type DynamicFilter,
  type Skipped,
  type SplitDiscovery,
  sumOfSkipped,
} from '../../engine/contracts/source.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import { instantiateKernels, type Kernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';

export interface ParquetReading {
  readonly path: string;
  /** The columns that the job declares. */
  readonly declared: Schema;
  /** The ones that it uses. @defaultValue all */
  readonly schema?: Schema;
  readonly parallelism?: number;
  /** Rows for which it is not true may be missing. @defaultValue null */
  readonly predicate?: Expr | null;
  /** Rows that one of them does not select may be missing. @defaultValue none */
  readonly filters?: readonly DynamicFilter[];
  /** Which format reads it. @defaultValue 'parquet' */
  readonly kind?: 'parquet' | 'columnar';
}

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);

function optionsOf({ path, declared, kind = 'parquet' }: ParquetReading): Json {
  const fields = declared.fields as unknown as Json;
  return { path, format: { kind, fields }, extensions: null };
}

export function discoverParquet(reading: ParquetReading): Promise<SplitDiscovery> {
  const enumerator = filesConnector.enumerator?.(optionsOf(reading), {
    disk: createRealDisk(),
    attemptId: 'attempt',
    predicate: reading.predicate ?? null,
    filteredColumns: (reading.filters ?? []).flatMap(({ fields }) =>
      fields.map(({ name }) => name),
    ),
  });
  if (enumerator === undefined) throw new Error('files can be read');
  return enumerator.discover(reading.parallelism ?? 1);
}

/** The rows of all batches, batch by batch; the memory must be empty afterwards, also after an error. */
export async function readParquet(reading: ParquetReading): Promise<Record<string, unknown>[][]> {
  const batches: Record<string, unknown>[][] = [];
  await readParquetBatches(reading, (batch) => batches.push(readRows(batch)));
  return batches;
}

/** Shows each batch, which is released behind it; answers with what was left out. */
export async function readParquetBatches(
  reading: ParquetReading,
  show: (batch: Batch) => void,
): Promise<Skipped> {
  const { splits, skipped } = await discoverParquet(reading);
  const { predicate = null, filters = [] } = reading;
  const context = { ...contextOf(reading.schema ?? reading.declared), predicate };
  const reader = filesConnector.reader?.(optionsOf(reading), context);
  if (reader === undefined) throw new Error('files can be read');
  try {
    if (filters.length > 0) reader.narrow?.(filters);
    for (const split of splits) {
      reader.open(structuredClone(split));
      for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
        if (typeof batch === 'string') continue;
        try {
          show(batch);
        } finally {
          batch.release();
        }
      }
    }
    return sumOfSkipped([skipped ?? [], reader.skipped ?? []].flat());
  } finally {
    reader.close();
    memory.assertEmpty();
  }
}

function contextOf(schema: Schema): SlotContext {
  return {
    disk: createRealSyncDisk(),
    scope: memory.scope('parquet'),
    kernels,
    schema,
    taskIndex: 0,
    attempt: 1,
    hasDeadLetters: false,
  };
}

export interface ParquetFile {
  readonly path: string;
  /** Of the batches' memory. */
  readonly kernels: Kernels;
  readonly settings?: ParquetSinkSettings;
}

/** Writes batches, which stay the caller's, to a file. */
export function writeParquet(
  { path, kernels: ofBatches, settings }: ParquetFile,
  schema: Schema,
  batches: readonly Batch[],
): void {
  const file = fs.openSync(path, 'w');
  const scope = (batches[0]?.memory ?? memory).scope('writer');
  const context = {
    ...contextOf(schema),
    scope,
    kernels: batches.length > 0 ? ofBatches : kernels,
  };
  const output = new OutputBuffer(scope, (bytes) => fs.writeSync(file, bytes), 1 << 10);
  const { options } = parquet(settings);
  let writer: RowWriter | undefined;
  try {
    writer = fileFormatOf(options).writer?.(options, { context, schema, output });
    if (writer === undefined) throw new Error('parquet can be written');
    writer.writeHeader();
    for (const batch of batches) writer.writeRows(batch);
    writer.writeFooter();
    output.flush();
  } finally {
    writer?.close?.();
    output.close();
    fs.closeSync(file);
  }
}
