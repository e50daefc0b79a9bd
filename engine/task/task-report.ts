/**
 * What a task says of itself when somebody asks why nothing comes out: plain data, made between two slices,
 * when the state of all its operators is whole.
 *
 *     task ──▶ source: splits, position, whether it waits
 *          ──▶ operators: what each one tells (`Operator.inspect`)
 *          ──▶ outputs: channels that have no room
 *
 * A thread that is busy in a user's function answers nothing; its counters in shared memory
 * (engine/task/task-metrics.ts) say where it is.
 *
 * Before: engine/task/task.ts. After: coordinator/job/job-inspection.ts.
 */
import type { Json } from '../contracts/json.ts';
import type { SourceReport } from '../operators/source-operator.ts';
import type { TaskState } from './task-state.ts';

// Type aliases, not interfaces: only those are assignable to `Json`.

/** An edge that leaves the task's vertex. */
export type FullOutput = {
  /** Its place among the edges that leave the vertex, in the order of the plan. */
  readonly edge: number;
  /** Channels without room, by their place among those of this task. */
  readonly channels: readonly number[];
};

export type TaskReport = {
  readonly state: TaskState;
  /** Null behind an exchange. */
  readonly source: SourceReport | null;
  /** By place in the chain: what operators tell; null where one tells nothing. */
  readonly operators: readonly Json[];
  readonly fullOutputs: readonly FullOutput[];
};
