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
  /** From the beginning of its attempt on. */
  readonly lifeMs: number;
}

/** Whether it was killed; a run that ends before was not. */
export async function killRun({ start, logFolder, lifeMs }: KilledRun): Promise<boolean> {
  const before = lastEntry(logFolder);
  const { ended, kill } = start();
  const over = ended.then(() => true);
  while (lastEntry(logFolder) === before) {
    if (await Promise.race([over, sleep(5, false)])) return false;
  }
  // When it dies is the test.
  if (await Promise.race([over, sleep(lifeMs, false)])) return false;
  kill('SIGKILL');
  return (await ended).signal === 'SIGKILL';
}

/** The name of the newest entry in the log of checkpoints; empty without one. */
function lastEntry(logFolder: string): string {
  try {
    return readdirSync(logFolder).sort().at(-1) ?? '';
  } catch {
    return ''; // No attempt has begun.
  }
}
