/**
 * What coordinator and workers say to each other: the only file of coordinator/ that others import.
 * Small JSON objects over `base/rpc`; data never goes this way.
 *
 *     worker ──register──────────────▶ coordinator     once, with its slots
 *     worker ◀──deploy / stop───────── coordinator     tasks of one job attempt
 *     worker ──requestSplit──────────▶ coordinator     a task has room for another split
 *     worker ──taskFinished / failed─▶ coordinator
 *     worker ──metrics───────────────▶ coordinator     every `metricsIntervalMs`, and at the end
 *
 * Every call carries the leader's term, and the rpc layer refuses older ones; every message of a job
 * carries its epoch (the attempt's number), and the receiver takes only the running attempt's.
 */
import type { WireError } from '../base/typed-error.ts';
import type { RunFlags } from '../engine/api/stream.ts';
import type { Json } from '../engine/contracts/json.ts';
import type { Skipped, Split } from '../engine/contracts/source.ts';
import type { PhysicalGraph } from '../engine/plan/physical-graph.ts';

export const metricsIntervalMs = 100;

/** How long a control call may take; all of them answer at once in a healthy process. */
export const controlDeadlineMs = 10_000;

/** How long a worker may take to stop the tasks of a job before their threads are ended. */
export const stopDeadlineMs = 5_000;

export const methods = {
  register: 'worker.register',
  requestSplit: 'task.request-split',
  taskFinished: 'task.finished',
  jobFailed: 'job.failed',
  metrics: 'job.metrics',
  deploy: 'job.deploy',
  stop: 'job.stop',
} as const;

export interface RegisterRequest {
  readonly workerId: string;
  readonly address: string;
  readonly slotCount: number;
}

export interface RegisterAnswer {
  /** The leader's fencing token, to be sent with every call. */
  readonly term: number;
}

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

export interface DeployRequest extends JobRef {
  readonly graph: PhysicalGraph;
  readonly module: JobModule;
  /** Task id → slot index of the worker. */
  readonly slots: Readonly<Record<string, number>>;
  /** Sink operator id → what its committer prepared. */
  readonly prepared: Readonly<Record<string, Json>>;
}

export interface StopRequest extends JobRef {}

export interface SplitRequest extends JobRef {
  readonly taskId: string;
}

export interface SplitAnswer {
  /** Null: there are no more. */
  readonly split: Split | null;
}

export interface TaskFinished extends JobRef {
  readonly taskId: string;
  /** What the task's sink writer wrote, for the committer; null for a task without sink. */
  readonly write: Json;
}

export interface JobFailed extends JobRef {
  readonly taskId: string;
  readonly error: WireError;
}

/** Counters of one operator in one task. */
export interface OperatorMetrics {
  readonly taskId: string;
  /** Place in the chain of the task's vertex. */
  readonly operatorIndex: number;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly bytesIn: number;
  readonly busyMs: number;
  readonly bytesSpilled: number;
  /** Of a source. */
  readonly skipped?: Skipped;
}

export interface MetricsReport extends JobRef {
  readonly operators: readonly OperatorMetrics[];
}

/** `v2[1]`: the second task of vertex v2. */
export function taskIdOf(vertexId: string, taskIndex: number): string {
  return `${vertexId}[${taskIndex}]`;
}

/** The vertex that a task belongs to. */
export function vertexIdOf(taskId: string): string {
  return taskId.slice(0, taskId.lastIndexOf('['));
}
