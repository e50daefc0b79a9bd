/**
 * Millrace in the checkpoint bench: two slots, aligned checkpoints each second on the disk of the cache.
 *
 *     without    fill ─▶ a stretch
 *     with       fill ─▶ a stretch ─▶ SIGKILL ─▶ --restore latest ─▶ first row, first file ─▶ rescale to 4
 *
 * Before: bench/checkpoint.ts. After: bench/jobs/checkpoint.ts.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ShownCheckpoint } from '../coordinator/job/checkpoints-view.ts';
import { outputPath, projectFolder } from './bench-cache.ts';
import {
  longestGapMs,
  type MeasuredProcess,
  quantile99,
  withProcess,
} from './checkpoint-process.ts';
import {
  type BackpressureMeasure,
  type CheckpointFigures,
  type CheckpointMeasure,
  type CheckpointTask,
  warmRows,
} from './checkpoint-result.ts';
import { medianOf } from './median.ts';

const folder = outputPath('checkpoint');
const [output, progress, checkpoints] = ['out', 'progress', 'chk'].map((name) =>
  join(folder, name),
) as [string, string, string];
const jobName = 'checkpoint-bench';
const millrace = join(projectFolder, 'cli', 'millrace.mjs');
/** What each row takes where rows wait for each other, and what little comes where they do not. */
const [busyMicroseconds, unloadedRate] = [20, 5000];
/** The first ones, before rows wait; and how long it is waited for another. */
const [skipped, longestMs] = [2, 60_000];

export async function measureMillrace(task: CheckpointTask): Promise<CheckpointMeasure> {
  const { keys, seconds } = task;
  clear();
  const without = await withJob(task, [], async (job) => {
    await job.untilRows(keys + warmRows);
    return await job.stretch(seconds);
  });
  clear();
  const flags = ['--checkpoint-dir', checkpoints, '--checkpoint-interval', '1s'];
  const { stretch, shown } = await withJob(task, flags, async (job) => {
    await job.untilRows(keys + warmRows);
    const beganMs = Date.now();
    const stretch = await job.stretch(seconds);
    const shown = (await shownCheckpoints()).filter(
      ({ triggeredAtMs }) => triggeredAtMs >= beganMs,
    );
    return { stretch, shown };
  });
  // It has been killed.
  const killedMs = Date.now();
  const before = new Set(readdirSync(output));
  const isNew = (name: string) => !name.startsWith('.') && !before.has(name);
  const behind = await withJob(task, [...flags, '--restore', 'latest'], async (job) => {
    const killToRowMs = (await job.until(([line]) => line?.atMs ?? null)) - killedMs;
    await job.until(() => (readdirSync(output).some(isNew) ? true : null));
    return {
      killToRowMs,
      killToFileMs: Date.now() - killedMs,
      rescalePauseMs: await rescaled(job),
    };
  });
  return {
    ...{ without, with: stretch, ...behind },
    full: figuresOf(shown, true),
    incremental: figuresOf(shown, false),
    syncP99Ms: quantile99(shown.flatMap(({ tasks }) => tasks.map(({ syncMs }) => syncMs))),
  };
}

/** How long a checkpoint takes where few rows come, and where they wait in front of a function that is slow. */
export async function measureBackpressure(task: CheckpointTask): Promise<BackpressureMeasure> {
  const duration = async (...flags: string[]) => {
    clear();
    const often = ['--checkpoint-dir', checkpoints, '--checkpoint-interval', '500ms'];
    const busy = ['--busy', String(busyMicroseconds)];
    const shown = await withJob(task, [...often, ...busy, ...flags], async (job) => {
      await job.untilRows(1);
      await pause(task.seconds * 1000);
      const endMs = Date.now() + longestMs;
      let shown = await shownCheckpoints();
      while (shown.length <= skipped && Date.now() < endMs) {
        await pause(1000);
        shown = await shownCheckpoints();
      }
      return shown;
    });
    if (shown.length <= skipped) throw new Error(`no checkpoints in ${longestMs} ms`);
    return medianOf(shown.slice(skipped).map(({ durationMs }) => durationMs));
  };
  return {
    unloadedMs: await duration('--rate', String(unloadedRate)),
    alignedMs: await duration(),
    unalignedMs: await duration('--checkpoint-mode', 'unaligned'),
  };
}

function clear(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

function withJob<Found>(
  { input }: CheckpointTask,
  flags: readonly string[],
  measure: (job: MeasuredProcess) => Promise<Found>,
): Promise<Found> {
  const file = join(projectFolder, 'bench', 'jobs', 'checkpoint.ts');
  const params = ['--input', input, '--output', `${output}/`, '--progress', progress];
  const engine = ['--parallelism', '2', '--memory', '7GB', '--json'];
  const command = [process.execPath, millrace, 'run', file, ...params, ...engine, ...flags];
  return withProcess(command, progress, measure);
}

async function rescaled(job: MeasuredProcess): Promise<number> {
  const fromMs = Date.now();
  await ask('rescale', jobName, '--parallelism', '4', '--json');
  const askedMs = Date.now();
  await job.until((lines) => (lines.some(({ atMs }) => atMs > askedMs) ? true : null));
  return longestGapMs(job.lines, fromMs);
}

async function shownCheckpoints(): Promise<readonly ShownCheckpoint[]> {
  const said = JSON.parse(await ask('checkpoints', jobName, '--tasks', '--json'));
  const ended = said.ended as readonly ShownCheckpoint[];
  return ended.filter(({ state, kind }) => state === 'committed' && kind === 'checkpoint');
}

async function ask(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [millrace, ...args]);
  return stdout;
}

/** A checkpoint is full where a task has written all that it names. */
function figuresOf(shown: readonly ShownCheckpoint[], isFull: boolean): CheckpointFigures {
  const own = shown.filter(({ tasks }) => {
    const hasWhole = tasks.some(
      ({ sizeBytes, fullBytes }) => sizeBytes > 0 && sizeBytes === fullBytes,
    );
    return hasWhole === isFull;
  });
  return {
    count: own.length,
    durationMs: medianOf(own.map(({ durationMs }) => durationMs)),
    bytes: medianOf(own.map(({ sizeBytes }) => sizeBytes)),
  };
}
