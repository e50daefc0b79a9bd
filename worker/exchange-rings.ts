/**
 * Makes the rings of a job attempt: one for each pair of a sending and a receiving task.
 *
 * The memory of an exchange is a budget that its channels share, so that more tasks mean smaller
 * slots and not more memory: 32 MiB by default, at least 16 KiB a slot.
 */
import { ringBytes } from '../engine/memory/ring.ts';
import type { Edge, PhysicalGraph, Vertex } from '../engine/plan/physical-graph.ts';
import type { RingDescriptor } from './threads/slot-messages.ts';

const exchangeBytesDefault = 32 * 1024 * 1024;
const slotCount = 4;
const slotBytesMin = 16 * 1024;
const slotBytesMax = 256 * 1024;

/** `rings[sender][receiver]` of one edge. */
export type EdgeRings = readonly (readonly RingDescriptor[])[];

/**
 * @param slotOf - The slot that hosts a task, which is the index of its doorbell.
 * @param exchangeBytes - What the rings of one exchange may take together.
 */
export function makeRings(
  graph: PhysicalGraph,
  slotOf: (vertexId: string, taskIndex: number) => number,
  exchangeBytes = exchangeBytesDefault,
): Map<string, EdgeRings> {
  const vertices = new Map(graph.vertices.map((vertex) => [vertex.id, vertex]));
  const vertexOf = (id: string): Vertex => {
    const vertex = vertices.get(id);
    if (!vertex) throw new Error(`assertion failed: edge ends at a vertex of the graph, not ${id}`);
    return vertex;
  };
  const ringsOf = (edge: Edge): EdgeRings => {
    const from = vertexOf(edge.from);
    const to = vertexOf(edge.to);
    const slotBytes = slotBytesOf(exchangeBytes, from.parallelism * to.parallelism);
    return Array.from({ length: from.parallelism }, (_, sender) =>
      Array.from({ length: to.parallelism }, (_, receiver) => ({
        buffer: new SharedArrayBuffer(ringBytes(slotCount, slotBytes)),
        slotCount,
        slotBytes,
        writerBell: slotOf(from.id, sender),
        readerBell: slotOf(to.id, receiver),
      })),
    );
  };
  return new Map(graph.edges.map((edge) => [edge.id, ringsOf(edge)]));
}

/** A power of two, so that slots start at cache lines. */
function slotBytesOf(exchangeBytes: number, channelCount: number): number {
  const share = exchangeBytes / channelCount / slotCount;
  const power = 2 ** Math.floor(Math.log2(Math.max(share, 1)));
  return Math.min(slotBytesMax, Math.max(slotBytesMin, power));
}
