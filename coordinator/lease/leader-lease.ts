/**
 * The leader lease of the coordinator as a pure step function: at most one node leads at any time,
 * whatever crashes, stalls, is cut off or runs with a wrong clock.
 *
 *     leader    S──── sends the write ──────────────── trusts until S + D − m ─┤ leads no more
 *     register        R──── record is durable
 *     follower            O──── observes it; unchanged ────────────── until O + D + m ─▶ takes over
 *
 * S < R < O in true time, the leader stops at S + D by the slowest clock, a follower starts after
 * O + D by the fastest: so the two never meet. D is the duration, m the drift margin D × driftMax.
 *
 * Invariants:
 * - A leadership has a token greater than all before it: receivers refuse older ones.
 * - Trust counts from sending a write that is known to have arrived, never from its answer.
 * - An unknown outcome is neither success nor failure: the register is read before the next write.
 * - A restart is a new instance: it trusts nothing that an earlier one wrote.
 * - Once trust has run out the token is dead, even if a renewal arrives later.
 * Not here: clocks, timers, the register (lease-keeper.ts carries out the effects).
 *
 * @see Gray and Cheriton 1989, "Leases".  @see docs/states.md for the table of transitions.
 * Before: coordinator/lease/lease-register.ts. After: coordinator/lease/lease-keeper.ts.
 */
import { assertNever } from '../../base/assert.ts';
import type { LeaseRecord, RegisterSnapshot } from './lease-register.ts';

export interface LeaseConfig {
  readonly nodeId: string;
  /** Unguessable and new with each start of the program. */
  readonly instance: string;
  readonly durationMs: number;
  /** Largest rate error of any clock: 0.01 is 10 ms per second, far above real ones. */
  readonly driftMax: number;
  /** A leader renews this long after it sent the last renewal. */
  readonly renewMs: number;
  /** A follower reads this often; also the wait after a failed operation. */
  readonly pollMs: number;
}

/** A record as this node has seen it, and since when it has not changed. */
interface Observed {
  readonly snapshot: RegisterSnapshot;
  readonly sinceMs: number;
}

/** A write that was sent. */
interface Attempt {
  readonly expectedVersion: number;
  readonly record: LeaseRecord;
  readonly sentAtMs: number;
}

interface Common {
  /** Number of the last operation; answers to earlier ones are dropped. */
  readonly operation: number;
  readonly isAwaiting: boolean;
  /** When to act next if nothing is awaited. */
  readonly nextAtMs: number;
}

export type LeaseState = Common &
  (
    | { readonly kind: 'follower'; readonly observed: Observed | null }
    | { readonly kind: 'candidate'; readonly attempt: Attempt }
    | {
        readonly kind: 'leader';
        readonly record: LeaseRecord;
        readonly version: number;
        readonly trustedUntilMs: number;
        /** The last renewal whose outcome is open. */
        readonly attempt: Attempt | null;
        /** The register must be read before the next write. */
        readonly isUnsure: boolean;
      }
    | { readonly kind: 'stopped' }
  );

type StateOf<K extends LeaseState['kind']> = Extract<LeaseState, { kind: K }>;

export type LeaseEvent = { readonly nowMs: number } & (
  | { readonly kind: 'wake' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'readDone'; readonly operation: number; readonly snapshot: RegisterSnapshot }
  | { readonly kind: 'written'; readonly operation: number; readonly version: number }
  | {
      readonly kind: 'readFailed' | 'conflict' | 'writeFailed' | 'writeUnknown';
      readonly operation: number;
    }
);

export type LeaseLoss = 'expired' | 'replaced' | 'stopped';

export type LeaseEffect =
  | { readonly kind: 'read'; readonly operation: number }
  | {
      readonly kind: 'write';
      readonly operation: number;
      readonly expectedVersion: number;
      readonly record: LeaseRecord;
    }
  | { readonly kind: 'gained'; readonly token: number }
  | { readonly kind: 'lost'; readonly token: number; readonly reason: LeaseLoss };

export interface LeaseStep {
  readonly state: LeaseState;
  readonly effects: readonly LeaseEffect[];
}

/** How the lease starts, after every start of the program: as a follower that knows nothing. */
export const initialLeaseState: LeaseState = {
  kind: 'follower',
  operation: 0,
  isAwaiting: false,
  nextAtMs: Number.NEGATIVE_INFINITY,
  observed: null,
};

/** True while this node may act as the leader: the one question that others ask. */
export function isLeading(state: LeaseState, nowMs: number): boolean {
  return state.kind === 'leader' && nowMs < state.trustedUntilMs;
}

/** When the state wants a `wake` event; infinity while an answer is awaited. */
export function wakeAtOf(state: LeaseState): number {
  const nextAtMs =
    state.isAwaiting || state.kind === 'stopped' ? Number.POSITIVE_INFINITY : state.nextAtMs;
  return state.kind === 'leader' ? Math.min(nextAtMs, state.trustedUntilMs) : nextAtMs;
}

