/**
 * What the contract of `CheckpointCommitter` needs of a sink: its parts, in the attempt of a job, and what others see of
 * it. Rows are numbers, so that each can be looked for.
 */
import { gunzipSync } from 'node:zlib';
import { tableFromIPC } from 'apache-arrow';
import type { Disk, SyncDisk } from '../../base/env/disk.ts';
import { type FilesSinkSettings, files } from '../../connectors/files.ts';
import { filesConnector } from '../../connectors/filesystem/files-connector.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { CheckpointCommitter, SinkWriter } from '../../engine/contracts/sink.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { int32Type } from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { batchOf } from './operator-harness.ts';
import { slotContext } from './slot-context.ts';

/** A process that takes part in an attempt, with the disk as it reaches it. */
export interface SinkProcess {
  readonly attemptId: string;
  readonly disk: Disk;
  readonly syncDisk: SyncDisk;
}

export interface CheckpointSink {
  readonly name: string;
  committer(process: SinkProcess): CheckpointCommitter;
  /** @param attempt - Which try of the task it is. @defaultValue 1 */
  writer(process: SinkProcess, prepared: Json, taskIndex: number, attempt?: number): SinkWriter;
  /** Rows that others see, in any order. */
  visible(disk: SyncDisk): number[];
  /** What is left that nobody sees. */
  hidden(disk: SyncDisk): readonly string[];
}

/** One for all, empty between tests. */
export const sinkMemory = new SlotMemory({ budgetBytes: 16 << 20, poison: true });
const kernels = instantiateKernels(sinkMemory.memory);
const scope = sinkMemory.scope('test');
const schema = schemaOf(fieldOf('n', int32Type));

/** What a writer of numbers is given in a slot. */
export function sinkContext(taskIndex: number, disk?: SyncDisk): SlotContext {
  const slot = { taskIndex, memory: sinkMemory, kernels, ...(disk !== undefined && { disk }) };
  return { ...slotContext(schema, slot), commitsAtCheckpoints: true };
}

/** Writes rows as one batch. */
export function writeNumbers(writer: SinkWriter, numbers: readonly number[]): void {
  const batch = batchOf(
    scope,
    schema,
    numbers.map((n) => ({ n })),
  );
  try {
    writer.write(batch);
  } finally {
    batch.release();
  }
}

const root = '/out';

type Reading = (bytes: Uint8Array) => number[];

const fromNdjson: Reading = (bytes) => linesOf(bytes).map((line) => JSON.parse(line).n);
const fromCsv: Reading = (bytes) => linesOf(gunzipSync(bytes)).slice(1).map(Number);
const fromArrow: Reading = (bytes) => Array.from(tableFromIPC(bytes), ({ n }) => Number(n));

export const checkpointSinks: readonly CheckpointSink[] = [
  fileSink('NDJSON files', { path: `${root}/`, format: 'ndjson' }, fromNdjson),
  fileSink('CSV files, compressed', { path: `${root}/`, compression: 'gzip' }, fromCsv),
  fileSink('Arrow files', { path: `${root}/`, format: 'arrow' }, fromArrow),
];

function linesOf(bytes: Uint8Array): string[] {
  return new TextDecoder().decode(bytes).trimEnd().split('\n');
}

function fileSink(name: string, settings: FilesSinkSettings, rowsOf: Reading): CheckpointSink {
  const { checkpointCommitter, writer } = filesConnector;
  if (!checkpointCommitter || !writer) throw new Error('files can be committed at checkpoints');
  const { options } = files.sink(settings)({ overwrite: false });
  const namesIn = (disk: SyncDisk, isHidden: boolean) => {
    if (disk.stat(root) === null) return [];
    const names = disk.list(root).map((entry) => entry.name);
    return names.filter((one) => one.startsWith('.') === isHidden);
  };
  return {
    name,
    committer: ({ attemptId, disk }) => checkpointCommitter(options, { disk, attemptId }),
    writer: ({ syncDisk }, prepared, taskIndex, attempt = 1) => {
      const context = { ...sinkContext(taskIndex, syncDisk), attempt };
      return writer(options, structuredClone(prepared), context);
    },
    hidden: (disk) => namesIn(disk, true),
    visible: (disk) =>
      namesIn(disk, false).flatMap((part) => rowsOf(bytesOf(disk, `${root}/${part}`))),
  };
}

function bytesOf(disk: SyncDisk, path: string): Uint8Array {
  const bytes = new Uint8Array(disk.stat(path)?.sizeBytes ?? 0);
  const file = disk.open(path, 'read');
  disk.read(file, bytes, 0);
  disk.close(file);
  return bytes;
}
