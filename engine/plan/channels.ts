/**
 * Which tasks an edge joins: one channel for each pair of a sending and a receiving task; and what a
 * blocking edge has in its place: the partitions of each sender's map output, and which of them a task reads.
 *
 *     partitions   0 1 2 3            as planned: task i reads partition i of all senders
 *     sender 0     a b c d            adapted:    task 0 reads 0 and 1 of all senders,
 *     sender 1     a b c d                        task 1 reads 2 of sender 0, task 2 reads 2 of sender 1, …
 */
import type { MapOutputRead, Span } from './map-output-read.ts';
import type { Edge, PhysicalGraph, Vertex } from './physical-graph.ts';

export interface Channel {
  readonly sender: number;
  readonly receiver: number;
}

/** By sender and then receiver. */
export function channelsOf(graph: PhysicalGraph, edge: Edge): Channel[] {
  const reads = indexes(vertexOf(graph, edge.to)).map((receiver) => readOf(graph, edge, receiver));
  return indexes(vertexOf(graph, edge.from)).flatMap((sender) =>
    reads.flatMap(({ senders }, receiver) => {
      return sender >= senders.from && sender < senders.to ? [{ sender, receiver }] : [];
    }),
  );
}

/** Partitions of one sender's map output: what all readers read in the same way is written once. */
export function partitionCountOf(graph: PhysicalGraph, edge: Edge): number {
  if (edge.adapted !== undefined) return edge.adapted.partitionCount;
  return isShared(edge) ? 1 : vertexOf(graph, edge.to).parallelism;
}

/** What a receiver reads: of a blocking edge its partitions, of a ring all that its senders send it. */
export function readOf(graph: PhysicalGraph, edge: Edge, receiver: number): MapOutputRead {
  const { adapted, exchange } = edge;
  const all = { from: 0, to: vertexOf(graph, edge.from).parallelism };
  if (adapted?.ofReaders === 'all') {
    return { partitions: { from: 0, to: adapted.partitionCount }, senders: all };
  }
  const chosen = adapted?.ofReaders[receiver];
  if (chosen !== undefined) return chosen;
  const partitions = isShared(edge) ? spanOf(0) : spanOf(receiver);
  return { partitions, senders: exchange.kind === 'forward' ? spanOf(receiver) : all };
}

/** The span of one index. */
export function spanOf(index: number): Span {
  return { from: index, to: index + 1 };
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
