/**
 * Which edges are blocking: written to files, and read when whoever writes them has finished.
 *
 *     --shuffle memory    none: all tasks of a job run at once and meet in rings
 *     --shuffle disk      all but forward ones: few tasks at a time, each can be run again alone
 *
 * A forward edge stays a ring unless its stage would wait for itself: where rows come back by a blocking
 * edge, all edges of the stage become blocking.
 */
import type { Edge, Vertex } from '../../engine/plan/physical-graph.ts';
import { selfWaiting } from '../../engine/plan/stages.ts';
import type { Shuffle } from './plan-step.ts';

export function withBlocking(
  vertices: readonly Pick<Vertex, 'id'>[],
  edges: readonly Edge[],
  shuffle: Shuffle,
): Edge[] {
  if (shuffle === 'memory') return [...edges];
  let found = edges.map((edge) => ({ ...edge, isBlocking: edge.exchange.kind !== 'forward' }));
  for (;;) {
    const waiting = selfWaiting({ vertices, edges: found });
    if (waiting.size === 0) return found;
    found = found.map((edge) => ({
      ...edge,
      isBlocking: edge.isBlocking || (waiting.has(edge.from) && waiting.has(edge.to)),
    }));
  }
}
