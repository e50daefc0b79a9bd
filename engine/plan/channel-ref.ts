/**
 * Channel references: under which name a checkpoint keeps the rows that were on their way to an operator. It is the operator's own,
 * for the vertices and edges of the next plan may be others: with one task, say, there is no exchange left.
 *
 * On disk: the kinds are in manifests. Never rename.
 */
import { assert } from '../../base/assert.ts';
import { keptAs, type OperatorRef } from './kept-as.ts';
import type { Exchange, OperatorSpec, PhysicalGraph } from './physical-graph.ts';

const prefix = 'channel ';

/**
 * By vertex and place in its chain. An operator is named as it keeps its state; but rows on their way to a final phase are none for
 * an operator that has no phases. Of several without state that carry out one logical operator the second and later have a number.
 */
export function channelRefsOf({ vertices }: PhysicalGraph): ReadonlyMap<string, OperatorRef[]> {
  const counts = new Map<string, number>();
  const refOf = (spec: OperatorSpec): OperatorRef => {
    const isFinal = 'phase' in spec && spec.phase === 'final';
    const kind = `${prefix}${keptAs(spec)}${isFinal ? ' final' : ''}`;
    const key = `${spec.id} ${kind}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return { id: spec.id, kind: count === 1 ? kind : `${kind} ${count}` };
  };
  return new Map(vertices.map(({ id, chain }) => [id, chain.map(refOf)]));
}

/** Whether what is kept under a kind are rows on their way, and not an operator's state. */
export function isChannelKind(kind: string): boolean {
  return kind.startsWith(prefix);
}

/** The channels of all edges, as a checkpoint names them, by edge. */
export function edgeChannelsOf(graph: PhysicalGraph): ReadonlyMap<string, EdgeChannels> {
  const refs = channelRefsOf(graph);
  const tasksOf = (id: string) => graph.vertices.find((one) => one.id === id)?.parallelism ?? 1;
  return new Map(
    graph.edges.map(({ id, from, to, port }) => {
      const [reader] = refs.get(to) ?? [];
      assert(reader !== undefined, 'a vertex has an operator');
      return [id, { from, port, reader, senders: tasksOf(from), receivers: tasksOf(to) }];
    }),
  );
}

/** The channels of an edge, as a checkpoint names them. */
export interface EdgeChannels {
  /** The vertex of the senders. */
  readonly from: string;
  /** The first operator of the readers' chain. */
  readonly reader: OperatorRef;
  readonly port: number;
  /** Tasks at either end. */
  readonly senders: number;
  readonly receivers: number;
}

/** The task at the other end of a channel. @param at - Place of the channel among those of the task. */
export function peerOf({ kind }: Exchange, taskIndex: number, at: number): number {
  return kind === 'forward' ? taskIndex : at;
}
