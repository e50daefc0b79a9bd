/**
 * Adaptive execution: the plan of a running job is changed where the sizes of what has been written show a better
 * one. A stage is looked at when all that it reads from is done and none of its tasks has started; a join, when
 * its build side is done and the tasks that write its probe side have not started. What has started is never
 * changed: its tasks run again, after a failure, as they ran before.
 *
 *     build side is small, the probe side has not started   all tasks read the whole build side, and the
 *                                                            probe side goes on to the join in its own task
 *     partitions are small                                   a task reads several
 *     a partition is much larger than the others             several tasks read parts of it
 *
 * Once a stage that writes a probe side has started, its join stays partitioned, though its build side may turn out
 * small: on one machine a file is as near as any other, so nothing would be saved.
 *
 * Before: coordinator/job/deploy-regions.ts. After: coordinator/adaptive/stage-reads.ts.
 */
import {
  type AdaptableJoin,
  type AdaptableStage,
  adaptableStages,
} from '../../engine/plan/adaptable.ts';
import { vertexOf } from '../../engine/plan/channels.ts';
import type { PartitionBytes } from '../../engine/plan/map-output-read.ts';
import type { Edge, PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { taskIdOf } from '../protocol.ts';
import { withReads, withWholeBuildSide } from './adapted-graph.ts';
import type { AdaptiveOptions } from './adaptive-options.ts';
import { sumOf } from './partition-groups.ts';
import { type EdgeBytes, stageReads } from './stage-reads.ts';

/** Something that was changed, at a vertex and those that share its tasks. */
export type Adaptation = { readonly vertexIds: readonly string[] } & (
  | { readonly kind: 'joined'; readonly partitionCount: number; readonly taskCount: number }
  | { readonly kind: 'split'; readonly partition: number; readonly taskCount: number }
  | { readonly kind: 'broadcast'; readonly bytes: number }
);

/** The plan of a job that may be adapted, as it is now. */
export interface AdaptivePlan {
  readonly graph: PhysicalGraph;
  readonly options: AdaptiveOptions;
  readonly slotCount: number;
  /** Vertices that can run only once: they meet the program that runs the job. */
  readonly onceIds: ReadonlySet<string>;
  readonly adaptations: readonly Adaptation[];
}

/** What is known of the tasks of a running job. */
export interface TaskView {
  /** Bytes of each partition that the task has written, by edge; null while none of its attempts counts. */
  partitionBytes(taskId: string): PartitionBytes | null;
  hasStarted(taskId: string): boolean;
}

/** The plan with all changes that what is known allows; the same one where there is none. */
export function adaptPlan(plan: AdaptivePlan, view: TaskView): AdaptivePlan {
  let next = plan;
  for (;;) {
    const changed = changedOnce(next, view);
    if (changed === null) return next;
    next = changed;
  }
}

/**
 * Vertices that had better wait: they write the probe side of a join whose build side may yet turn out small.
 * Who waits for nothing else has them run all the same.
 */
export function heldVertices(plan: AdaptivePlan, view: TaskView): ReadonlySet<string> {
  const held = joinsOf(plan).flatMap(({ join, edge: { from } }) => {
    const bytes = join.build.map((build) => edgeBytes(plan.graph, build, view));
    const isWritten = bytes.every((one) => one.every((task) => task !== null));
    const mayBeSmall = isSmall(plan, from, sumOf(bytes.map(bytesSoFar)));
    return !isWritten && mayBeSmall && !anyStarted(plan.graph, from, view) ? [from] : [];
  });
  return new Set(held);
}

function changedOnce(plan: AdaptivePlan, view: TaskView): AdaptivePlan | null {
  for (const { stage, join, edge } of joinsOf(plan)) {
    const changed = withSmallBuildSide(plan, { stage, join, edge }, view);
    if (changed !== null) return changed;
  }
  for (const stage of stagesOf(plan)) {
    const changed = withOtherTasks(plan, stage, view);
    if (changed !== null) return changed;
  }
  return null;
}

interface OpenJoin {
  readonly stage: AdaptableStage;
  readonly join: AdaptableJoin;
  /** The probe side's. */
  readonly edge: Edge;
}

function joinsOf(plan: AdaptivePlan): OpenJoin[] {
  return stagesOf(plan).flatMap((stage) => {
    const { join } = stage;
    const edge = join?.mayStay ?? null;
    if (join === null || edge === null || plan.onceIds.has(edge.from)) return [];
    return [{ stage, join, edge }];
  });
}

function stagesOf({ graph, onceIds }: AdaptivePlan): AdaptableStage[] {
  return adaptableStages(graph).filter(({ vertexIds }) => !vertexIds.some((id) => onceIds.has(id)));
}

function withSmallBuildSide(
  plan: AdaptivePlan,
  { stage, join, edge }: OpenJoin,
  view: TaskView,
): AdaptivePlan | null {
  const { graph } = plan;
  const bytes = join.build.map((build) => edgeBytes(graph, build, view));
  if (bytes.some((one) => one.includes(null))) return null;
  const buildBytes = sumOf(bytes.map(bytesSoFar));
  if (!isSmall(plan, edge.from, buildBytes) || anyStarted(graph, edge.from, view)) return null;
  const { vertexIds } = stage;
  return withGraph(plan, withWholeBuildSide(graph, stage, join), [
    { kind: 'broadcast', vertexIds, bytes: buildBytes },
  ]);
}

/** Whether each task of the vertex may read so much, and all of them together. */
function isSmall({ graph, options }: AdaptivePlan, vertexId: string, bytes: number): boolean {
  const copies = bytes * vertexOf(graph, vertexId).parallelism;
  return bytes <= options.broadcastBytesMax && copies <= options.broadcastCopiesBytesMax;
}

function withOtherTasks(
  plan: AdaptivePlan,
  stage: AdaptableStage,
  view: TaskView,
): AdaptivePlan | null {
  const { graph, options, slotCount } = plan;
  const inputs = graph.edges.filter(
    ({ to, isBlocking }) => isBlocking && stage.vertexIds.includes(to),
  );
  const found = new Map<string, EdgeBytes>();
  for (const edge of inputs) {
    const bytes = edgeBytes(graph, edge, view).flatMap((one) => (one === null ? [] : [one]));
    if (bytes.length < vertexOf(graph, edge.from).parallelism) return null;
    found.set(edge.id, bytes);
  }
  if (stage.vertexIds.some((id) => anyStarted(graph, id, view))) return null;
  const bytesOf = (edgeId: string) => found.get(edgeId) ?? [];
  const reads = stageReads(stage, { slotCount, options, bytesOf });
  if (reads === null) return null;
  const { vertexIds, taskCount } = stage;
  const splitTasks = sumOf(reads.splits.map((split) => split.taskCount));
  const partitionCount = taskCount - reads.splits.length;
  const joinedTasks = reads.readers.length - splitTasks;
  const joined: Adaptation = { kind: 'joined', vertexIds, partitionCount, taskCount: joinedTasks };
  return withGraph(plan, withReads(graph, stage, reads), [
    ...(joinedTasks < partitionCount ? [joined] : []),
    ...reads.splits.map((split): Adaptation => ({ kind: 'split', vertexIds, ...split })),
  ]);
}

function withGraph(
  plan: AdaptivePlan,
  graph: PhysicalGraph,
  adaptations: readonly Adaptation[],
): AdaptivePlan {
  return { ...plan, graph, adaptations: [...plan.adaptations, ...adaptations] };
}

/** By sender: what it has written; null for one whose work does not count yet. */
function edgeBytes(
  graph: PhysicalGraph,
  { id, from }: Edge,
  view: TaskView,
): readonly (readonly number[] | null)[] {
  return taskIds(graph, from).map((taskId) => view.partitionBytes(taskId)?.[id] ?? null);
}

function bytesSoFar(tasks: readonly (readonly number[] | null)[]): number {
  return sumOf(tasks.flatMap((one) => one ?? []));
}

function anyStarted(graph: PhysicalGraph, vertexId: string, view: TaskView): boolean {
  return taskIds(graph, vertexId).some((taskId) => view.hasStarted(taskId));
}

function taskIds(graph: PhysicalGraph, vertexId: string): string[] {
  const { parallelism } = vertexOf(graph, vertexId);
  return Array.from({ length: parallelism }, (_, index) => taskIdOf(vertexId, index));
}
