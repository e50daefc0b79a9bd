/**
 * Probe buffers: which joins must take in their probe side while the build side is not complete.
 *
 *     a ─┬─ probe ─ join                a ─── probe ─ join
 *        └─ b ─ build ┘                 b ─── build ┘
 *     a may wait for room at the probe side,     nobody whom the build side waits for
 *     and the build side waits for a             can wait for this join
 *
 * A join reads its build side to the end first, so who sends to its probe side has to wait. That can hold up
 * the build side only where the two are joined by other ways than through the join itself, whichever
 * direction these go: somebody in between may wait for the one to go on with the other. The joins of a chain
 * wait for all of their build sides at the same time, so one can't hold up another; and a chain that begins
 * with a source holds up nobody.
 */
import {
  type Edge,
  hasBuildSide,
  type Vertex,
  vertexPorts,
} from '../../engine/plan/physical-graph.ts';

/** The vertices with `isProbeBuffered` set where it has to be. */
export function withBuffers(vertices: readonly Vertex[], edges: readonly Edge[]): Vertex[] {
  // A file is complete before it is read: nobody waits for room in it.
  const rings = edges.filter(({ isBlocking }) => !isBlocking);
  return vertices.map((vertex) => {
    const isProbeBuffered = areSidesJoined(vertex.id, rings);
    const chain = vertex.chain.map((operator) =>
      'isProbeBuffered' in operator && hasBuildSide(operator)
        ? { ...operator, isProbeBuffered }
        : operator,
    );
    return { ...vertex, chain };
  });
}

function areSidesJoined(join: string, edges: readonly Edge[]): boolean {
  const elsewhere = edges.filter(({ from, to }) => from !== join && to !== join);
  const into = edges.filter(({ to }) => to === join);
  const senders = (isBuild: boolean) =>
    into.filter(({ port }) => (port !== vertexPorts.rows) === isBuild).map(({ from }) => from);
  const reached = new Set(senders(true));
  // A set that is added to while it is gone through goes through what is added.
  for (const vertex of reached) {
    for (const { from, to } of elsewhere) {
      if (from === vertex) reached.add(to);
      if (to === vertex) reached.add(from);
    }
  }
  return senders(false).some((vertex) => reached.has(vertex));
}
