/** Arrow files in tests: read whole through the `files` connector, and written by its writer. */
import fs from 'node:fs';
import { createRealDisk } from '../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { ArrowWriter, type ArrowWriterOptions } from '../../connectors/arrow/arrow-writer.ts';
import { filesConnector } from '../../connectors/filesystem/files-connector.ts';
import { OutputBuffer } from '../../connectors/formats/output-buffer.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SplitDiscovery } from '../../engine/contracts/source.ts';
import { instantiateKernels, type Kernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';

export interface ArrowReading {
  readonly path: string;
  /** The columns that the job declares. */
  readonly declared: Schema;
  /** The ones that it uses. @defaultValue all */
  readonly schema?: Schema;
  readonly parallelism?: number;
}

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);

function optionsOf({ path, declared }: ArrowReading): Json {
  const fields = declared.fields as unknown as Json;
  return { path, format: { kind: 'arrow', fields }, extensions: null };
}

export function discoverArrow(reading: ArrowReading): Promise<SplitDiscovery> {
  const enumerator = filesConnector.enumerator?.(optionsOf(reading), {
    disk: createRealDisk(),
    attemptId: 'attempt',
  });
  if (enumerator === undefined) throw new Error('files can be read');
  return enumerator.discover(reading.parallelism ?? 1);
}

/** The rows of all batches, batch by batch; the memory must be empty afterwards, also after an error. */
export async function readArrow(reading: ArrowReading): Promise<Record<string, unknown>[][]> {
  const { splits } = await discoverArrow(reading);
  const context = contextOf(reading.schema ?? reading.declared);
  const reader = filesConnector.reader?.(optionsOf(reading), context);
  if (reader === undefined) throw new Error('files can be read');
  const batches: Record<string, unknown>[][] = [];
  try {
    for (const split of splits) {
      reader.open(structuredClone(split));
      for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
        if (typeof batch === 'string') continue;
        batches.push(readRows(batch));
        batch.release();
      }
    }
  } finally {
    reader.close();
    memory.assertEmpty();
  }
  return batches;
}

function contextOf(schema: Schema): SlotContext {
  return {
    disk: createRealSyncDisk(),
    scope: memory.scope('arrow'),
    kernels,
    schema,
    taskIndex: 0,
    attempt: 1,
    hasDeadLetters: false,
  };
}

/** Writes batches, which stay the caller's, to a file. */
export function writeArrow(
  { path, kernels: ofBatches, compression = 'none', ...options }: ArrowFile,
  schema: Schema,
  batches: readonly Batch[],
): void {
  const file = fs.openSync(path, 'w');
  const [first] = batches;
  const scope = (first?.memory ?? memory).scope('writer');
  const ofScope = first === undefined ? kernels : ofBatches;
  const context = { ...contextOf(schema), scope, kernels: ofScope };
  const output = new OutputBuffer(scope, (bytes) => fs.writeSync(file, bytes), 1 << 10);
  const writer = new ArrowWriter({ ...options, compression }, { context, schema, output });
  writer.writeHeader();
  for (const batch of batches) writer.writeRows(batch);
  writer.writeFooter();
  output.flush();
  writer.close();
  output.close();
  fs.closeSync(file);
}

interface ArrowFile extends Omit<ArrowWriterOptions, 'compression'> {
  readonly path: string;
  readonly compression?: ArrowWriterOptions['compression'];
  /** Of the batches' memory. */
  readonly kernels: Kernels;
}