export function stepLease(state: LeaseState, event: LeaseEvent, config: LeaseConfig): LeaseStep {
  if (state.kind === 'stopped') return { state, effects: [] };
  if (event.kind === 'stop') return stop(state, event.nowMs);
  // Trust first: whatever the event says, a leader whose time is over leads no more.
  if (state.kind === 'leader' && event.nowMs >= state.trustedUntilMs) {
    return lose(state, event.nowMs, 'expired');
  }
  if (event.kind === 'wake') {
    if (state.isAwaiting || event.nowMs < state.nextAtMs) return { state, effects: [] };
  } else if (!state.isAwaiting || event.operation !== state.operation) {
    return { state, effects: [] }; // A late answer: its outcome counts as unknown.
  }
  switch (state.kind) {
    case 'follower':
      return stepFollower(state, event, config);
    case 'candidate':
      return stepCandidate(state, event, config);
    case 'leader':
      return stepLeader(state, event, config);
    default:
      return assertNever(state);
  }
}

type RunningEvent = Exclude<LeaseEvent, { kind: 'stop' }>;

function stepFollower(
  state: StateOf<'follower'>,
  event: RunningEvent,
  config: LeaseConfig,
): LeaseStep {
  switch (event.kind) {
    case 'wake':
      if (state.observed !== null && event.nowMs >= takeOverAtOf(state.observed, config)) {
        return apply(state, state.observed.snapshot, event.nowMs, config);
      }
      return read(state);
    case 'readDone':
      return observe(state, event.snapshot, event.nowMs, config);
    default:
      return rest({ ...state, nextAtMs: event.nowMs + config.pollMs });
  }
}

/** Takes note of what the register says; acts at once when nobody has to be waited for. */
function observe(
  state: StateOf<'follower'>,
  snapshot: RegisterSnapshot,
  nowMs: number,
  config: LeaseConfig,
): LeaseStep {
  const isUnchanged = state.observed?.snapshot.version === snapshot.version;
  const observed =
    isUnchanged && state.observed !== null ? state.observed : { snapshot, sinceMs: nowMs };
  const takeOverAtMs = takeOverAtOf(observed, config);
  if (nowMs >= takeOverAtMs) return apply(state, snapshot, nowMs, config);
  return rest({ ...state, observed, nextAtMs: Math.min(nowMs + config.pollMs, takeOverAtMs) });
}

function takeOverAtOf({ snapshot, sinceMs }: Observed, config: LeaseConfig): number {
  const { record } = snapshot;
  if (record === null || record.isReleased) return sinceMs;
  // Our own run wrote it, and we are no leader: nobody trusts it.
  if (record.instance === config.instance) return sinceMs;
  return sinceMs + record.durationMs * (1 + config.driftMax);
}

function trustedUntilOf({ record, sentAtMs }: Attempt, config: LeaseConfig): number {
  return sentAtMs + record.durationMs * (1 - config.driftMax);
}

/** Applies for the lease. */
function apply(
  state: LeaseState,
  { version, record }: RegisterSnapshot,
  nowMs: number,
  config: LeaseConfig,
): LeaseStep {
  const attempt: Attempt = {
    expectedVersion: version,
    sentAtMs: nowMs,
    record: {
      holder: config.nodeId,
      instance: config.instance,
      token: (record?.token ?? 0) + 1,
      renewal: 0,
      durationMs: config.durationMs,
      isReleased: false,
    },
  };
  return write({ ...state, kind: 'candidate', attempt }, attempt);
}

function stepCandidate(
  state: StateOf<'candidate'>,
  event: RunningEvent,
  config: LeaseConfig,
): LeaseStep {
  const { attempt } = state;
  switch (event.kind) {
    case 'written':
      return lead(state, attempt, event.version, event.nowMs, config);
    case 'readDone':
      if (isSameWrite(event.snapshot.record, attempt.record)) {
        return lead(state, attempt, event.snapshot.version, event.nowMs, config);
      }
      return observe(follow(state, event.nowMs), event.snapshot, event.nowMs, config);
    case 'conflict':
      return rest(follow(state, event.nowMs));
    case 'writeFailed':
      return rest(follow(state, event.nowMs + config.pollMs));
    case 'readFailed':
      if (event.nowMs >= trustedUntilOf(attempt, config)) return rest(follow(state, event.nowMs));
      return rest({ ...state, nextAtMs: event.nowMs + config.pollMs });
    case 'writeUnknown':
    case 'wake':
      return read(state);
    default:
      return assertNever(event);
  }
}

