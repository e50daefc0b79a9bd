/**
 * The client's side of a write pipeline for one block, as a pure state machine.
 *
 *     connecting ──ready──▶ streaming ──last packet acknowledged──▶ finished
 *        │   (a new block)     │ a node fails, is lost, is silent
 *        │ a node fails        ▼
 *        ▼                  renewing ──stamp──▶ connecting ──ready──▶ updating ──told──▶ streaming
 *     abandoned                ▲                    │ a node fails        │
 *                              └────────────────────┴─────────────────────┘
 *
 * A pipeline that is set up anew has the nodes that are left, a new generation stamp, and gets every packet again that was not
 * acknowledged; nodes skip what they have. The same way for a node that dies in the middle, at the end, while the pipeline is set up, and
 * while the block is closed: a replica that is finalized already is reopened and finalized again.
 *
 * Invariants:
 * - Nothing is sent, so nothing is acknowledged, under a stamp that the namenode has not been told: else the node that was left out would
 *   still count as one that has all, and a recovery could choose what it has.
 * - A node in the new pipeline has at least what was acknowledged (it refuses otherwise, and is left out).
 * - What comes from a pipeline of before (`attempt`) changes nothing.
 * Not here: files and blocks of them; this is one block.
 */
import { assertNever } from '../../base/assert.ts';
import { type PipelineTimes, waitForNodesMs } from '../transfer/pipeline-times.ts';

export interface SentPacket {
  readonly sequence: number;
  readonly endBytes: number;
  readonly isLast: boolean;
}

export type PipelinePhase =
  | 'connecting'
  | 'streaming'
  | 'renewing'
  | 'updating'
  | 'finished'
  | 'abandoned'
  | 'failed';

export interface PipelineClientState {
  readonly phase: PipelinePhase;
  /** Of the pipeline, counted from 1. */
  readonly attempt: number;
  readonly nodes: readonly string[];
  /** Left out, in the order in which they failed. */
  readonly failedNodes: readonly string[];
  readonly generationStamp: number;
  /** A block that was there before, or a pipeline that was set up once, is never abandoned. */
  readonly hasBlock: boolean;
  readonly unacked: readonly SentPacket[];
  readonly ackedSequence: number;
  readonly ackedBytes: number;
  /** Since when it waits for nodes; null while it does not. */
  readonly waitingSinceMs: number | null;
  readonly reason: string;
}

type FromPipeline = { readonly attempt: number; readonly nowMs: number };

export type PipelineClientEvent =
  | { readonly kind: 'packet'; readonly packet: SentPacket; readonly nowMs: number }
  | ({ readonly kind: 'ready' } & FromPipeline)
  | ({ readonly kind: 'ack'; readonly sequence: number } & FromPipeline)
  /** The node at that place; 0 is the one that the client is connected to. */
  | ({
      readonly kind: 'nodeFailed';
      readonly index: number;
      readonly reason: string;
    } & FromPipeline)
  | { readonly kind: 'renewed'; readonly generationStamp: number; readonly nowMs: number }
  | { readonly kind: 'updated'; readonly nowMs: number }
  /** The namenode refuses: the file is another writer's, or gone. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'tick'; readonly nowMs: number };

export type PipelineClientEffect =
  /** Sets up a pipeline with the state's nodes, stamp and attempt. */
  | { readonly kind: 'connect' }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'send'; readonly sequences: readonly number[] }
  /** Asks the namenode for a new stamp. */
  | { readonly kind: 'renew' }
  /** Tells the namenode nodes, stamp and acknowledged length. */
  | { readonly kind: 'update' }
  | { readonly kind: 'acked'; readonly sequence: number };

export interface PipelineClientStep {
  readonly state: PipelineClientState;
  readonly effects: readonly PipelineClientEffect[];
}

export interface PipelineBlock {
  readonly nodes: readonly string[];
  readonly generationStamp: number;
  readonly lengthBytes: number;
  /** The block is there already: append. Its replicas need a new stamp first. */
  readonly isAppend: boolean;
  readonly nowMs: number;
}

export function newPipelineClient(block: PipelineBlock): PipelineClientStep {
  const { nodes, generationStamp, lengthBytes, isAppend, nowMs } = block;
  const state: PipelineClientState = {
    phase: isAppend ? 'renewing' : 'connecting',
    attempt: 1,
    ...{ nodes, failedNodes: [], generationStamp, hasBlock: isAppend },
    ...{ unacked: [], ackedSequence: 0, ackedBytes: lengthBytes },
    waitingSinceMs: isAppend ? null : nowMs,
    reason: '',
  };
  return { state, effects: [{ kind: isAppend ? 'renew' : 'connect' }] };
}

