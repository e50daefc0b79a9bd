/**
 * One worker as the coordinator sees it, as a pure state machine.
 *
 *                    ┌──── heartbeat ─────┐
 *     unknown ──▶ alive ──silence, reset──▶ suspect ──more silence──▶ lost ──registers──▶ alive, incarnation + 1
 *                    └─────leaves──────────────┴──▶ left ──registers──▶ alive, incarnation + 1
 *
 *     alive    gets new tasks          suspect   keeps its tasks, gets no new ones
 *     lost     its tasks run elsewhere left      has handed its slots back
 *
 * - Silence counts only as far as this process could have heard: what its own event loop was late
 *   (`stallMs` of a tick) is left out, and so is what the sender says that its loop was late.
 * - A connection that ends is the fast path: the system of a killed process closes it at once.
 * - A life that was given up never comes back: whoever speaks for it is fenced, ends what it runs and
 *   registers anew. So a number, the incarnation, tells lives apart, and every task knows its own.
 * - A worker that has no answer for `leaseMs`, counted from its sending, ends what it runs. Here the lease
 *   counts from receiving, which is later: after `mayRunUntilMs` nothing of a lost life runs anywhere.
 *   Failing over need not wait for that: each message carries epochs, and receivers refuse old ones.
 * Not here: clocks, messages (membership-keeper.ts), the worker's side (worker/membership/worker-lease.ts).
 *
 * Before: coordinator/membership/phi-accrual.ts. After: coordinator/membership/membership-keeper.ts.
 */
import { assertNever } from '../../base/assert.ts';
import { memberTiming } from '../protocol/members.ts';
import { firstRhythm, phiOf, type Rhythm, type RhythmConfig, withInterval } from './phi-accrual.ts';

export interface MembershipConfig extends RhythmConfig {
  /** A silence of this phi makes a worker suspect; below `suspectMsMin` never. */
  readonly suspectPhi: number;
  readonly suspectMsMin: number;
  /** A silence of this phi makes it lost; below `lostMsMin` never, above `lostMsMax` always. */
  readonly lostPhi: number;
  readonly lostMsMin: number;
  readonly lostMsMax: number;
  /** How long a worker whose connection ended has for a new one. */
  readonly reconnectMs: number;
  /** How long a worker goes on without an answer, by its own clock. */
  readonly leaseMs: number;
  /** Largest rate error of any clock. */
  readonly driftMax: number;
}

export const defaultMembershipConfig: MembershipConfig = {
  ...memberTiming,
  deviationMsMin: 100,
  suspectPhi: 3,
  suspectMsMin: 1_500,
  lostPhi: 10,
  lostMsMin: 4_000,
  lostMsMax: 8_000,
  reconnectMs: 2_000,
};

/** One life of a worker, from its registration on. */
interface Life {
  /** Unguessable and new with each start of the worker. */
  readonly instance: string;
  readonly incarnation: number;
  /** Which connection it speaks on; null while there is none. */
  readonly connection: number | null;
  /** Since when it is silent; moved on by what was no silence. */
  readonly heardAtMs: number;
  /** When the last message came that it may have counted its lease from. */
  readonly leaseFromMs: number;
  readonly rhythm: Rhythm;
  /** How late its event loop was, as it said last. */
  readonly senderDelayMs: number;
}

/** `restored`: the metadata log knows of it, and it has not spoken to this coordinator yet. */
export type SuspectCause = 'silent' | 'disconnected' | 'restored';

export type MemberState =
  | { readonly kind: 'unknown' }
  | (Life & { readonly kind: 'alive' })
  | (Life & { readonly kind: 'suspect'; readonly cause: SuspectCause; readonly sinceMs: number })
  | { readonly kind: 'lost'; readonly incarnation: number; readonly mayRunUntilMs: number }
  | { readonly kind: 'left'; readonly incarnation: number };

type Living = Extract<MemberState, { kind: 'alive' | 'suspect' }>;

