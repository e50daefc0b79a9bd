/**
 * How far the stages of a job are, for people: tasks by what they do, bytes, and the skew. Skew is the
 * busy time of the slowest task beside that of the median one of the same vertex: a key that is more
 * frequent than all others, or a split that is larger, shows there.
 */
import type { PhysicalGraph, Vertex } from '../../engine/plan/physical-graph.ts';
import { stagesOf } from '../../engine/plan/stages.ts';
import type { Adaptation } from '../adaptive/adapt-plan.ts';
import { type TaskCounters, vertexIdOf } from '../protocol.ts';
import { type RunningJob, stateOf } from './running-job.ts';

export interface StageTotals {
  readonly id: string;
  readonly taskCount: number;
  readonly runningCount: number;
  readonly doneCount: number;
  /** Attempts of tasks that failed, or whose map output was lost. */
  readonly failedCount: number;
  /** Copies of tasks that were slow, and those of them that came in first. */
  readonly speculativeCount: number;
  readonly speculativeWonCount: number;
  /** Bytes of input that sources have read. */
  readonly bytesIn: number;
  /** Bytes put into map outputs. */
  readonly bytesShuffled: number;
  /** Bytes put into spill files. */
  readonly bytesSpilled: number;
  /** Busy time, summed over all tasks. */
  readonly busySeconds: number;
  /** How many times as long as the median task the slowest one took; null where that tells nothing. */
  readonly skew: number | null;
  /** What was changed of it while the job ran. */
  readonly adaptations: readonly Adaptation[];
}

/** Below this tasks are too short to be compared. */
const skewBusyMsMin = 10;

/** @param run - As the job runs, or as it ran last, in the graph that it has now; null before its start. */
export function stageTotals(
  planned: PhysicalGraph,
  run: RunningJob | null,
  counters: readonly TaskCounters[],
): StageTotals[] {
  const { graph = planned, adaptations = [] } = run?.plan.adaptive ?? {};
  return stagesOf(graph).map(({ id, vertexIds }) => {
    const own = counters.filter(({ taskId }) => vertexIds.includes(vertexIdOf(taskId)));
    const operators = own.flatMap((task) => task.operators);
    const vertices = graph.vertices.filter((vertex) => vertexIds.includes(vertex.id));
    const taskCount = vertices.reduce((sum, { parallelism }) => sum + parallelism, 0);
    return {
      ...{ id, taskCount },
      ...attemptCounts(run, id),
      bytesIn: sumOf(own.map(({ bytesIn }) => bytesIn)),
      bytesShuffled: sumOf(own.map(({ bytesShuffled }) => bytesShuffled)),
      bytesSpilled: sumOf(operators.map(({ bytesSpilled }) => bytesSpilled)),
      busySeconds: sumOf(own.map(busyMsOf)) / 1000,
      skew: skewOf(
        vertices.filter((vertex) => !isSample(vertex)),
        own,
      ),
      adaptations: adaptations.filter((one) => one.vertexIds.every((at) => vertexIds.includes(at))),
    };
  });
}

/**
 * The part of all tasks that is done, 0 to 1; of the running ones with a source it counts how much of the
 * input they have read.
 *
 * @param bytesTotal - Of all sources; 0 when it is not known.
 */
export function shareDone(stages: readonly StageTotals[], bytesTotal: number): number {
  const read = sumOf(stages.map(({ bytesIn }) => bytesIn));
  const readers = stages.filter(({ bytesIn }) => bytesIn > 0);
  const done = sumOf(stages.map(({ doneCount }) => doneCount));
  const readerCount = sumOf(readers.map(({ taskCount }) => taskCount));
  const readersDone = sumOf(readers.map(({ doneCount }) => doneCount));
  const readShare = bytesTotal > 0 ? Math.min(1, read / bytesTotal) * readerCount : 0;
  const all = sumOf(stages.map(({ taskCount }) => taskCount));
  return all === 0 ? 0 : Math.min(1, (done - readersDone + Math.max(readersDone, readShare)) / all);
}

function attemptCounts(run: RunningJob | null, stageId: string) {
  const counts = {
    ...{ runningCount: 0, doneCount: 0, failedCount: 0 },
    ...{ speculativeCount: 0, speculativeWonCount: 0 },
  };
  for (const { id, stageId: ofStage, taskIds } of run?.plan.regions ?? []) {
    if (run === null || ofStage !== stageId) continue;
    const { done, attempts, failureCount, copyCount, copyWonCount } = stateOf(run, id);
    const unfinished = new Set(attempts.flatMap((attempt) => [...attempt.unfinished]));
    counts.runningCount += unfinished.size;
    counts.doneCount += done !== null ? taskIds.length : 0;
    if (done === null && attempts.length > 0) counts.doneCount += taskIds.length - unfinished.size;
    counts.failedCount += failureCount;
    counts.speculativeCount += copyCount * taskIds.length;
    counts.speculativeWonCount += copyWonCount * taskIds.length;
  }
  return counts;
}

/** A sample is so small that one task may have all of it. */
function isSample({ chain: [first] }: Vertex): boolean {
  return first?.kind === 'source' && first.isSample === true;
}

/** The largest skew of the stage's vertices. */
function skewOf(vertices: readonly Vertex[], counters: readonly TaskCounters[]): number | null {
  const found = vertices.flatMap(({ id }) => {
    const own = counters.filter(({ taskId }) => vertexIdOf(taskId) === id);
    const times = own.map(busyMsOf).sort((a, b) => a - b);
    const median = times[Math.floor((times.length - 1) / 2)] ?? 0;
    const slowest = times.at(-1) ?? 0;
    if (times.length < 2 || slowest < skewBusyMsMin || median === 0) return [];
    return [slowest / median];
  });
  return found.length === 0 ? null : Math.max(...found);
}

function busyMsOf({ operators }: TaskCounters): number {
  return sumOf(operators.map(({ busyMs }) => busyMs));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
