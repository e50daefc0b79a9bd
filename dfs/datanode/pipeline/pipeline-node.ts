/**
 * A datanode in a write pipeline, as a pure state machine: what it does with packets, and when it acknowledges them.
 *
 *     from upstream    packet 7 ──┬──▶ forwarded downstream       at once: disks of all nodes work at the same time
 *                                 └──▶ written to the own disk
 *     to upstream      ack 5  ◀── the lesser of: written here (6), acknowledged by downstream (5)
 *
 *     receiving ──last packet acknowledged──▶ ended
 *        │ └──own disk fails, a packet is damaged──▶ ended       tells upstream "failed, 0"
 *        └────downstream fails, is lost, is silent──▶ failed     tells upstream "failed, 1 or more", waits until upstream closes
 *
 * Invariants:
 * - An acknowledgement says: here and on every node behind, up to that packet; synced or finalized if the packet asked for it.
 * - After a failure nothing is acknowledged any more, so the client decides on its own what is still to be sent.
 * - What readers may see (`show`) is acknowledged by all nodes behind.
 * Not here: the client's side (dfs/client/pipeline-client.ts), files (dfs/datanode/replicas).
 */
import { assertNever } from '../../../base/assert.ts';
import { type PipelineTimes, waitForNodesMs } from '../../transfer/pipeline-times.ts';

export interface PacketFacts {
  readonly sequence: number;
  /** Of the block, with this packet. */
  readonly endBytes: number;
  readonly isLast: boolean;
}

export interface PipelineNodeState {
  readonly kind: 'receiving' | 'failed' | 'ended';
  /** Nodes behind this one. */
  readonly downstreamCount: number;
  readonly receivedSequence: number;
  readonly writtenSequence: number;
  /** Acknowledged by downstream; the last node has nobody to wait for. */
  readonly downstreamSequence: number;
  readonly ackedSequence: number;
  /** Not acknowledged yet, oldest first. */
  readonly pending: readonly (PacketFacts & { readonly sinceMs: number })[];
}

export type PipelineNodeEvent =
  | { readonly kind: 'packet'; readonly packet: PacketFacts; readonly nowMs: number }
  | { readonly kind: 'written'; readonly sequence: number }
  | { readonly kind: 'writeFailed'; readonly reason: string }
  | { readonly kind: 'downstreamAck'; readonly sequence: number }
  | { readonly kind: 'downstreamFailed'; readonly index: number; readonly reason: string }
  | { readonly kind: 'downstreamClosed' }
  | { readonly kind: 'upstreamClosed' }
  | { readonly kind: 'tick'; readonly nowMs: number };

export type PipelineNodeEffect =
  /** The packet of this event goes downstream. */
  | { readonly kind: 'forward' }
  /** The packet of this event goes to the disk, and is synced or finalized as it asks. */
  | { readonly kind: 'write' }
  | { readonly kind: 'show'; readonly endBytes: number }
  | { readonly kind: 'ack'; readonly sequence: number }
  | { readonly kind: 'fail'; readonly index: number; readonly reason: string }
  | { readonly kind: 'closeDownstream' }
  /** The writer ends where it is. */
  | { readonly kind: 'stop' };

export interface PipelineNodeStep {
  readonly state: PipelineNodeState;
  readonly effects: readonly PipelineNodeEffect[];
}

export function newPipelineNode(firstSequence: number, downstreamCount: number): PipelineNodeState {
  const before = firstSequence - 1;
  return {
    ...{ kind: 'receiving', downstreamCount, pending: [] },
    ...{ receivedSequence: before, writtenSequence: before, ackedSequence: before },
    downstreamSequence: downstreamCount === 0 ? Number.POSITIVE_INFINITY : before,
  };
}

