/**
 * How a job ended, and what it read and wrote: the same of a job that ran in this process and of one that ran on a cluster.
 *
 * Before: cli/embedded.ts, cli/cluster/cluster-run.ts. After: cli/summary.ts.
 */
import type { LatencySummary } from '../base/latency-histogram.ts';
import type { WireError } from '../base/typed-error.ts';
import type { JobTotals } from '../coordinator/job/job-metrics.ts';
import type { JobOutcome } from '../coordinator/job/job-outcome.ts';

/** How a job ended, and what it read and wrote. */
export interface JobSummary {
  readonly job: string;
  /** Of a job of a cluster. */
  readonly id?: string;
  readonly status: JobOutcome['status'];
  /** Files, topics, tables: what a person counts as inputs. */
  readonly inputCount: number;
  readonly rowsIn: number;
  readonly bytesIn: number;
  readonly rowsOut: number;
  /** Records that could not be read and went to a sink of their own. */
  readonly deadLetters: number;
  /** What sources left out, since what the job asks of rows holds for none of it; absent where nothing. */
  readonly skipped?: JobTotals['skipped'];
  readonly seconds: number;
  /** Null of a job of a cluster: its processes are several, and gone. */
  readonly peakMemoryBytes: number | null;
  readonly operators: JobOutcome['operators'];
  /** From sources to sinks, of a stream; absent where it is not measured. */
  readonly latency?: LatencySummary;
  /** What functions of mapReduce have counted; absent where nothing. */
  readonly counters?: JobOutcome['counts'];
  readonly stages: JobOutcome['stages'];
  /** Of one that was stopped or drained: the folder of its savepoint. */
  readonly savepoint?: string;
  /** Of one with checkpoints: what became of them, and why it was started again. */
  readonly checkpoints?: JobOutcome['checkpoints'];
  readonly restarts?: JobOutcome['restarts'];
  readonly error?: WireError;
}

type Own = Pick<JobSummary, 'job' | 'id' | 'seconds' | 'peakMemoryBytes'>;

/** What is told of an outcome, with what is known of the job beside it. */
export function jobSummaryOf(outcome: JobOutcome, { job, id, ...own }: Own): JobSummary {
  const { status, error, operators, latency, counts, stages, inputCount, savepoint } = outcome;
  const { checkpoints, restarts } = outcome;
  const { skipped, ...totals } = outcome.totals;
  return {
    job,
    ...(id !== undefined && { id }),
    ...{ status, inputCount, ...totals },
    ...(skipped.rows > 0 && { skipped }),
    ...own,
    operators,
    ...(latency !== null && { latency }),
    ...(Object.keys(counts).length > 0 && { counters: counts }),
    stages,
    ...(savepoint !== undefined && { savepoint }),
    ...(checkpoints !== undefined && { checkpoints }),
    ...(restarts !== undefined && { restarts }),
    ...(error && { error }),
  };
}