export type MemberEvent = { readonly nowMs: number } & (
  | { readonly kind: 'register'; readonly instance: string; readonly connection: number }
  | {
      readonly kind: 'heartbeat';
      readonly incarnation: number;
      readonly connection: number;
      /** How late the sender's event loop was at worst since the heartbeat before. */
      readonly senderDelayMs: number;
    }
  | { readonly kind: 'disconnected'; readonly connection: number }
  | { readonly kind: 'leave'; readonly incarnation: number }
  /** `stallMs`: how much later than asked for this tick came, by which nothing could be heard. */
  | { readonly kind: 'tick'; readonly stallMs: number }
);

export type LossReason = 'silent' | 'disconnected' | 'replaced';

export type MemberEffect =
  /** Answer: its number; tasks of lives with other numbers have to end. */
  | { readonly kind: 'registered'; readonly incarnation: number; readonly isNew: boolean }
  /** Answer: a worker of that name is alive. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'answered' }
  /** Answer: that life was given up. */
  | { readonly kind: 'fenced' }
  | { readonly kind: 'suspected'; readonly cause: SuspectCause }
  | { readonly kind: 'trusted' }
  | {
      readonly kind: 'lost';
      readonly incarnation: number;
      readonly reason: LossReason;
      readonly mayRunUntilMs: number;
    }
  | { readonly kind: 'left'; readonly incarnation: number };

export interface MemberStep {
  readonly state: MemberState;
  readonly effects: readonly MemberEffect[];
}

export const unknownMember: MemberState = { kind: 'unknown' };

/** A worker as a new leader finds it in the metadata log: it has time to come back. */
export function restoredMember(
  { instance, incarnation }: { readonly instance: string; readonly incarnation: number },
  nowMs: number,
  config: MembershipConfig,
): MemberState {
  const life = newLife({ instance, incarnation, connection: null }, nowMs, config);
  return { ...life, kind: 'suspect', cause: 'restored', sinceMs: nowMs };
}

export function stepMember(
  state: MemberState,
  event: MemberEvent,
  config: MembershipConfig,
): MemberStep {
  switch (event.kind) {
    case 'register':
      return register(state, event, config);
    case 'heartbeat':
      if (!isLiving(state) || state.incarnation !== event.incarnation) {
        return { state, effects: [{ kind: 'fenced' }] };
      }
      return hear(state, event);
    case 'disconnected':
      if (!isLiving(state) || state.connection !== event.connection) return { state, effects: [] };
      return suspect({ ...state, connection: null }, 'disconnected', event.nowMs);
    case 'leave': {
      if (!isLiving(state) || state.incarnation !== event.incarnation)
        return { state, effects: [] };
      const { incarnation } = state;
      return { state: { kind: 'left', incarnation }, effects: [{ kind: 'left', incarnation }] };
    }
    case 'tick':
      return isLiving(state) ? tick(state, event, config) : { state, effects: [] };
    default:
      return assertNever(event);
  }
}

/** Whether new tasks may go there. */
export function isPlaceable(state: MemberState): boolean {
  return state.kind === 'alive';
}

function isLiving(state: MemberState): state is Living {
  return state.kind === 'alive' || state.kind === 'suspect';
}

function newLife(
  who: Pick<Life, 'instance' | 'incarnation' | 'connection'>,
  nowMs: number,
  config: MembershipConfig,
): Life {
  const rhythm = firstRhythm(config);
  return { ...who, heardAtMs: nowMs, leaseFromMs: nowMs, rhythm, senderDelayMs: 0 };
}

type EventOf<K extends MemberEvent['kind']> = Extract<MemberEvent, { kind: K }>;

