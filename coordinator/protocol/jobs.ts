/**
 * What a job that runs can be asked, with JSON in and out: one on this machine over its socket, one of a cluster over the
 * coordinator, with `job` beside what is asked (`OfJob` of clients.ts). Who asks is of the same version, or the answer is
 * RPC_NO_METHOD.
 *
 * After: coordinator/job/job-service.ts.
 */
import type { CheckpointsView, RestartsView } from '../job/checkpoints-view.ts';
import type { Finding } from '../job/job-findings.ts';
import type { Rescaled } from '../job/job-handle.ts';
import type { JobInspection } from '../job/job-inspection.ts';
import type { KeyState } from '../job/key-state.ts';

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

/** `queued` and those from `restarting` on are of clusters only: a process of its own is gone when its job is. */
export type JobPhase =
  | 'queued'
  | 'starting'
  | 'running'
  | 'committing'
  | 'stopping'
  | 'restarting'
  | 'finished'
  | 'failed'
  | 'cancelled'
  | 'stopped';

export const endPhases: ReadonlySet<JobPhase> = new Set([
  ...(['finished', 'failed', 'cancelled', 'stopped'] as const),
]);

export interface JobDescription {
  readonly name: string;
  /** Null until the job has been planned. */
  readonly id: string | null;
  /** Of the program that runs it; null on a cluster. */
  readonly pid: number | null;
  readonly file: string;
  /** When it was started, in ms since 1970. */
  readonly sinceMs: number;
  readonly seconds: number;
  readonly phase: JobPhase;
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

export interface CancelReply {
  /** False when it is too late: it is writing its result. */
  readonly isCancelled: boolean;
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
