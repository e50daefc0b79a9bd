/**
 * What coordinator and workers say to each other: the only file of coordinator/ that others import.
 * Small JSON objects over `base/rpc`; data never goes this way.
 *
 *     worker ──register──────────────▶ coordinator     once, with its slots
 *     worker ◀──ping──────────────────── coordinator    whether its process goes on, where that is another one
 *     worker ◀──deploy───────────────── coordinator    the tasks of one attempt of a region
 *     worker ◀──stopTasks / stop─────── coordinator    those of one attempt; all of the job
 *     worker ──requestSplit──────────▶ coordinator     a task has room for another split
 *     worker ──taskFinished / failed─▶ coordinator     one task; jobFailed: what no retry helps
 *     worker ◀──ask────────────────────── coordinator    what tasks say of themselves, or of a key's state
 *     worker ◀──triggerCheckpoint───── coordinator    sources send a barrier
 *     worker ◀──orderSources────────── coordinator    sources that have halted go on; or all end where they are
 *     worker ◀──cancelCheckpoint────── coordinator    nothing will come of one: tasks stop working for it
 *     worker ──taskCheckpointed──────▶ coordinator     a task's part is on disk, or can't be
 *     worker ──metrics───────────────▶ coordinator     every `metricsIntervalMs`, and at the end
 *
 * Every call carries the leader's term, and the rpc layer refuses older ones; every message of a job
 * carries its epoch (the attempt's number), and the receiver takes only the running attempt's.
 */
import type { WireError } from '../base/typed-error.ts';
import type { RunFlags } from '../engine/api/endpoints.ts';
import type { CheckpointTrigger } from '../engine/checkpoint/barrier.ts';
import type { TaskSnapshot } from '../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../engine/contracts/json.ts';
import type { SourceSnapshot } from '../engine/contracts/snapshot.ts';
import type { Skipped, Split } from '../engine/contracts/source.ts';
import type { PartitionBytes } from '../engine/plan/map-output-read.ts';
import type { PhysicalGraph } from '../engine/plan/physical-graph.ts';
import type { CheckpointReport } from '../engine/task/task-checkpoints.ts';
import type { OperatorLatency } from '../engine/task/task-latency.ts';
import type { TaskReport } from '../engine/task/task-report.ts';

export const metricsIntervalMs = 100;

/** How long a control call may take; all of them answer at once in a healthy process. */
export const controlDeadlineMs = 10_000;

/** How long slot threads may take to answer a question; one that is busy in a user's function answers none. */
export const askDeadlineMs = 2_000;

/** How long a worker may take to stop the tasks of a job before their threads are ended. */
export const stopDeadlineMs = 5_000;

export const methods = {
  register: 'worker.register',
  ping: 'worker.ping',
  requestSplit: 'task.request-split',
  taskFinished: 'task.finished',
  taskFailed: 'task.failed',
  jobFailed: 'job.failed',
  metrics: 'job.metrics',
  deploy: 'job.deploy',
  stopTasks: 'job.stop-tasks',
  stop: 'job.stop',
  ask: 'job.ask',
  triggerCheckpoint: 'job.trigger-checkpoint',
  orderSources: 'job.order-sources',
  cancelCheckpoint: 'job.cancel-checkpoint',
  taskCheckpointed: 'task.checkpointed',
} as const;

export interface RegisterRequest {
  readonly workerId: string;
  readonly address: string;
  readonly slotCount: number;
  /** Where other workers get rows from its tasks; absent where it has no exchange. */
  readonly exchangeAddress?: string;
  /** In a cluster: which of the executors that were asked for this is. */
  readonly executorId?: string;
  /** Where its tasks' files are, map outputs among them: an absolute path on the disk that workers share. */
  readonly spillFolder?: string;
}

export interface RegisterAnswer {
  /** The leader's fencing token, to be sent with every call. */
  readonly term: number;
}

/** Of a module that is a bundle, before its hash: executors know where they have it. */
export const bundleScheme = 'bundle:';

/** How a slot thread finds the user's functions: it loads the module and builds the same graph. */
export interface JobModule {
  readonly file: string;
  readonly params: Readonly<Record<string, Json>>;
  readonly flags: RunFlags;
  /** Of the logical graph; a thread that builds another one refuses to run it. */
  readonly fingerprint: string;
}

export interface JobRef {
  readonly jobId: string;
  readonly epoch: number;
}

/** The tasks of one attempt of a region (coordinator/scheduler/regions.ts). */
export interface DeployRequest extends JobRef {
  readonly graph: PhysicalGraph;
  readonly module: JobModule;
  /** Number of the region's attempt, from 1 on; part of all names that its tasks write to. */
  readonly attempt: number;
  /** Task id → slot index of the worker. */
  readonly slots: Readonly<Record<string, number>>;
  /** Task id → in how many shares the memory of its slot goes (coordinator/scheduler/placement.ts). */
  readonly slotWeights: Readonly<Record<string, number>>;
  /** Task id → the exchange address of its worker, of those tasks of the region that run on another one. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Task id → the attempt whose map output is to be read, for all tasks that these read from. */
  readonly inputs: Readonly<Record<string, number>>;
  /** Task id → the folder of spill files of the process that has written what is read of it, where that is another one. */
  readonly inputFolders?: Readonly<Record<string, string>>;
  /** Sink operator id → what its committer prepared. */
  readonly prepared: Readonly<Record<string, Json>>;
  /** Where its checkpoints are, and what it goes on from; null where it has none. */
  readonly checkpoints: DeployedCheckpoints | null;
}

