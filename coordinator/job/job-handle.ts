/**
 * A job that runs here, whichever of its attempts does so now: what who submitted it can ask of it.
 *
 * Before: cli/embedded.ts. After: coordinator/job/job-master.ts, coordinator/job/job-attempts.ts.
 */
import type { WireError } from '../../base/typed-error.ts';
import type { JobInspection } from './job-inspection.ts';
import type { JobOutcome, JobProgress } from './job-master.ts';
import type { KeyState } from './key-state.ts';

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
}
