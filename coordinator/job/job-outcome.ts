/**
 * What is told of a job: while it runs, and when it has ended.
 *
 * Before: coordinator/job/job-master.ts. After: cli/embedded.ts.
 */
import type { LatencySummary } from '../../base/latency-histogram.ts';
import type { WireError } from '../../base/typed-error.ts';
import type { CheckpointsView, RestartsView } from './checkpoints-view.ts';
import type { JobTotals, OperatorTotals } from './job-metrics.ts';
import type { JobState } from './job-state.ts';
import type { StageTotals } from './stage-totals.ts';

export interface JobOutcome {
  /** `stopped`: with a savepoint, to be gone on with. */
  readonly status: 'finished' | 'failed' | 'cancelled' | 'stopped';
  readonly error: WireError | null;
  readonly totals: JobTotals;
  readonly operators: readonly OperatorTotals[];
  /** From sources to sinks; null where it is not measured. */
  readonly latency: LatencySummary | null;
  /** What functions have counted, by name. */
  readonly counts: Readonly<Record<string, number>>;
  readonly stages: readonly StageTotals[];
  readonly inputCount: number;
  /** Of one that was stopped or drained: the folder of its savepoint. */
  readonly savepoint?: string;
  /** Of one with checkpoints: what became of them, and why it was started again. */
  readonly checkpoints?: CheckpointsView;
  readonly restarts?: RestartsView;
}

export interface JobProgress extends JobTotals {
  readonly phase: JobState['kind'];
  /** Bytes of all splits; 0 until they are known. */
  readonly bytesTotal: number;
  readonly stages: readonly StageTotals[];
  /** How much of the work is done, 0 to 1. */
  readonly share: number;
}
