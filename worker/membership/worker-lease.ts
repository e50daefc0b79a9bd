/**
 * A worker's side of membership, as a pure state machine: which life it is, and until when it may run tasks.
 *
 *     outside ──registered──▶ member ──no answer for a whole lease, or fenced──▶ outside: all tasks end
 *
 * - Trust counts from sending a message that was answered, never from its answer: the coordinator counts
 *   from receiving it, and so surely later (coordinator/membership/member-state.ts).
 * - A coordinator that is away for less than a lease costs nothing: tasks go on, and a new leader finds them.
 * - Told another number than before, the worker was given up meanwhile: what it ran was started elsewhere.
 */
import { assertNever } from '../../base/assert.ts';

export interface WorkerLeaseConfig {
  readonly leaseMs: number;
  /** Largest rate error of any clock. */
  readonly driftMax: number;
}

export type WorkerLeaseState =
  | { readonly kind: 'outside' }
  | { readonly kind: 'member'; readonly incarnation: number; readonly trustedUntilMs: number };

export type WorkerLeaseEvent = { readonly nowMs: number } & (
  | { readonly kind: 'registered'; readonly incarnation: number; readonly sentAtMs: number }
  | { readonly kind: 'answered'; readonly incarnation: number; readonly sentAtMs: number }
  | { readonly kind: 'fenced'; readonly incarnation: number }
  | { readonly kind: 'tick' }
);

export type WorkerLeaseEffect =
  /** Ends all that runs for this life. */
  | { readonly kind: 'endTasks'; readonly incarnation: number; readonly reason: WorkerLeaseLoss }
  | { readonly kind: 'register' };

export type WorkerLeaseLoss = 'expired' | 'fenced' | 'replaced';

export interface WorkerLeaseStep {
  readonly state: WorkerLeaseState;
  readonly effects: readonly WorkerLeaseEffect[];
}

export const initialWorkerLease: WorkerLeaseState = { kind: 'outside' };

/** Whether tasks of this life may run; asks with the time of now. */
export function mayRun(state: WorkerLeaseState, nowMs: number): boolean {
  return state.kind === 'member' && nowMs < state.trustedUntilMs;
}

export function stepWorkerLease(
  state: WorkerLeaseState,
  event: WorkerLeaseEvent,
  config: WorkerLeaseConfig,
): WorkerLeaseStep {
  // Trust first: an answer that comes too late renews nothing.
  if (state.kind === 'member' && event.nowMs >= state.trustedUntilMs) {
    return leave(state.incarnation, 'expired');
  }
  switch (event.kind) {
    case 'registered':
      return registered(state, event, config);
    case 'answered': {
      if (state.kind === 'outside' || state.incarnation !== event.incarnation) return same(state);
      const trustedUntilMs = Math.max(state.trustedUntilMs, trustOf(event, config));
      return same({ ...state, trustedUntilMs });
    }
    case 'fenced':
      if (state.kind === 'outside' || state.incarnation !== event.incarnation) return same(state);
      return leave(state.incarnation, 'fenced');
    case 'tick':
      return same(state);
    default:
      return assertNever(event);
  }
}

function registered(
  state: WorkerLeaseState,
  event: Extract<WorkerLeaseEvent, { kind: 'registered' }>,
  config: WorkerLeaseConfig,
): WorkerLeaseStep {
  const { incarnation } = event;
  const trustedUntilMs = trustOf(event, config);
  if (state.kind === 'member' && incarnation < state.incarnation) return same(state); // An old answer.
  const isTooLate = event.nowMs >= trustedUntilMs;
  if (state.kind === 'outside') {
    if (isTooLate) return { state, effects: [{ kind: 'register' }] };
    return same({ kind: 'member', incarnation, trustedUntilMs });
  }
  if (incarnation === state.incarnation) {
    return same({ ...state, trustedUntilMs: Math.max(state.trustedUntilMs, trustedUntilMs) });
  }
  const { effects } = leave(state.incarnation, 'replaced');
  if (isTooLate) return { state: initialWorkerLease, effects };
  const ends = effects.filter(({ kind }) => kind === 'endTasks');
  return { state: { kind: 'member', incarnation, trustedUntilMs }, effects: ends };
}

function trustOf({ sentAtMs }: { readonly sentAtMs: number }, config: WorkerLeaseConfig): number {
  return sentAtMs + config.leaseMs * (1 - config.driftMax);
}

function same(state: WorkerLeaseState): WorkerLeaseStep {
  return { state, effects: [] };
}

function leave(incarnation: number, reason: WorkerLeaseLoss): WorkerLeaseStep {
  const effects = [{ kind: 'endTasks', incarnation, reason }, { kind: 'register' }] as const;
  return { state: initialWorkerLease, effects };
}