export interface DeployedCheckpoints {
  /** Of the job's checkpoints, on a disk that its workers share. */
  readonly folder: string;
  /** Where the paths of those parts begin that tasks go on from. */
  readonly restoredFrom: string;
  /** The tasks of the checkpoint that the job goes on from; none where it begins anew. */
  readonly restored: readonly TaskSnapshot[];
}

export interface TriggerCheckpointRequest extends JobRef, CheckpointTrigger {}

export interface CancelCheckpointRequest extends JobRef {
  readonly checkpointId: number;
}

export interface OrderSourcesRequest extends JobRef {
  /** `goOn`: those that have halted. `end`: all, where they are, as if there were no more to read. */
  readonly order: 'goOn' | 'end';
}

export interface StopTasksRequest extends JobRef {
  readonly attempt: number;
  readonly taskIds: readonly string[];
}

export interface StopRequest extends JobRef {}

/** What is asked of the tasks of a job that runs. */
export type Question =
  /** What they say of themselves. */
  | { readonly kind: 'inspect' }
  /** The state that an operator has for a key, as a person wrote the key. */
  | { readonly kind: 'stateOf'; readonly operatorId: string; readonly key: string };

export interface AskRequest extends JobRef {
  readonly question: Question;
}

export interface AskAnswer {
  /** Of all tasks that have not ended. */
  readonly tasks: readonly TaskAnswer[];
}

/** What is known of a task; null where its thread does not answer in time, or has nothing to say. */
export interface TaskAnswer {
  readonly taskId: string;
  readonly attempt: number;
  readonly slotIndex: number;
  /** Whether the thread has answered. */
  readonly hasAnswered: boolean;
  /** To `inspect`. */
  readonly report: TaskReport | null;
  /** To `stateOf`. */
  readonly state: StateAnswer | null;
  /** Why it can't tell: the key is none of the operator's, say. */
  readonly error: WireError | null;
  readonly activity: TaskActivity;
}

/** What a task has of a key. */
export interface StateAnswer {
  /** Whether it has an operator of that id with state by key. */
  readonly keepsState: boolean;
  /** Whether the key's state is here. */
  readonly isHere: boolean;
  readonly value: Json;
}

/** What a task does now, as its counters in shared memory have it, whether its thread answers or not. */
export interface TaskActivity {
  /** Place in the chain of the operator that runs now; -1 between slices; the chain's length is the output. */
  readonly operator: number;
  /** When that began, in milliseconds of the thread's clock: to be compared with itself only. */
  readonly sinceMs: number;
  readonly counters: readonly OperatorCounters[];
}

/** A message about one attempt of a task. */
export interface TaskAttemptRef extends JobRef {
  readonly taskId: string;
  readonly attempt: number;
}

export interface SplitRequest extends TaskAttemptRef {}

export interface SplitAnswer {
  /** Null: there are no more, or none now. */
  readonly split: Split | null;
  /** There are none now: when to ask again. */
  readonly againAfterMs?: number;
}

export interface TaskFinished extends TaskAttemptRef {
  /** What the task's sink writer wrote, for the committer; null for a task without sink. */
  readonly write: Json;
  readonly partitionBytes: PartitionBytes;
  /** Of a task with a source, in a job with checkpoints: what it has read. */
  readonly source: SourceSnapshot | null;
  /** The counters as they are at the end. */
  readonly metrics: TaskCounters;
}

/** What a task has to say of a checkpoint. */
export type TaskCheckpointed = TaskAttemptRef & CheckpointReport;

export interface TaskFailed extends TaskAttemptRef {
  readonly error: WireError;
}

export interface JobFailed extends JobRef {
  readonly error: WireError;
}

/** Counters of one operator in one task. */
export interface OperatorCounters {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly busyMs: number;
  readonly bytesSpilled: number;
}

/** Counters of one attempt of a task. */
export interface TaskCounters {
  readonly taskId: string;
  readonly attempt: number;
  /** Bytes of input that its source has read. */
  readonly bytesIn: number;
  /** What its source has left out. */
  readonly skipped: Skipped;
  /** Bytes that it has put into map outputs. */
  readonly bytesShuffled: number;
  /** By place in the chain of the task's vertex. */
  readonly operators: readonly OperatorCounters[];
  /** How long rows and windows have taken, by place in the chain; where that is measured. */
  readonly latency?: readonly OperatorLatency[];
  /** What functions have counted, once the task is done. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Rows that operators have noted, by place in the chain and then by reason, once the task is done. */
  readonly notedRows?: readonly Readonly<Record<string, number>>[];
}

export interface MetricsReport extends JobRef {
  readonly tasks: readonly TaskCounters[];
}

/** `v2[1]`: the second task of vertex v2. */
export function taskIdOf(vertexId: string, taskIndex: number): string {
  return `${vertexId}[${taskIndex}]`;
}

/** Its number among the tasks of its vertex. */
export function taskIndexOf(taskId: string): number {
  return Number(taskId.slice(taskId.lastIndexOf('[') + 1, -1));
}

/** The vertex that a task belongs to. */
export function vertexIdOf(taskId: string): string {
  return taskId.slice(0, taskId.lastIndexOf('['));
}
