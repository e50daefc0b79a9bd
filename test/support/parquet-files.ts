/** Parquet files in tests: read whole through the `files` connector. */
import { createRealDisk } from '../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { filesConnector } from '../../connectors/filesystem/files-connector.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SplitDiscovery } from '../../engine/contracts/source.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';

export interface ParquetReading {
  readonly path: string;
  /** The columns that the job declares. */
  readonly declared: Schema;
  /** The ones that it uses. @defaultValue all */
  readonly schema?: Schema;
  readonly parallelism?: number;
}

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);

function optionsOf({ path, declared }: ParquetReading): Json {
  const fields = declared.fields as unknown as Json;
  return { path, format: { kind: 'parquet', fields }, extensions: null };
}

export function discoverParquet(reading: ParquetReading): Promise<SplitDiscovery> {
  const enumerator = filesConnector.enumerator?.(optionsOf(reading), {
    disk: createRealDisk(),
    attemptId: 'attempt',
  });
  if (enumerator === undefined) throw new Error('files can be read');
  return enumerator.discover(reading.parallelism ?? 1);
}

/** The rows of all batches, batch by batch; the memory must be empty afterwards, also after an error. */
export async function readParquet(reading: ParquetReading): Promise<Record<string, unknown>[][]> {
  const { splits } = await discoverParquet(reading);
  const reader = filesConnector.reader?.(optionsOf(reading), {
    disk: createRealSyncDisk(),
    scope: memory.scope('parquet'),
    kernels,
    schema: reading.schema ?? reading.declared,
    taskIndex: 0,
    hasDeadLetters: false,
  });
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
