/**
 * What clients ask the coordinator of a cluster, over `base/rpc`: to take jobs, and of a job what one on this machine can be
 * asked over its socket (jobs.ts), with `OfJob` beside it.
 *
 *     hello ─▶ putBundle, part by part, where it is not there ─▶ submit ─▶ watch, describe, … with the job's id
 *
 * Who does not lead answers CLUSTER_NOT_LEADING, with the leader's address in the details.
 */

import type { WireError } from '../../base/typed-error.ts';
import { typedError } from '../../base/typed-error.ts';
import type { RunFlags } from '../../engine/api/endpoints.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { JobMode, LogicalGraph } from '../../engine/plan/logical-graph.ts';
import type { CheckpointRequest } from '../job/checkpointed-job.ts';
import type { JobOutcome, JobProgress } from '../job/job-outcome.ts';
import type { Shuffle } from '../planner/plan-step.ts';
import type { JobDescription, JobPhase } from './jobs.ts';

export const clientMethods = {
  hello: 'cluster.hello',
  putBundle: 'cluster.put-bundle',
  submit: 'cluster.submit',
  jobs: 'cluster.jobs',
  workers: 'cluster.workers',
  quotas: 'cluster.quotas',
  setQuota: 'cluster.set-quota',
  schedules: 'cluster.schedules',
  setSchedule: 'cluster.set-schedule',
  removeSchedule: 'cluster.remove-schedule',
  history: 'cluster.history',
  watch: 'cluster.watch',
  logs: 'cluster.logs',
} as const;

export const watchIntervalMs = 100;

/** A job's module with all that it imports; larger ones are data rather than code. */
export const bundleBytesMax = 64 * 1024 * 1024;

export interface HelloRequest {
  readonly version: number;
}

export interface HelloAnswer {
  readonly version: number;
  readonly coordinatorId: string;
  readonly term: number;
}

export interface PutBundleRequest {
  /** SHA-256 of all of it, in hex. */
  readonly hash: string;
  readonly part: number;
  /** Base64, of `bundlePartBytes` at most (members.ts); empty asks whether the bundle is there. */
  readonly data: string;
  readonly isLast: boolean;
}

export interface PutBundleAnswer {
  /** Whether all of it is there. */
  readonly isStored: boolean;
}

/** A job to be run. Paths are absolute: nobody there knows the folder of who submits. */
export interface ClusterSubmission {
  readonly graph: LogicalGraph;
  readonly bundle: string;
  readonly params: Readonly<Record<string, Json>>;
  readonly flags: RunFlags;
  readonly fingerprint: string;
  /** Slots that it needs. */
  readonly parallelism: number;
  readonly partitions?: number;
  readonly slotMemoryBytes: number;
  readonly shuffle?: Shuffle;
  readonly mode?: JobMode;
  readonly latencyIntervalMs?: number | null;
  readonly speculates?: boolean;
  readonly isAdaptive?: boolean;
  readonly checkpoints?: Omit<CheckpointRequest, 'onFindings'>;
  readonly priority: number;
  readonly namespace: string;
  /** Whether to refuse it when what it needs does not exist. */
  readonly isFailFast: boolean;
}

export interface SubmitRequest {
  /** Chosen by who submits: the same again is the same job. */
  readonly jobId: string;
  readonly job: ClusterSubmission;
}

/** It becomes a part of names on disks. @throws JOB_ID_INVALID */
export function checkJobId(jobId: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,120}$/.test(jobId)) return;
  throw typedError('JOB_ID_INVALID', `"${jobId.slice(0, 200)}" is no id of a job`, {
    hint: 'Use up to 121 letters, digits, dots, hyphens and underscores, the first of which is a letter or a digit.',
  });
}

export interface SubmitAnswer {
  readonly jobId: string;
}

/** A request about one job: its id, or the name that one job only has. */
export interface OfJob {
  readonly job: string;
}

/** Of a job without an end, its `describe` as well. */
export interface ClusterJob extends JobDescription {
  readonly id: string;
  readonly namespace: string;
  readonly priority: number;
  /** That it has, or needs. */
  readonly slots: number;
  /** Of the attempt that runs, or ran last; 0 before the first. */
  readonly epoch: number;
  /** Those that its attempt is on. */
  readonly workers: readonly string[];
  /** Why it does not run: what it waits for, or what ended the attempt before; null while it runs. */
  readonly reason: string | null;
}

/** Jobs without an end, the oldest first. */
export interface JobsAnswer {
  readonly jobs: readonly ClusterJob[];
}

export interface EndedJob {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly status: JobOutcome['status'];
  /** When it was submitted, in ms since 1970. */
  readonly sinceMs: number;
  readonly endedMs: number;
  /** How many attempts it had. */
  readonly epoch: number;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly error: WireError | null;
}

/** Jobs with an end, the newest first, as far as they are remembered. */
export interface HistoryAnswer {
  readonly jobs: readonly EndedJob[];
}

/** How far a job is, for who waits for its end: asked every `watchIntervalMs`. */
export interface WatchAnswer {
  readonly job: Pick<ClusterJob, 'id' | 'name' | 'seconds' | 'epoch' | 'workers' | 'reason'> & {
    readonly phase: JobPhase;
  };
  /** Of the attempt that runs; null while none does. */
  readonly progress: Omit<JobProgress, 'phase'> | null;
  /** Null until it has ended. */
  readonly outcome: JobOutcome | null;
}

export interface WorkerView {
  readonly workerId: string;
  readonly incarnation: number;
  readonly address: string;
  readonly slots: number;
  readonly freeSlots: number;
  readonly memoryBytes: number;
  readonly isSuspected: boolean;
  readonly jobs: readonly string[];
}

export interface WorkersAnswer {
  readonly workers: readonly WorkerView[];
}

/** What the jobs of a namespace may have together, and what they have. */
export interface QuotaView {
  readonly namespace: string;
  /** Null where nobody has set a quota. */
  readonly slotsMax: number | null;
  readonly memoryBytesMax: number | null;
  readonly slotsUsed: number;
  readonly memoryBytesUsed: number;
}

/** Namespaces with a quota, and those with jobs. */
export interface QuotasAnswer {
  readonly quotas: readonly QuotaView[];
}

export interface SetQuotaRequest {
  readonly namespace: string;
  /** 0 or more; a namespace whose quota is 0 runs nothing. */
  readonly slotsMax: number;
  readonly memoryBytesMax: number;
}

/** A job that is to begin at times, each time as a job of its own. */
export interface SetScheduleRequest {
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly missed: 'once' | 'skip';
  readonly overlap: 'skip' | 'allow';
  readonly job: ClusterSubmission;
}

export interface OfSchedule {
  readonly name: string;
}

export interface ScheduleView extends Omit<SetScheduleRequest, 'job'> {
  readonly jobName: string;
  /** In ms since 1970; null where there is no more time. */
  readonly nextMs: number | null;
  /** The newest time for which it began a job, and the id of that job. */
  readonly fired: { readonly dueMs: number; readonly jobId: string } | null;
  /** The newest time that was left out. */
  readonly skipped: { readonly dueMs: number; readonly reason: string } | null;
}

/** By name. */
export interface SchedulesAnswer {
  readonly schedules: readonly ScheduleView[];
}

export interface LogsRequest extends OfJob {
  /** Where to go on by worker; none: the last of each. */
  readonly from: Readonly<Record<string, number>>;
}

export interface LogsAnswer {
  readonly parts: readonly { readonly workerId: string; readonly text: string }[];
  readonly next: Readonly<Record<string, number>>;
  readonly isEnd: boolean;
}
