/**
 * Flink in the checkpoint bench: the same sums on a local cluster with two slots, state on the heap or in RocksDB, whose
 * checkpoints are incremental; those of the heap have everything. Its keys are made by itself, in the same way.
 *
 * Before: bench/checkpoint.ts. After: bench/peers/flink-checkpoint.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { outputPath } from './bench-cache.ts';
import { quantile99, withProcess } from './checkpoint-process.ts';
import {
  type CheckpointFigures,
  type CheckpointMeasure,
  type CheckpointTask,
  type Stretch,
  warmRows,
} from './checkpoint-result.ts';
import { flinkFlags } from './flink-java.ts';
import { medianOf } from './median.ts';
import { mavenClassPath } from './prepare-maven.ts';

export const flinkCheckpointPeer = 'flink-checkpoint';
export type FlinkBackend = 'hashmap' | 'rocksdb';

interface FlinkCheckpoint {
  readonly triggeredAtMs: number;
  readonly durationMs: number;
  readonly sizeBytes: number;
  /** Of each task. */
  readonly syncMs: readonly number[];
}

const folder = outputPath(flinkCheckpointPeer);
/** What the cluster says of its checkpoints comes with this delay. */
const toldMs = 2000;

export async function measureFlink(
  task: CheckpointTask,
  backend: FlinkBackend,
): Promise<CheckpointMeasure> {
  const without = await stretchOf(task, backend, 0);
  const beside = await stretchOf(task, backend, 1000);
  const figures = figuresOf(beside.shown);
  const none = { count: 0, durationMs: Number.NaN, bytes: Number.NaN };
  return {
    ...{ without: without.stretch, with: beside.stretch },
    full: backend === 'hashmap' ? figures : none,
    incremental: backend === 'rocksdb' ? figures : none,
    syncP99Ms: quantile99(beside.shown.flatMap(({ syncMs }) => syncMs)),
    ...{ killToRowMs: null, killToFileMs: null, rescalePauseMs: null },
  };
}

async function stretchOf(
  { keys, changed, seconds }: CheckpointTask,
  backend: FlinkBackend,
  intervalMs: number,
): Promise<{ readonly stretch: Stretch; readonly shown: readonly FlinkCheckpoint[] }> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const java = ['java', '-Xmx6g', ...flinkFlags, `-Djava.io.tmpdir=${folder}`];
  const command = [
    ...[...java, '-cp', mavenClassPath(flinkCheckpointPeer), 'CheckpointSums', String(keys)],
    ...[String(changed), backend, String(intervalMs), folder],
  ];
  return await withProcess(command, join(folder, 'progress'), async (job) => {
    await job.untilRows(keys + warmRows);
    const beganMs = Date.now();
    const stretch = await job.stretch(seconds);
    if (intervalMs === 0) return { stretch, shown: [] };
    await job.stretch(toldMs / 1000);
    const text = readFileSync(join(folder, 'checkpoints.json'), 'utf8');
    const told = JSON.parse(text) as readonly FlinkCheckpoint[];
    return { stretch, shown: told.filter(({ triggeredAtMs }) => triggeredAtMs >= beganMs) };
  });
}

function figuresOf(shown: readonly FlinkCheckpoint[]): CheckpointFigures {
  return {
    count: shown.length,
    durationMs: medianOf(shown.map(({ durationMs }) => durationMs)),
    bytes: medianOf(shown.map(({ sizeBytes }) => sizeBytes)),
  };
}
