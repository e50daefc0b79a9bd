/**
 * Shared sources: memory that source tasks have in common, by which those of one source keep its rate together, and
 * those of an alignment group see how far the others are. Of a whole job, not of one attempt of a region: tasks that
 * run again go on with what the others are at.
 *
 * Before: worker/executor.ts. After: worker/deployment.ts.
 */
import { assert } from '../base/assert.ts';
import { taskIdOf } from '../coordinator/protocol.ts';
import { alignedVertices, alignmentOf } from '../engine/plan/alignment.ts';
import type { PhysicalGraph, Vertex } from '../engine/plan/physical-graph.ts';
import { rowPaceBytes } from '../engine/time/row-pace.ts';
import { sharedMomentBytes } from '../engine/time/shared-moment.ts';
import type { SharedAlignment } from './threads/slot-messages.ts';

export class SharedSources {
  /** By id of the source. */
  readonly #paces = new Map<string, SharedArrayBuffer>();
  /** By alignment group. */
  readonly #moments = new Map<string, SharedArrayBuffer>();

  /** The schedule of the chain's source; null where it has no rate. */
  paceOf({ chain: [first] }: Vertex): SharedArrayBuffer | null {
    if (first?.kind !== 'source' || first.source.rate === undefined) return null;
    const known = this.#paces.get(first.id);
    if (known !== undefined) return known;
    const made = new SharedArrayBuffer(rowPaceBytes);
    this.#paces.set(first.id, made);
    return made;
  }

  /** The place of a task among those that its source is aligned with; null where it is with none. */
  alignmentOf(graph: PhysicalGraph, vertex: Vertex, taskIndex: number): SharedAlignment | null {
    const group = alignmentOf(vertex)?.group;
    if (group === undefined) return null;
    const members = alignedVertices(graph, group).flatMap(({ id, parallelism }) =>
      Array.from({ length: parallelism }, (_, index) => taskIdOf(id, index)),
    );
    const sizeBytes = members.length * sharedMomentBytes;
    const buffer = this.#moments.get(group) ?? new SharedArrayBuffer(sizeBytes);
    assert(buffer.byteLength === sizeBytes, 'the tasks of a stream stay as they were planned');
    this.#moments.set(group, buffer);
    return { buffer, members, own: members.indexOf(taskIdOf(vertex.id, taskIndex)) };
  }
}
