/**
 * One datanode as the namenode sees it, as a pure state machine.
 *
 *     live ──silent for staleAfterMs──▶ stale ──for deadAfterMs──▶ dead
 *      ▲ ▲─────────── heartbeat ──────────┘                          │
 *      └──────────── registers: the next session ◀───────────────────┘
 *
 *     live     gets new blocks, and is read first
 *     stale    keeps what it has, gets nothing new, and is read last
 *     dead     its replicas count as gone; a heartbeat of that session is answered with "register"
 *
 * - Silence counts only as far as this process could have heard: what its own tick came late (`stallMs`) is left out. So a
 *   namenode that was stopped for a minute does not find all its datanodes dead when it wakes up.
 * - A volume that fails, or that is no longer reported, takes its replicas with it; the datanode stays.
 * - A session is one life, from registration on. Sessions are numbers that grow over all datanodes and over the namenode's own lives:
 *   what is late, or meant for a namenode before, has an older one and is refused.
 *
 * Times are monotonic. Not here: reports of blocks, commands. @see Apache Hadoop HDFS, `HeartbeatManager`
 */
import { assertNever } from '../../../base/assert.ts';
import type { DatanodeAddress } from '../../protocol/block.ts';
import type { StorageReport } from '../../protocol/datanode-protocol.ts';

export type Liveness = 'live' | 'stale' | 'dead';

export interface DatanodeState {
  readonly datanode: DatanodeAddress;
  readonly session: number;
  readonly liveness: Liveness;
  readonly storages: readonly StorageReport[];
  readonly transferCount: number;
  /** Moved on by what ticks came late. */
  readonly heardAtMs: number;
}

export interface LivenessTimes {
  readonly staleAfterMs: number;
  readonly deadAfterMs: number;
}

export type DatanodeEvent =
  | {
      readonly kind: 'register';
      readonly nowMs: number;
      readonly datanode: DatanodeAddress;
      readonly session: number;
      readonly storages: readonly StorageReport[];
    }
  | {
      readonly kind: 'heartbeat';
      readonly nowMs: number;
      readonly session: number;
      readonly storages: readonly StorageReport[];
      readonly transferCount: number;
    }
  /** Comes at an interval; `stallMs` is by how much it is late. */
  | { readonly kind: 'tick'; readonly nowMs: number; readonly stallMs: number };

export type DatanodeEffect =
  /** Nothing that it had counts until its volumes are reported in full. */
  | { readonly kind: 'forgetAll'; readonly datanodeId: string }
  | { readonly kind: 'forgetStorage'; readonly datanodeId: string; readonly storageId: string }
  /** Not of this session: it has to register. */
  | { readonly kind: 'refuse' };

export interface DatanodeStep {
  /** Null only while it was never registered. */
  readonly state: DatanodeState | null;
  readonly effects: readonly DatanodeEffect[];
}

export function stepDatanode(
  state: DatanodeState | null,
  event: DatanodeEvent,
  times: LivenessTimes,
): DatanodeStep {
  switch (event.kind) {
    case 'register':
      return register(state, event);
    case 'heartbeat':
      return heartbeat(state, event);
    case 'tick':
      return tick(state, event, times);
    default:
      return assertNever(event);
  }
}

type EventOf<Kind extends DatanodeEvent['kind']> = Extract<DatanodeEvent, { readonly kind: Kind }>;

function register(before: DatanodeState | null, event: EventOf<'register'>): DatanodeStep {
  const { datanode, session, storages, nowMs } = event;
  if (before !== null && session <= before.session) {
    return { state: before, effects: [{ kind: 'refuse' }] };
  }
  const life = { datanode, session, storages, transferCount: 0, heardAtMs: nowMs };
  const state: DatanodeState = { ...life, liveness: 'live' };
  // Of a dead one it is forgotten already.
  const isKnown = before !== null && before.liveness !== 'dead';
  const { datanodeId } = datanode;
  return { state, effects: isKnown ? [{ kind: 'forgetAll', datanodeId }] : [] };
}

function heartbeat(state: DatanodeState | null, event: EventOf<'heartbeat'>): DatanodeStep {
  const isOfThisLife = state?.session === event.session && state.liveness !== 'dead';
  if (state === null || !isOfThisLife) return { state, effects: [{ kind: 'refuse' }] };
  const { storages, transferCount, nowMs: heardAtMs } = event;
  const next: DatanodeState = { ...state, storages, transferCount, heardAtMs, liveness: 'live' };
  const working = new Set(workingOf(storages));
  const { datanodeId } = state.datanode;
  const lost = workingOf(state.storages).filter((storageId) => !working.has(storageId));
  return {
    state: next,
    effects: lost.map((storageId) => ({ kind: 'forgetStorage', datanodeId, storageId })),
  };
}

function tick(
  state: DatanodeState | null,
  { nowMs, stallMs }: EventOf<'tick'>,
  { staleAfterMs, deadAfterMs }: LivenessTimes,
): DatanodeStep {
  if (state === null || state.liveness === 'dead') return { state, effects: [] };
  const heardAtMs = Math.min(state.heardAtMs + stallMs, nowMs);
  const silentMs = nowMs - heardAtMs;
  if (silentMs >= deadAfterMs) {
    const { datanodeId } = state.datanode;
    const dead: DatanodeState = { ...state, heardAtMs, liveness: 'dead' };
    return { state: dead, effects: [{ kind: 'forgetAll', datanodeId }] };
  }
  const liveness = silentMs >= staleAfterMs ? 'stale' : 'live';
  return { state: { ...state, heardAtMs, liveness }, effects: [] };
}

function workingOf(storages: readonly StorageReport[]): string[] {
  return storages.filter(({ isFailed }) => !isFailed).map(({ storageId }) => storageId);
}
