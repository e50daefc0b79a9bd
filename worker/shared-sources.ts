/**
 * Shared sources: memory that source tasks have in common, by which those of one source keep its rate together, and
 * those of an alignment group see how far the others are. Of a whole job, not of one attempt of a region: tasks that
 * run again go on with what the others are at.
 *
 * Of a job on several processes these are the tasks of one process only: they keep their part of the rate, whatever the others
 * have to read, and do not wait for sources in others, whose event time nobody tells them.
 *
 * Before: worker/executor.ts. After: worker/deployment.ts.
 */
import { assert } from '../base/assert.ts';
import { taskIdOf } from '../coordinator/protocol.ts';
import { alignedVertices, alignmentOf } from '../engine/plan/alignment.ts';
import type { PhysicalGraph, Vertex } from '../engine/plan/physical-graph.ts';
import { rowPaceBytes } from '../engine/time/row-pace.ts';
import { SharedMoment, sharedMomentBytes } from '../engine/time/shared-moment.ts';
import type { SharedAlignment } from './threads/slot-messages.ts';

export class SharedSources {
  /** By id of the source. */
  readonly #paces = new Map<string, SharedArrayBuffer>();
  /** By alignment group. */
  readonly #moments = new Map<string, SharedArrayBuffer>();

  /** The schedule of the chain's source, in this process alone; null where it has no rate. */
  paceOf({ chain: [first] }: Vertex): SharedArrayBuffer | null {
    if (first?.kind !== 'source' || first.source.rate === undefined) return null;
    const known = this.#paces.get(first.id);
    if (known !== undefined) return known;
    const made = new SharedArrayBuffer(rowPaceBytes);
    this.#paces.set(first.id, made);
    return made;
  }

  /**
   * The place of a task among those that its source is aligned with; null where it is with none.
   *
   * @param isElsewhere - Whether a task runs in another process.
   */
  alignmentOf(
    graph: PhysicalGraph,
    { vertex, taskIndex }: { readonly vertex: Vertex; readonly taskIndex: number },
    isElsewhere: (taskId: string) => boolean,
  ): SharedAlignment | null {
    const group = alignmentOf(vertex)?.group;
    if (group === undefined) return null;
    const members = alignedVertices(graph, group).flatMap(({ id, parallelism }) =>
      Array.from({ length: parallelism }, (_, index) => taskIdOf(id, index)),
    );
    const sizeBytes = members.length * sharedMomentBytes;
    const buffer = this.#moments.get(group) ?? newMoments(members, isElsewhere);
    assert(buffer.byteLength === sizeBytes, 'the tasks of a stream stay as they were planned');
    this.#moments.set(group, buffer);
    return { buffer, members, own: members.indexOf(taskIdOf(vertex.id, taskIndex)) };
  }
}

/** A moment for each; a task that is elsewhere holds nobody here. */
function newMoments(
  members: readonly string[],
  isElsewhere: (taskId: string) => boolean,
): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(members.length * sharedMomentBytes);
  for (const [place, taskId] of members.entries()) {
    if (isElsewhere(taskId)) new SharedMoment(buffer, place).write(Number.POSITIVE_INFINITY);
  }
  return buffer;
}

/** The vertex with the part of its source's rate that is for some of its tasks, and a schedule of their own; null: it has all. */
export function partOfRate(vertex: Vertex, taskCount: number) {
  const { chain, parallelism } = vertex;
  const [first, ...rest] = chain;
  if (first?.kind !== 'source' || first.source.rate === undefined) return null;
  if (taskCount === parallelism) return null;
  const rate = (first.source.rate * taskCount) / parallelism;
  const part: Vertex = {
    ...vertex,
    chain: [{ ...first, source: { ...first.source, rate } }, ...rest],
  };
  return { vertex: part, pace: new SharedArrayBuffer(rowPaceBytes) };
}