function register(
  state: MemberState,
  { instance, connection, nowMs }: EventOf<'register'>,
  config: MembershipConfig,
): MemberStep {
  const begin = (incarnation: number, before: readonly MemberEffect[]): MemberStep => ({
    state: { ...newLife({ instance, incarnation, connection }, nowMs, config), kind: 'alive' },
    effects: [...before, { kind: 'registered', incarnation, isNew: true }],
  });
  if (state.kind === 'unknown') return begin(1, []);
  if (!isLiving(state)) return begin(state.incarnation + 1, []);
  if (state.instance === instance) {
    const { incarnation } = state;
    // It may have been away for long: the interval is none of its rhythm.
    const life: Life = { ...state, connection, heardAtMs: nowMs, leaseFromMs: nowMs };
    const trusted: MemberEffect[] = state.kind === 'suspect' ? [{ kind: 'trusted' }] : [];
    return {
      state: { ...lifeOf(life), kind: 'alive' },
      effects: [...trusted, { kind: 'registered', incarnation, isNew: false }],
    };
  }
  // Two workers of one name: the one that is heard keeps it, the other may ask again.
  if (state.kind === 'alive') return { state, effects: [{ kind: 'refused' }] };
  return begin(state.incarnation + 1, [lostEffect(state, 'replaced', config)]);
}

function hear(state: Living, event: EventOf<'heartbeat'>): MemberStep {
  const { nowMs, connection, senderDelayMs } = event;
  // What is known to have been late by its event loop says nothing about the way between.
  const intervalMs = Math.max(0, nowMs - state.heardAtMs - senderDelayMs);
  const life: Life = {
    ...lifeOf(state),
    connection,
    heardAtMs: nowMs,
    leaseFromMs: nowMs,
    senderDelayMs,
    rhythm: state.kind === 'alive' ? withInterval(state.rhythm, intervalMs) : state.rhythm,
  };
  const trusted: MemberEffect[] = state.kind === 'suspect' ? [{ kind: 'trusted' }] : [];
  return { state: { ...life, kind: 'alive' }, effects: [...trusted, { kind: 'answered' }] };
}

function lifeOf(life: Life): Life {
  const { instance, incarnation, connection, heardAtMs, leaseFromMs, rhythm, senderDelayMs } = life;
  return { instance, incarnation, connection, heardAtMs, leaseFromMs, rhythm, senderDelayMs };
}

function suspect(life: Life, cause: SuspectCause, nowMs: number): MemberStep {
  return {
    state: { ...lifeOf(life), kind: 'suspect', cause, sinceMs: nowMs },
    effects: [{ kind: 'suspected', cause }],
  };
}

function tick(
  before: Living,
  { nowMs, stallMs }: EventOf<'tick'>,
  config: MembershipConfig,
): MemberStep {
  const state: Living = {
    ...before,
    heardAtMs: Math.min(nowMs, before.heardAtMs + stallMs),
    ...(before.kind === 'suspect' && { sinceMs: Math.min(nowMs, before.sinceMs + stallMs) }),
  };
  const silenceMs = nowMs - state.heardAtMs;
  const phi = phiOf(state.rhythm, silenceMs - state.senderDelayMs, config);
  if (state.kind === 'alive') {
    const isLate = silenceMs >= config.suspectMsMin && phi >= config.suspectPhi;
    return isLate || silenceMs >= config.lostMsMin
      ? suspect(state, 'silent', nowMs)
      : { state, effects: [] };
  }
  const isGone = state.cause === 'disconnected' && nowMs - state.sinceMs >= config.reconnectMs;
  const isUnlikely = silenceMs >= config.lostMsMin && phi >= config.lostPhi;
  const isSilent = silenceMs >= config.lostMsMax || (isUnlikely && state.cause !== 'restored');
  if (!isGone && !isSilent) return { state, effects: [] };
  const effect = lostEffect(state, isGone ? 'disconnected' : 'silent', config);
  const { incarnation, mayRunUntilMs } = effect;
  return { state: { kind: 'lost', incarnation, mayRunUntilMs }, effects: [effect] };
}

function lostEffect(
  { incarnation, leaseFromMs }: Life,
  reason: LossReason,
  { leaseMs, driftMax }: MembershipConfig,
): Extract<MemberEffect, { kind: 'lost' }> {
  const mayRunUntilMs = leaseFromMs + leaseMs * (1 + driftMax);
  return { kind: 'lost', incarnation, reason, mayRunUntilMs };
}
