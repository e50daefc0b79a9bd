/**
 * Shared sources: memory that the tasks of a source have in common, by which they keep its rate together. Of a whole
 * job, not of one attempt of a region: tasks that run again go on with what the others are at.
 *
 * Before: worker/executor.ts. After: worker/deployment.ts.
 */
import type { Vertex } from '../engine/plan/physical-graph.ts';
import { rowPaceBytes } from '../engine/time/row-pace.ts';

export class SharedSources {
  /** By id of the source. */
  readonly #paces = new Map<string, SharedArrayBuffer>();

  /** The schedule of the chain's source; null where it has no rate. */
  paceOf({ chain: [first] }: Vertex): SharedArrayBuffer | null {
    if (first?.kind !== 'source' || first.source.rate === undefined) return null;
    const known = this.#paces.get(first.id);
    if (known !== undefined) return known;
    const made = new SharedArrayBuffer(rowPaceBytes);
    this.#paces.set(first.id, made);
    return made;
  }
}
