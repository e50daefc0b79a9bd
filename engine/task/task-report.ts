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
import type { Operator } from '../operators/operator.ts';
import type { SourceReport } from '../operators/source-operator.ts';
import type { ChannelTime } from '../time/watermark-coalescer.ts';
import type { TaskState } from './task-state.ts';

// Type aliases, not interfaces: only those are assignable to `Json`.

/** An edge that leaves the task's vertex. */
export type FullOutput = {
  /** Its place among the edges that leave the vertex, in the order of the plan. */
  readonly edge: number;
  /** Channels without room, by their place among those of this task. */
  readonly channels: readonly number[];
};

/** A channel of the input gate. Times are null before the first watermark. */
export type ChannelReport = {
  /** Its place among all channels of the gate, of all edges. */
  readonly channel: number;
  readonly watermarkMs: number | null;
  readonly isIdle: boolean;
};

export type OperatorReport = {
  /** What it says of itself; null when it says nothing. */
  readonly tells: Json;
  /** Whether it does something when event time goes on. */
  readonly waitsForTime: boolean;
  /** The last watermark that it was given, and when by the clock; null before the first. */
  readonly watermarkMs: number | null;
  readonly watermarkAtMs: number | null;
};

export type TaskReport = {
  readonly state: TaskState;
  /** Null behind an exchange. */
  readonly source: SourceReport | null;
  /** Channels that it reads from and that have not ended; none where there is only one. */
  readonly input: readonly ChannelReport[];
  /** By place in the chain. */
  readonly operators: readonly OperatorReport[];
  readonly fullOutputs: readonly FullOutput[];
};

export function channelReport({ channel, watermarkMs, isIdle }: ChannelTime): ChannelReport {
  return { channel, watermarkMs: finiteOrNull(watermarkMs), isIdle };
}

/** @param time - The last watermark that the operator was given, and when. */
export function operatorReport(
  operator: Operator | null,
  time: { readonly timeMs: number; readonly atMs: number } | null | undefined,
): OperatorReport {
  return {
    tells: operator?.inspect?.() ?? null,
    waitsForTime: operator?.advance !== undefined,
    watermarkMs: finiteOrNull(time?.timeMs),
    watermarkAtMs: finiteOrNull(time?.atMs),
  };
}

/** JSON has no infinity. */
function finiteOrNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
