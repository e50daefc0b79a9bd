/**
 * What clients ask the coordinator of a cluster, over `base/rpc`: to take jobs, and of jobs what a job on this machine
 * can be asked over its socket. There `JobDescription` and its like are those of cli/control/job-api.ts.
 *
 *     hello ─▶ putBundle, part by part, where it is not there ─▶ submit ─▶ describe, … with the job's id
 *
 * Who does not lead answers CLUSTER_NOT_LEADING, with the leader's address in the details.
 */
import type { RunFlags } from '../../engine/api/endpoints.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { JobMode, LogicalGraph } from '../../engine/plan/logical-graph.ts';
import type { CheckpointRequest } from '../job/checkpointed-job.ts';
import type { Shuffle } from '../planner/plan-step.ts';

export const clientMethods = {
  hello: 'cluster.hello',
  putBundle: 'cluster.put-bundle',
  submit: 'cluster.submit',
  jobs: 'cluster.jobs',
  workers: 'cluster.workers',
  history: 'cluster.history',
  logs: 'cluster.logs',
} as const;

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
  /** Base64; empty asks whether the bundle is there. */
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

export interface SubmitAnswer {
  readonly jobId: string;
}

/** A request about one job: its id, or the name that one job only has. */
export interface OfJob {
  readonly job: string;
}

export type ClusterJobPhase =
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

export interface LogsRequest extends OfJob {
  /** Where to go on by worker; none: the last of each. */
  readonly from: Readonly<Record<string, number>>;
}

export interface LogsAnswer {
  readonly parts: readonly { readonly workerId: string; readonly text: string }[];
  readonly next: Readonly<Record<string, number>>;
  readonly isEnd: boolean;
}
