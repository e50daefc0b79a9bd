/**
 * A job that runs here, whichever of its attempts does so now: what who submitted it can ask of it.
 *
 * Before: cli/embedded.ts. After: coordinator/job/job-master.ts, coordinator/job/job-attempts.ts.
 */
import type { WireError } from '../../base/typed-error.ts';
import type { CheckpointsView, RestartsView } from './checkpoints-view.ts';
import type { JobInspection } from './job-inspection.ts';
import type { JobOutcome, JobProgress } from './job-outcome.ts';
import type { KeyState } from './key-state.ts';
import type { Savepoint } from './savepoint-requests.ts';

export interface JobHandle {
  readonly jobId: string;
  /** How it ended; never rejects. */
  readonly done: Promise<JobOutcome>;
  cancel(reason: string): void;
  /** Ends it as failed. */
  fail(error: WireError): void;
  progress(): JobProgress;
  /** As `JobMaster.inspect`. */
  inspect(): Promise<JobInspection>;
  /** As `JobMaster.stateOf`. */
  stateOf(operator: string, key: string): Promise<KeyState | null>;
  /** Null of a job without checkpoints. */
  readonly saved: SavedJob | null;
}

/** What can be asked of a job with checkpoints. */
export interface SavedJob {
  /**
   * Takes a savepoint and copies it into a folder that is empty or not there; the job goes on.
   * @throws SAVEPOINT_FAILED, SAVEPOINT_TARGET_TAKEN, and errors of the disk
   */
  savepoint(folder: string): Promise<Savepoint>;
  /**
   * Ends the job with a savepoint; where that fails the job goes on.
   * @throws As `savepoint`
   */
  stop(request: StopRequest): Promise<Savepoint>;
  /**
   * Goes on with another number of tasks, from a checkpoint that is taken for this; where that fails as it was.
   * @throws RESCALE_REFUSED, SAVEPOINT_FAILED, and what keeps the plan from going on from there
   */
  rescale(parallelism: number): Promise<Rescaled>;
  /** Of all attempts. */
  checkpoints(): CheckpointsView;
  restarts(): RestartsView;
}

/** What became of a job that was given another parallelism. */
export interface Rescaled {
  readonly from: number;
  readonly to: number;
  /** That it went on from. */
  readonly checkpointId: number;
  /** Milliseconds from the barrier behind which nothing was given out until the new tasks were started. */
  readonly pausedMs: number;
}

export interface StopRequest {
  /** Null: the savepoint stays where the job's checkpoints are. */
  readonly folder: string | null;
  /** Whether sources end where they are, so that windows are complete and all is given out; else event time stays open. */
  readonly drains: boolean;
}
