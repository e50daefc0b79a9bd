/**
 * Which tasks an edge joins: one channel for each pair of a sending and a receiving task; and what a
 * blocking edge has in its place: the partitions of each sender's map output.
 */
import type { Edge, PhysicalGraph, Vertex } from './physical-graph.ts';

export interface Channel {
  readonly sender: number;
  readonly receiver: number;
}

/** By sender and then receiver. */
export function channelsOf(graph: PhysicalGraph, { from, to, exchange }: Edge): Channel[] {
  const receivers = indexes(vertexOf(graph, to));
  return indexes(vertexOf(graph, from)).flatMap((sender) =>
    exchange.kind === 'forward'
      ? [{ sender, receiver: sender }]
      : receivers.map((receiver) => ({ sender, receiver })),
  );
}

/** Partitions of one sender's map output: what all readers read in the same way is written once. */
export function partitionCountOf(graph: PhysicalGraph, edge: Edge): number {
  return isShared(edge) ? 1 : vertexOf(graph, edge.to).parallelism;
}

/** The partition that a receiver reads. */
export function partitionOf(edge: Edge, receiver: number): number {
  return isShared(edge) ? 0 : receiver;
}

function isShared({ exchange: { kind } }: Edge): boolean {
  return kind === 'forward' || kind === 'broadcast' || kind === 'gather' || kind === 'merge';
}

export function vertexOf({ vertices }: PhysicalGraph, id: string): Vertex {
  const vertex = vertices.find((one) => one.id === id);
  if (vertex === undefined) throw new Error(`assertion failed: the graph has a vertex ${id}`);
  return vertex;
}

function indexes({ parallelism }: Vertex): number[] {
  return Array.from({ length: parallelism }, (_, index) => index);
}
