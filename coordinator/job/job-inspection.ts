/**
 * A running job at one moment, put together from what its tasks answered and from the plan: which operators a
 * task has and what they tell, what it reads, who has no room for its rows.
 *
 *     TaskAnswer (of a slot thread)  +  PhysicalGraph  ──▶  TaskInspection, by names that a person knows
 *
 * Plain data. What follows from two of them is in job-findings.ts.
 *
 * Before: coordinator/job/job-master.ts. After: coordinator/job/job-findings.ts.
 */
import type { WireError } from '../../base/typed-error.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SourceReport } from '../../engine/operators/source-operator.ts';
import { channelsOf, vertexOf } from '../../engine/plan/channels.ts';
import {
  type Edge,
  type OperatorSpec,
  type PhysicalGraph,
  type Vertex,
  vertexPorts,
} from '../../engine/plan/physical-graph.ts';
import { type TaskAnswer, taskIdOf, taskIndexOf, vertexIdOf } from '../protocol.ts';
import type { JobTotals } from './job-metrics.ts';

export interface JobInspection extends JobTotals {
  readonly jobId: string;
  readonly phase: string;
  /** Of the coordinator's monotonic clock. */
  readonly atMs: number;
  readonly tasks: readonly TaskInspection[];
}

export interface TaskInspection {
  readonly taskId: string;
  readonly vertexId: string;
  readonly attempt: number;
  readonly slotIndex: number;
  /** Whether its thread has answered in time. */
  readonly hasAnswered: boolean;
  /** Why it has nothing to say although its thread has answered. */
  readonly error: WireError | null;
  /** Name of the operator that runs now; null between two slices. */
  readonly running: string | null;
  /** When that began, by the thread's clock. */
  readonly runningSinceMs: number;
  readonly source: SourceReport | null;
  readonly operators: readonly OperatorInspection[];
  /** Tasks that it has rows from and that have not ended. */
  readonly senders: readonly SenderTime[];
  /** Tasks that have no room for its rows. */
  readonly waitsFor: readonly WaitsFor[];
}

export interface OperatorInspection {
  /** Of the logical operator. */
  readonly id: string;
  readonly name: string;
  readonly kind: OperatorSpec['kind'];
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly busyMs: number;
  /** What it says of itself; null when it says nothing. */
  readonly tells: Json;
  /** Whether it does something when event time goes on. */
  readonly waitsForTime: boolean;
  /** The last watermark that it was given, and when by the clock; null before the first. */
  readonly watermarkMs: number | null;
  readonly watermarkAtMs: number | null;
}

/** A task that sends to another one, and how far it has promised event time. */
export interface SenderTime {
  readonly taskId: string;
  /** Null before its first watermark, and where there is no other sender. */
  readonly watermarkMs: number | null;
  readonly isIdle: boolean;
}

export interface WaitsFor {
  readonly edgeId: string;
  readonly taskId: string;
}

/** @param graph - Of the job that the answers are from. */
export function inspectTasks(
  graph: PhysicalGraph,
  answers: readonly TaskAnswer[],
): TaskInspection[] {
  return answers.map((answer) => {
    const { taskId, attempt, slotIndex, hasAnswered, error, activity, report } = answer;
    const vertex = vertexOf(graph, vertexIdOf(taskId));
    return {
      ...{ taskId, vertexId: vertex.id, attempt, slotIndex, hasAnswered, error },
      running: runningName(vertex, activity.operator),
      runningSinceMs: activity.sinceMs,
      source: report?.source ?? null,
      operators: vertex.chain.map(({ id, name, kind }, place) => {
        const { rowsIn = 0, rowsOut = 0, busyMs = 0 } = activity.counters[place] ?? {};
        const told = report?.operators[place] ?? tellsNothing;
        return { id, name, kind, rowsIn, rowsOut, busyMs, ...told };
      }),
      senders: senderTimes(graph, vertex, answer),
      waitsFor: waitsFor(graph, vertex, answer),
    };
  });
}

const tellsNothing = { tells: null, waitsForTime: false, watermarkMs: null, watermarkAtMs: null };

/** The channels of the gate, by the tasks at their other ends: in the order of the edges, then of the senders. */
function senderTimes(graph: PhysicalGraph, { id }: Vertex, answer: TaskAnswer): SenderTime[] {
  const { taskId, report } = answer;
  const isStream = ({ to, port }: Edge) =>
    to === id && (port === vertexPorts.rows || port === vertexPorts.right);
  const senders = graph.edges.filter(isStream).flatMap((edge) =>
    channelsOf(graph, edge)
      .filter(({ receiver }) => receiver === taskIndexOf(taskId))
      .map(({ sender }) => taskIdOf(edge.from, sender)),
  );
  const [only] = senders;
  if (only !== undefined && senders.length === 1) {
    return [{ taskId: only, watermarkMs: null, isIdle: false }];
  }
  return (report?.input ?? []).flatMap(({ channel, watermarkMs, isIdle }) => {
    const sender = senders[channel];
    return sender === undefined ? [] : [{ taskId: sender, watermarkMs, isIdle }];
  });
}

function runningName({ chain }: Vertex, place: number): string | null {
  if (place < 0) return null;
  return chain[place]?.name ?? 'output';
}

function waitsFor(
  graph: PhysicalGraph,
  { id }: Vertex,
  { taskId, report }: TaskAnswer,
): WaitsFor[] {
  const edges = graph.edges.filter(({ from }) => from === id);
  return (report?.fullOutputs ?? []).flatMap(({ edge: place, channels }) => {
    const edge = edges[place];
    if (edge === undefined) return [];
    const own = channelsOf(graph, edge).filter(({ sender }) => sender === taskIndexOf(taskId));
    return channels.map((channel) => ({
      edgeId: edge.id,
      taskId: taskIdOf(edge.to, own[channel]?.receiver ?? 0),
    }));
  });
}
