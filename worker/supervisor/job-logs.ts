/**
 * The logs of all jobs on this worker: a folder for each, of which the newest are kept.
 *
 * Before: worker/supervisor/supervisor.ts. After: worker/supervisor/job-log.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { JobLog } from './job-log.ts';

type LogsEnv = Pick<Env, 'disk' | 'observe'>;

/** 100 of 16 MiB each are 1.6 GB at most. */
const logsMaxDefault = 100;

export class JobLogs {
  readonly #env: LogsEnv;
  readonly #folder: string;
  readonly #logsMax: number;
  readonly #logs = new Map<string, JobLog>();

  constructor(
    env: LogsEnv,
    { folder, logsMax = logsMaxDefault }: { folder: string; logsMax?: number },
  ) {
    this.#env = env;
    this.#folder = folder;
    this.#logsMax = logsMax;
  }

  /** Makes the folder, and removes what jobs have left that are long over. */
  async open(): Promise<void> {
    const { disk } = this.#env;
    await disk.makeDir(this.#folder, true);
    const entries = await disk.list(this.#folder);
    const logs = await Promise.all(
      entries.map(async ({ name }) => {
        const path = `${this.#folder}/${name}`;
        return { path, ms: (await disk.stat(path))?.modifiedMs ?? 0 };
      }),
    );
    logs.sort((a, b) => b.ms - a.ms || (a.path < b.path ? -1 : 1));
    for (const { path } of logs.slice(this.#logsMax)) await disk.removeTree(path);
  }

  /** @param jobId - Fit to be a name on a disk. */
  of(jobId: string): JobLog {
    const known = this.#logs.get(jobId);
    const log = known ?? new JobLog(this.#env, { folder: `${this.#folder}/${jobId}` });
    // The one that was asked for last is the last; who is asked for again finds what is on disk.
    this.#logs.delete(jobId);
    this.#logs.set(jobId, log);
    return log;
  }

  /** A job has no executor here any more. */
  forget(jobId: string): void {
    this.#logs.delete(jobId);
  }
}
