/**
 * A job that a command has found, on this machine or on a cluster: who it is, and what can be asked of it.
 *
 * Before: cli/control/reach-job.ts. After: coordinator/protocol/jobs.ts.
 */
import type { JobDescription } from '../../coordinator/protocol/jobs.ts';

export interface JobCall {
  /** Of coordinator/protocol/jobs.ts. */
  readonly method: string;
  readonly body?: unknown;
  readonly deadlineMs: number;
}

export interface ReachedJob {
  readonly description: JobDescription;
  /** @throws JOB_NOT_RUNNING when it has ended meanwhile, JOB_NOT_ANSWERING, and what the job answers with */
  ask<T>(call: JobCall): Promise<T>;
  /** Whether the job has gone before a deadline. */
  hasEnded(): Promise<boolean>;
}