export function stepPipelineClient(
  state: PipelineClientState,
  event: PipelineClientEvent,
  times: PipelineTimes,
): PipelineClientStep {
  const isOver = ['finished', 'abandoned', 'failed'].includes(state.phase);
  const isLate = 'attempt' in event && event.attempt !== state.attempt;
  if (isOver || isLate) return { state, effects: [] };
  switch (event.kind) {
    case 'packet':
      return onPacket(state, event.packet, event.nowMs);
    case 'ready':
      return onReady(state, event.nowMs);
    case 'ack':
      return onAck(state, event.sequence, event.nowMs);
    case 'nodeFailed':
      return onNodeFailed(state, event.index, event.reason);
    case 'renewed':
      return onRenewed(state, event.generationStamp, event.nowMs);
    case 'updated':
      return state.phase === 'updating' ? stream(state, event.nowMs) : { state, effects: [] };
    case 'refused':
      return end(state, 'failed', event.reason);
    case 'tick':
      return onTick(state, event.nowMs, times);
    default:
      return assertNever(event);
  }
}

function onPacket(
  state: PipelineClientState,
  packet: SentPacket,
  nowMs: number,
): PipelineClientStep {
  const unacked = [...state.unacked, packet];
  if (state.phase !== 'streaming') return { state: { ...state, unacked }, effects: [] };
  const waitingSinceMs = state.waitingSinceMs ?? nowMs;
  const effects = [{ kind: 'send', sequences: [packet.sequence] }] as const;
  return { state: { ...state, unacked, waitingSinceMs }, effects };
}

function onReady(state: PipelineClientState, nowMs: number): PipelineClientStep {
  if (state.phase !== 'connecting') return { state, effects: [] };
  if (!state.hasBlock) return stream({ ...state, hasBlock: true }, nowMs);
  return {
    state: { ...state, phase: 'updating', waitingSinceMs: null },
    effects: [{ kind: 'update' }],
  };
}

function onAck(state: PipelineClientState, sequence: number, nowMs: number): PipelineClientStep {
  if (state.phase !== 'streaming') return { state, effects: [] };
  const acked = state.unacked.filter((packet) => packet.sequence <= sequence);
  const last = acked.at(-1);
  if (last?.sequence !== sequence) return { state, effects: [] }; // It was acknowledged before.
  const unacked = state.unacked.slice(acked.length);
  const next: PipelineClientState = {
    ...state,
    unacked,
    ackedSequence: sequence,
    ackedBytes: Math.max(state.ackedBytes, last.endBytes),
    waitingSinceMs: unacked.length === 0 ? null : nowMs,
  };
  const effects: PipelineClientEffect[] = [{ kind: 'acked', sequence }];
  if (!last.isLast) return { state: next, effects };
  const { state: over, effects: more } = end(next, 'finished', '');
  return { state: over, effects: [...effects, ...more] };
}

function onNodeFailed(
  state: PipelineClientState,
  index: number,
  reason: string,
): PipelineClientStep {
  if (state.phase === 'renewing') return { state, effects: [] }; // It has been let go already.
  const at = Math.min(index, state.nodes.length - 1);
  const nodes = state.nodes.filter((_, place) => place !== at);
  const failedNodes = [...state.failedNodes, state.nodes[at] ?? ''];
  const left = { ...state, nodes, failedNodes };
  if (!state.hasBlock) return end(left, 'abandoned', reason);
  if (nodes.length === 0) return end(left, 'failed', reason);
  const next = {
    ...left,
    phase: 'renewing',
    attempt: state.attempt + 1,
    waitingSinceMs: null,
  } as const;
  return { state: next, effects: [{ kind: 'disconnect' }, { kind: 'renew' }] };
}

function onRenewed(
  state: PipelineClientState,
  generationStamp: number,
  nowMs: number,
): PipelineClientStep {
  if (state.phase !== 'renewing') return { state, effects: [] };
  const next = { ...state, phase: 'connecting', generationStamp, waitingSinceMs: nowMs } as const;
  return { state: next, effects: [{ kind: 'connect' }] };
}

function onTick(
  state: PipelineClientState,
  nowMs: number,
  times: PipelineTimes,
): PipelineClientStep {
  const limitMs = waitForNodesMs(times, state.nodes.length);
  const { waitingSinceMs } = state;
  if (waitingSinceMs === null || nowMs - waitingSinceMs <= limitMs) return { state, effects: [] };
  // The nodes wait for each other for less long: had one behind it failed, the first one had said so.
  return onNodeFailed(state, 0, `it was silent for ${limitMs} ms`);
}

/** From the first packet that is not acknowledged on. */
function stream(state: PipelineClientState, nowMs: number): PipelineClientStep {
  const sequences = state.unacked.map(({ sequence }) => sequence);
  const waitingSinceMs = sequences.length === 0 ? null : nowMs;
  const next = { ...state, phase: 'streaming', waitingSinceMs } as const;
  return { state: next, effects: sequences.length === 0 ? [] : [{ kind: 'send', sequences }] };
}

function end(
  state: PipelineClientState,
  phase: 'finished' | 'abandoned' | 'failed',
  reason: string,
): PipelineClientStep {
  const next = { ...state, phase, reason, waitingSinceMs: null };
  return { state: next, effects: [{ kind: 'disconnect' }] };
}
