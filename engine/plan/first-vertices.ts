/**
 * Vertices that are read to their ends before others may be read: those in front of a build side.
 *
 *     rates (files) ─▶ digest ─┐ build side          first: rates, digest        alone: the same, for their rows
 *     bids ────────────────────┴▶ join ─▶ sink                                   go nowhere else
 *
 * No checkpoint is made before they have ended: its barrier would wait for a side that is not read yet. From then on all
 * that they have given is what the joins have kept, so those whose rows go nowhere else need no snapshot of their own.
 *
 * Before: engine/plan/checkpoint-support.ts, coordinator/job/job-checkpoints.ts.
 */
import { type Edge, hasBuildSide, type PhysicalGraph, vertexPorts } from './physical-graph.ts';

export interface FirstVertices {
  /** Ids of those that have to end. */
  readonly first: ReadonlySet<string>;
  /** Of these, the ids of those whose rows go into build sides only. */
  readonly alone: ReadonlySet<string>;
}

export function firstVerticesOf({ vertices, edges }: PhysicalGraph): FirstVertices {
  const builders = new Set(
    vertices.filter(({ chain }) => chain.some(hasBuildSide)).map(({ id }) => id),
  );
  const isBuild = ({ to, port }: Edge) => port !== vertexPorts.rows && builders.has(to);
  const first = new Set<string>();
  const alone = new Set<string>();
  // Inputs come first in the list: the other way round each vertex is behind all that it gives rows to.
  for (const { id } of vertices.toReversed()) {
    const out = edges.filter(({ from }) => from === id);
    if (out.some((edge) => isBuild(edge) || first.has(edge.to))) first.add(id);
    const isAlone = out.length > 0 && out.every((edge) => isBuild(edge) || alone.has(edge.to));
    if (isAlone) alone.add(id);
  }
  return { first, alone };
}
