/**
 * The flags of the engine that take a number or a size, with their limits and defaults. Their names,
 * and those of later versions, are reserved in `engine/api/param.ts`.
 */

import { typedError } from '../base/typed-error.ts';
import { parseSize } from '../base/units.ts';
import type { Shuffle } from '../coordinator/planner/plan-step.ts';
import type { JobMode } from '../engine/plan/logical-graph.ts';
import type { CliEnv } from './cli-env.ts';

const modes: readonly JobMode[] = ['batch', 'streaming'];
const shuffles: readonly Shuffle[] = ['memory', 'disk'];

/** As many tasks as there are key groups; more would have nothing to do. */
const parallelismMax = 128;
const slotBytesDefault = 2 * 1024 ** 3;
/** Below this a slot has no room for the batches in flight. */
export const slotBytesMin = 32 * 1024 ** 2;
/** What a WebAssembly memory with 32-bit addresses can hold. */
export const slotBytesMax = 4 * 1024 ** 3;

/** Where rows are between stages. @throws FLAG_VALUE when the text is neither way. */
export function parseShuffle(text: unknown): Shuffle {
  const shuffle = text === undefined ? 'memory' : shuffles.find((one) => one === text);
  if (shuffle !== undefined) return shuffle;
  throw typedError('FLAG_VALUE', `--shuffle: "${text}" is not memory or disk`, {
    hint: 'Write --shuffle disk for stages that meet in files, each task of which can run again.',
  });
}

/** Whether plans change while a job runs. @throws FLAG_VALUE when the text is neither way. */
export function parseAdaptive(text: unknown): boolean {
  if (text === undefined || text === 'on' || text === 'off') return text !== 'off';
  throw typedError('FLAG_VALUE', `--adaptive: "${text}" is not on or off`, {
    hint: 'Write --adaptive off for a plan that stays as explain shows it.',
  });
}

/** Tasks of each stage; null where there are as many as slots. @throws FLAG_VALUE when it is no count of tasks. */
export function parsePartitions(text: unknown, shuffle: Shuffle): number | null {
  if (text === undefined) return null;
  if (shuffle === 'memory') {
    throw typedError('FLAG_VALUE', '--partitions: rows are cut into partitions on disk only', {
      hint: 'Write --shuffle disk, too; without it all tasks run at once, and there is one for each slot.',
    });
  }
  const partitions = /^\d+$/.test(String(text)) ? Number(text) : 0;
  if (partitions >= 1 && partitions <= parallelismMax) return partitions;
  throw typedError('FLAG_VALUE', `--partitions: "${text}" is no whole number from 1 to 128`, {
    hint: 'Write how many tasks each stage has, for example --partitions 16.',
  });
}

/** Null where the job itself says it. @throws FLAG_VALUE when the text is neither mode. */
export function parseMode(text: unknown): JobMode | null {
  const mode = text === undefined ? null : modes.find((one) => one === text);
  if (mode !== undefined) return mode;
  throw typedError('FLAG_VALUE', `--execution-mode: "${text}" is not batch or streaming`, {
    hint: 'Write --execution-mode streaming to have the results of windows as soon as event time has passed them.',
  });
}

/** Rows per second; undefined without the flag. @throws FLAG_VALUE when the text is no number above 0. */
export function parseRate(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const rate = /^\d+(\.\d+)?$/.test(String(text)) ? Number(text) : 0;
  if (rate >= 1e-3) return rate;
  throw typedError('FLAG_VALUE', `--rate: "${text}" is no number of rows per second`, {
    hint: 'Write a number from 0.001 on, for example --rate 100000.',
  });
}

/** Null for none; undefined without the flag. @throws FLAG_VALUE when the text is no number of milliseconds. */
export function parseLatencyInterval(text: unknown): number | null | undefined {
  if (text === undefined) return undefined;
  const intervalMs = /^\d{1,7}$/.test(String(text)) ? Number(text) : Number.NaN;
  if (Number.isNaN(intervalMs)) {
    throw typedError('FLAG_VALUE', `--latency-interval: "${text}" is no whole number of ms`, {
      hint: 'Write the milliseconds between two marks, for example --latency-interval 50, or 0 for none.',
    });
  }
  return intervalMs === 0 ? null : intervalMs;
}

/** @throws FLAG_VALUE when the text is no count of tasks. */
export function parseParallelism(text: string): number {
  const parallelism = /^\d+$/.test(text) ? Number(text) : 0;
  if (parallelism >= 1 && parallelism <= parallelismMax) return parallelism;
  throw typedError('FLAG_VALUE', `--parallelism: "${text}" is no whole number from 1 to 128`, {
    hint: 'Write how many slot threads the job may use, for example --parallelism 4.',
  });
}

/**
 * The memory for all slots together: what `--memory` says, else 2 GB per slot but not more than half
 * of the machine's.
 *
 * @throws FLAG_VALUE when it is too little; SIZE_FORM when it is no size.
 */
export function memoryBytesOf(
  text: string | undefined,
  parallelism: number,
  env: Pick<CliEnv, 'memoryBytes'>,
): number {
  const least = parallelism * slotBytesMin;
  if (text === undefined) {
    const wanted = Math.min(parallelism * slotBytesDefault, env.memoryBytes / 2);
    return Math.max(least, Math.floor(wanted));
  }
  const sizeBytes = parseSize(text);
  if (sizeBytes >= least) return Math.min(sizeBytes, parallelism * slotBytesMax);
  const leastText = `${least / 1024 ** 2}MB`;
  throw typedError('FLAG_VALUE', `--memory: ${text} is too little for ${parallelism} slots`, {
    hint: `The size is for all slots together, at least 32MB each. Write --memory ${leastText} or more, or lower --parallelism.`,
  });
}
