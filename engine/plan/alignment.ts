/**
 * Alignment in a plan: which sources stay together in event time, and which tasks these are. The watermark of a source
 * is known in its own chain only, so an event time that is to be aligned has to be the first one behind its source.
 *
 * Before: engine/api/window.ts. After: engine/time/source-alignment.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { AlignmentSpec } from './logical-graph.ts';
import type { PhysicalGraph, Vertex } from './physical-graph.ts';

/** How the source of a vertex is aligned; null where it is not. */
export function alignmentOf({ chain }: Vertex): AlignmentSpec | null {
  if (chain[0]?.kind !== 'source') return null;
  const timed = chain.find(({ kind }) => kind === 'eventTime');
  return timed?.kind === 'eventTime' ? (timed.alignment ?? null) : null;
}

/** The vertices whose sources are in a group, in the order of the plan. */
export function alignedVertices({ vertices }: PhysicalGraph, group: string): readonly Vertex[] {
  return vertices.filter((vertex) => alignmentOf(vertex)?.group === group);
}

/** @throws PLAN_ALIGNMENT_REFUSED when an event time is to be aligned that no source's chain begins with */
export function checkAlignment({ vertices }: PhysicalGraph): void {
  for (const vertex of vertices) {
    const first = vertex.chain[0]?.kind === 'source' ? 0 : -1;
    const timed = vertex.chain.filter(({ kind }) => kind === 'eventTime');
    for (const [place, spec] of timed.entries()) {
      if (spec.kind !== 'eventTime' || spec.alignment === undefined || place === first) continue;
      throw typedError(
        'PLAN_ALIGNMENT_REFUSED',
        `"${spec.name}" can't be aligned in "${spec.alignment.group}": it is not the first event time behind a source`,
        {
          hint: 'Say it right behind read, before the stream is joined, grouped or used twice: read(source).eventTime(time, { alignment }).',
          details: { operator: spec.name },
        },
      );
    }
  }
}