function lead(
  state: StateOf<'candidate'>,
  attempt: Attempt,
  version: number,
  nowMs: number,
  config: LeaseConfig,
): LeaseStep {
  const trustedUntilMs = trustedUntilOf(attempt, config);
  // The answer took longer than the lease lasts: a follower that may apply again at once.
  if (nowMs >= trustedUntilMs) return rest(follow(state, nowMs));
  const leader: StateOf<'leader'> = {
    kind: 'leader',
    operation: state.operation,
    isAwaiting: false,
    nextAtMs: attempt.sentAtMs + config.renewMs,
    record: attempt.record,
    version,
    trustedUntilMs,
    attempt: null,
    isUnsure: false,
  };
  return { state: leader, effects: [{ kind: 'gained', token: attempt.record.token }] };
}

function stepLeader(state: StateOf<'leader'>, event: RunningEvent, config: LeaseConfig): LeaseStep {
  switch (event.kind) {
    case 'wake':
      return state.isUnsure ? read(state) : renew(state, event.nowMs);
    case 'written':
      return confirm(state, event.version, config);
    case 'conflict':
    case 'writeUnknown':
      // A conflict may come from an earlier renewal of our own: look before giving up.
      return read({ ...state, isUnsure: true });
    case 'readDone':
      return compare(state, event.snapshot, event.nowMs, config);
    case 'writeFailed':
    case 'readFailed':
      return rest({ ...state, nextAtMs: event.nowMs + config.pollMs });
    default:
      return assertNever(event);
  }
}

function renew(state: StateOf<'leader'>, nowMs: number): LeaseStep {
  // The number grows with every try, so that a late one is not taken for a later one.
  const record = { ...state.record, renewal: state.record.renewal + 1 };
  const attempt: Attempt = { expectedVersion: state.version, record, sentAtMs: nowMs };
  return write({ ...state, record, attempt }, attempt);
}

/** The open renewal is known to have arrived: trust counts from when it was sent. */
function confirm(state: StateOf<'leader'>, version: number, config: LeaseConfig): LeaseStep {
  const { attempt } = state;
  if (attempt === null) return rest({ ...state, version, isUnsure: false });
  return rest({
    ...state,
    version,
    trustedUntilMs: Math.max(state.trustedUntilMs, trustedUntilOf(attempt, config)),
    nextAtMs: attempt.sentAtMs + config.renewMs,
    attempt: null,
    isUnsure: false,
  });
}

/** A leader in doubt has read the register. */
function compare(
  state: StateOf<'leader'>,
  { version, record }: RegisterSnapshot,
  nowMs: number,
  config: LeaseConfig,
): LeaseStep {
  const isOurs = record?.instance === config.instance && record.token === state.record.token;
  if (!isOurs) return lose(state, nowMs, 'replaced');
  if (isSameWrite(record, state.attempt?.record ?? null)) return confirm(state, version, config);
  return rest({ ...state, version, attempt: null, isUnsure: false, nextAtMs: nowMs });
}

function lose(state: StateOf<'leader'>, nowMs: number, reason: LeaseLoss): LeaseStep {
  const { token } = state.record;
  return { state: follow(state, nowMs), effects: [{ kind: 'lost', token, reason }] };
}

/** Ends the run; a leader that knows the register's version gives the lease back. */
function stop(state: Exclude<LeaseState, { kind: 'stopped' }>, nowMs: number): LeaseStep {
  const { operation } = state;
  const stopped = { kind: 'stopped', operation, isAwaiting: false, nextAtMs: nowMs } as const;
  if (state.kind !== 'leader') return { state: stopped, effects: [] };
  const effects: LeaseEffect[] = [{ kind: 'lost', token: state.record.token, reason: 'stopped' }];
  if (!state.isAwaiting && !state.isUnsure) {
    const record = { ...state.record, renewal: state.record.renewal + 1, isReleased: true };
    effects.push({ kind: 'write', operation, expectedVersion: state.version, record });
  }
  return { state: stopped, effects };
}

function follow(state: LeaseState, nextAtMs: number): StateOf<'follower'> {
  const { operation } = state;
  return { kind: 'follower', operation, isAwaiting: false, nextAtMs, observed: null };
}

function isSameWrite(a: LeaseRecord | null, b: LeaseRecord | null): boolean {
  if (a === null || b === null) return false;
  return a.instance === b.instance && a.token === b.token && a.renewal === b.renewal;
}

function rest(state: LeaseState): LeaseStep {
  return { state: { ...state, isAwaiting: false }, effects: [] };
}

function read(state: LeaseState): LeaseStep {
  const operation = state.operation + 1;
  return {
    state: { ...state, operation, isAwaiting: true },
    effects: [{ kind: 'read', operation }],
  };
}

function write(state: LeaseState, { expectedVersion, record }: Attempt): LeaseStep {
  const operation = state.operation + 1;
  return {
    state: { ...state, operation, isAwaiting: true },
    effects: [{ kind: 'write', operation, expectedVersion, record }],
  };
}