export function stepPipelineNode(
  state: PipelineNodeState,
  event: PipelineNodeEvent,
  times: PipelineTimes,
): PipelineNodeStep {
  if (state.kind === 'ended') return { state, effects: [] };
  if (event.kind === 'upstreamClosed') {
    return { state: ended(state), effects: [{ kind: 'closeDownstream' }, { kind: 'stop' }] };
  }
  if (state.kind === 'failed') return { state, effects: [] };
  switch (event.kind) {
    case 'packet':
      return onPacket(state, event.packet, event.nowMs);
    case 'written':
      return acknowledge({ ...state, writtenSequence: event.sequence });
    case 'writeFailed':
      return failHere(state, event.reason);
    case 'downstreamAck':
      if (event.sequence > state.receivedSequence) {
        return failBehind(state, 1, 'it acknowledged what was not sent to it');
      }
      return acknowledge({
        ...state,
        downstreamSequence: Math.max(state.downstreamSequence, event.sequence),
      });
    case 'downstreamFailed':
      return failBehind(state, event.index + 1, event.reason);
    case 'downstreamClosed':
      // It closes behind its last acknowledgement, which this node may still be writing for.
      return isDoneBehind(state)
        ? { state, effects: [] }
        : failBehind(state, 1, 'the connection to it was lost');
    case 'tick':
      return onTick(state, event.nowMs, times);
    default:
      return assertNever(event);
  }
}

function onPacket(state: PipelineNodeState, packet: PacketFacts, nowMs: number): PipelineNodeStep {
  const isNext = packet.sequence === state.receivedSequence + 1;
  const isBehindLast = state.pending.at(-1)?.isLast === true;
  if (!isNext || isBehindLast) return failHere(state, `packet ${packet.sequence} is out of order`);
  const pending = [...state.pending, { ...packet, sinceMs: nowMs }];
  const effects: PipelineNodeEffect[] = [{ kind: 'write' }];
  if (state.downstreamCount > 0) effects.unshift({ kind: 'forward' });
  return { state: { ...state, pending, receivedSequence: packet.sequence }, effects };
}

function acknowledge(state: PipelineNodeState): PipelineNodeStep {
  const sequence = Math.min(state.writtenSequence, state.downstreamSequence);
  if (sequence <= state.ackedSequence) return { state, effects: [] };
  const acked = state.pending.filter((packet) => packet.sequence <= sequence).at(-1);
  const pending = state.pending.filter((packet) => packet.sequence > sequence);
  const effects: PipelineNodeEffect[] = [{ kind: 'ack', sequence }];
  if (acked !== undefined) effects.unshift({ kind: 'show', endBytes: acked.endBytes });
  const next = { ...state, ackedSequence: sequence, pending };
  if (acked?.isLast !== true) return { state: next, effects };
  return { state: ended(next), effects: [...effects, { kind: 'closeDownstream' }] };
}

function onTick(state: PipelineNodeState, nowMs: number, times: PipelineTimes): PipelineNodeStep {
  const unwritten = state.pending.find(({ sequence }) => sequence > state.writtenSequence);
  if (unwritten !== undefined && nowMs - unwritten.sinceMs > times.diskMs) {
    return failHere(state, `its disk has not written a packet within ${times.diskMs} ms`);
  }
  const unacked = state.pending.find(({ sequence }) => sequence > state.downstreamSequence);
  const limitMs = waitForNodesMs(times, state.downstreamCount);
  if (unacked !== undefined && nowMs - unacked.sinceMs > limitMs) {
    return failBehind(state, 1, `it was silent for ${limitMs} ms`);
  }
  return { state, effects: [] };
}

function isDoneBehind({ pending, downstreamSequence }: PipelineNodeState): boolean {
  const last = pending.at(-1);
  return last?.isLast === true && downstreamSequence >= last.sequence;
}

/** This node can't go on: the nodes behind it are let go, too. */
function failHere(state: PipelineNodeState, reason: string): PipelineNodeStep {
  const effects = [
    { kind: 'fail', index: 0, reason },
    { kind: 'closeDownstream' },
    { kind: 'stop' },
  ] as const;
  return { state: ended(state), effects };
}

/** A node behind can't go on. This one keeps what it has, and waits for the client to set up the pipeline anew. */
function failBehind(state: PipelineNodeState, index: number, reason: string): PipelineNodeStep {
  const effects = [{ kind: 'fail', index, reason }, { kind: 'closeDownstream' }] as const;
  return { state: { ...state, kind: 'failed', pending: [] }, effects };
}

function ended(state: PipelineNodeState): PipelineNodeState {
  return { ...state, kind: 'ended', pending: [] };
}
