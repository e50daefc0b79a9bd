/**
 * Channel references: under which name a checkpoint keeps the rows that were on their way to an operator. It is the operator's own,
 * for the vertices and edges of the next plan may be others: with one task, say, there is no exchange left.
 *
 * On disk: the kinds are in manifests. Never rename.
 */
import type { OperatorRef } from '../checkpoint/snapshot-files.ts';
import { keptAs } from './kept-as.ts';
import type { Exchange, OperatorSpec } from './physical-graph.ts';

const prefix = 'channel ';

/** As it keeps its state; but rows on their way to a final phase are none for an operator that has no phases. */
export function channelRefOf(spec: OperatorSpec): OperatorRef {
  const isFinal = 'phase' in spec && spec.phase === 'final';
  return { id: spec.id, kind: `${prefix}${keptAs(spec)}${isFinal ? ' final' : ''}` };
}

/** Whether what is kept under a kind are rows on their way, and not an operator's state. */
export function isChannelKind(kind: string): boolean {
  return kind.startsWith(prefix);
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
