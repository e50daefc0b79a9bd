/**
 * What a job that runs can be asked over its socket: methods of base/rpc, with JSON in and out. The socket and
 * who asks are of the same version, or the answer is RPC_NO_METHOD.
 *
 * After: cli/control/job-socket.ts, cli/control/job-client.ts.
 */

import type { CheckpointsView, RestartsView } from '../../coordinator/job/checkpoints-view.ts';
import type { Finding } from '../../coordinator/job/job-findings.ts';
import type { Rescaled, SavedJob } from '../../coordinator/job/job-handle.ts';
import type { JobInspection } from '../../coordinator/job/job-inspection.ts';
import type { KeyState } from '../../coordinator/job/key-state.ts';

export const jobMethods = {
  describe: 'job.describe',
  why: 'job.why',
  stateOf: 'job.state-of',
  cancel: 'job.cancel',
  savepoint: 'job.savepoint',
  stop: 'job.stop-with-savepoint',
  rescale: 'job.rescale',
  checkpoints: 'job.checkpoints',
} as const;

export interface JobDescription {
  readonly name: string;
  /** Null until the job has been planned. */
  readonly id: string | null;
  readonly pid: number;
  readonly file: string;
  /** When it was started, in ms since 1970. */
  readonly sinceMs: number;
  readonly seconds: number;
  readonly phase: 'starting' | 'running' | 'committing' | 'stopping';
  readonly rowsIn: number;
  readonly bytesIn: number;
  readonly rowsOut: number;
  readonly deadLetters: number;
  /** Rows that sources have read per second, over the last few seconds. */
  readonly rowsPerSecond: number;
  /** How much of the work is done, 0 to 1. */
  readonly share: number;
}

/** Why nothing comes out; null while the job has no tasks. */
export interface WhyAnswer {
  readonly inspection: JobInspection | null;
  readonly findings: readonly Finding[];
}

export interface StateRequest {
  /** Its id, or its name. */
  readonly operator: string;
  readonly key: string;
}

export interface StateReply {
  /** Null when the operator has no state for the key. */
  readonly found: KeyState | null;
}

export interface SavepointRequest {
  /** An absolute path. */
  readonly folder: string;
}

export interface StopRequest {
  /** An absolute path; null: the savepoint stays where the job's checkpoints are. */
  readonly folder: string | null;
  readonly drains: boolean;
}

export interface RescaleRequest {
  /** 1 to 128. */
  readonly parallelism: number;
}

export type RescaleReply = Rescaled;

export interface CheckpointsReply {
  readonly checkpoints: CheckpointsView;
  readonly restarts: RestartsView;
}

export interface SavepointReply {
  readonly checkpointId: number;
  /** The folder with its manifest. */
  readonly path: string;
}

/** A program's own view of the job that it runs. */
export interface JobControl {
  /** Null until the job has been planned. */
  readonly jobId: string | null;
  /** Whether it is on its way to an end without a result. */
  readonly isStopping: boolean;
  /** Null while there are no tasks. */
  inspect(): Promise<JobInspection | null>;
  /** @throws As `JobMaster.stateOf`, and JOB_NOT_RUNNING before it runs. */
  stateOf(operator: string, key: string): Promise<KeyState | null>;
  /** @throws JOB_HAS_NO_CHECKPOINTS, and JOB_NOT_RUNNING before it runs. */
  saved(): SavedJob;
}
