/**
 * A run of a job with checkpoints that is killed: some time after its attempt has shown in the log of checkpoints, since a
 * process that is killed while it still starts shows nothing.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CliProcess } from './cli-process.ts';

export interface KilledRun {
  readonly start: () => CliProcess;
  /** Of the job's checkpoints: `<checkpoint dir>/<job>/log`. */
  readonly logFolder: string;
  /** From the beginning of its attempt on, or from its first checkpoint on. */
  readonly lifeMs: number;
  /** @defaultValue 'attempt' */
  readonly lifeFrom?: 'attempt' | 'checkpoint';
}

/** Entries that an attempt has made by then. */
const entryCounts = { attempt: 1, checkpoint: 2 } as const;

/** Whether it was killed; a run that ends before was not. */
export async function killRun(options: KilledRun): Promise<boolean> {
  const { start, logFolder, lifeMs, lifeFrom = 'attempt' } = options;
  const awaited = lastEntry(logFolder) + entryCounts[lifeFrom];
  const { ended, kill } = start();
  const over = ended.then(() => true);
  while (lastEntry(logFolder) < awaited) {
    if (await Promise.race([over, sleep(5, false)])) return false;
  }
  // When it dies is the test.
  if (await Promise.race([over, sleep(lifeMs, false)])) return false;
  kill('SIGKILL');
  return (await ended).signal === 'SIGKILL';
}

/** The number of the newest entry in the log of checkpoints; 0 without one. */
function lastEntry(logFolder: string): number {
  try {
    return Math.max(0, ...readdirSync(logFolder).map(Number).filter(Number.isFinite));
  } catch {
    return 0; // No attempt has begun.
  }
}
