/**
 * The job queue as a pure step function: a job gets all the slots that it needs, or none.
 *
 *     waiting ──▶ reserving ──all granted──▶ confirming ──all confirmed──▶ running ──ended──▶
 *        ▲            └── refused, too late, ────┘                            │
 *        └──────────────── worker gone ◀──────────────────── requeue ─────────┘
 *
 * - Try, confirm, cancel: a worker keeps what it granted only until the try's time is over, so neither a lost
 *   message nor a dead coordinator leaves slots taken; what was confirmed is kept until it is released.
 * - Order: priority, then submission. A job that waits for slots in use holds back those behind it, or a large
 *   one would wait for ever. One that its quota holds back, or that needs more than there is, does not.
 * - A namespace never has more than its quota, what is being reserved included.
 * - Answers to an earlier try change nothing; what they granted is released.
 * Not here: messages and their repetition (a release is repeated until it is answered, or the worker is
 * gone), the reasons (queue-reasons.ts), placing tasks in the slots of a job (placement.ts).
 *
 * Before: coordinator/scheduler/queue-state.ts. After: coordinator/scheduler/queue-reasons.ts.
 */
import { assert, assertNever } from '../../base/assert.ts';
import { holdsOthersBack, reasonOf, type WaitReason } from './queue-reasons.ts';
import {
  type Held,
  type KnownRoom,
  openRooms,
  type QueuedJob,
  type QueueState,
  type Quota,
  type Reservation,
  withSlots,
  withWaiting,
} from './queue-state.ts';
import { chooseWorkers, type Draw, type WorkerRoom } from './worker-choice.ts';

export interface QueueContext {
  readonly nowMs: number;
  /** Chance, for the power of two choices. */
  readonly draw: Draw;
  /** How long the workers of one try have to answer. */
  readonly tryMs: number;
  /** How long a worker that has refused is left alone. */
  readonly avoidMs: number;
}

interface OfTry {
  readonly jobId: string;
  readonly attempt: number;
  readonly workerId: string;
}

type Joined = Pick<WorkerRoom, 'workerId' | 'incarnation' | 'slots' | 'memoryBytes'>;

export type QueueEvent =
  | (Joined & { readonly kind: 'workerJoined' })
  | { readonly kind: 'workerTrusted'; readonly workerId: string; readonly isTrusted: boolean }
  | { readonly kind: 'workerLoad'; readonly workerId: string; readonly load: number }
  | { readonly kind: 'workerGone'; readonly workerId: string }
  | { readonly kind: 'quota'; readonly namespace: string; readonly quota: Quota | null }
  | { readonly kind: 'submit'; readonly job: QueuedJob }
  /** The job has ended, or is not wanted any more. */
  | { readonly kind: 'ended'; readonly jobId: string }
  /** It gives its slots back and waits in its old place, perhaps for another number of them. */
  | { readonly kind: 'requeue'; readonly jobId: string; readonly slots?: number }
  /** A new leader takes over what runs. */
  | (Held & { readonly kind: 'adopt' })
  | (OfTry & { readonly kind: 'granted' | 'refused' | 'confirmed' })
  | { readonly kind: 'tick' };

interface OfSlots extends OfTry {
  readonly incarnation: number;
}

export type QueueEffect =
  | (OfSlots & {
      readonly kind: 'reserve';
      readonly slots: number;
      readonly memoryBytes: number;
      /** The worker takes them back after this, counted from when it grants them. */
      readonly keepMs: number;
    })
  | (OfSlots & { readonly kind: 'confirm' | 'release' })
  | (Pick<Held, 'attempt' | 'placement'> & { readonly kind: 'start'; readonly jobId: string })
  | { readonly kind: 'refuse'; readonly jobId: string; readonly reason: WaitReason };

export interface QueueStep {
  readonly state: QueueState;
  readonly effects: readonly QueueEffect[];
}

export function stepQueue(state: QueueState, event: QueueEvent, context: QueueContext): QueueStep {
  switch (event.kind) {
    case 'workerJoined':
      return schedule(join(state, event), context);
    case 'workerTrusted':
      return schedule(changeRoom(state, event.workerId, { isTrusted: event.isTrusted }), context);
    case 'workerLoad':
      return changeRoom(state, event.workerId, { load: event.load });
    case 'workerGone':
      return schedule(workerGone(state, event.workerId), context);
    case 'quota': {
      const quotas = new Map(state.quotas);
      if (event.quota === null) quotas.delete(event.namespace);
      else quotas.set(event.namespace, event.quota);
      return schedule(quiet({ ...state, quotas }), context);
    }
    case 'submit':
      return submit(state, event.job, context);
    case 'ended':
      return schedule(end(state, event.jobId), context);
    case 'requeue':
      return schedule(requeue(state, event.jobId, event.slots), context);
    case 'adopt':
      return quiet(adopt(state, event));
    case 'granted':
    case 'refused':
    case 'confirmed':
      return answer(state, event, context);
    case 'tick':
      return schedule(giveUpLate(state, context), context);
    default:
      return assertNever(event);
  }
}

function quiet(state: QueueState): QueueStep {
  return { state, effects: [] };
}

function join(state: QueueState, event: Joined): QueueStep {
  const { workerId, incarnation, slots, memoryBytes } = event;
  const known = state.workers.get(workerId);
  if (known?.incarnation === incarnation) return changeRoom(state, workerId, { isTrusted: true });
  // Another life: what the one before had is gone with it.
  const before = known === undefined ? quiet(state) : workerGone(state, workerId);
  const workers = new Map(before.state.workers);
  const room: KnownRoom = {
    ...{ workerId, incarnation, slots, memoryBytes },
    ...{ freeSlots: slots, freeMemoryBytes: memoryBytes, load: 0 },
    ...{ isTrusted: true, avoidUntilMs: Number.NEGATIVE_INFINITY },
  };
  return {
    state: { ...before.state, workers: workers.set(workerId, room) },
    effects: before.effects,
  };
}

function changeRoom(state: QueueState, workerId: string, change: Partial<KnownRoom>): QueueStep {
  const room = state.workers.get(workerId);
  if (room === undefined) return quiet(state);
  return quiet({ ...state, workers: new Map(state.workers).set(workerId, { ...room, ...change }) });
}

/** Its slots are gone; tries that count on it begin anew. What runs there is the job master's to restart. */
function workerGone(state: QueueState, workerId: string): QueueStep {
  const workers = new Map(state.workers);
  workers.delete(workerId);
  let step = quiet({ ...state, workers });
  for (const { job, placement } of state.reservations.values()) {
    if (Object.hasOwn(placement, workerId)) step = and(step, (next) => giveUp(next, job.jobId));
  }
  return step;
}

function submit(state: QueueState, job: QueuedJob, context: QueueContext): QueueStep {
  assert(!state.attempts.has(job.jobId), 'a job is submitted once');
  const attempts = new Map(state.attempts).set(job.jobId, 0);
  const queued = { ...state, attempts, waiting: withWaiting(state.waiting, job) };
  const reason = reasonOf(queued, job, context.nowMs);
  const neverFits = reason?.kind === 'notThere' || reason?.kind === 'quotaTooSmall';
  if (!job.isFailFast || !neverFits) return schedule(quiet(queued), context);
  return { state, effects: [{ kind: 'refuse', jobId: job.jobId, reason }] };
}

function end(state: QueueState, jobId: string): QueueStep {
  const { state: released, effects } = release(state, jobId);
  const attempts = new Map(released.attempts);
  attempts.delete(jobId);
  const waiting = released.waiting.filter((job) => job.jobId !== jobId);
  return { state: { ...released, attempts, waiting }, effects };
}

function requeue(state: QueueState, jobId: string, slots: number | undefined): QueueStep {
  const held = heldBy(state, jobId);
  const known = held?.job ?? state.waiting.find((job) => job.jobId === jobId);
  if (known === undefined) return quiet(state);
  const { state: released, effects } = release(state, jobId);
  const others = released.waiting.filter((job) => job.jobId !== jobId);
  const job = { ...known, slots: slots ?? known.slots };
  return { state: { ...released, waiting: withWaiting(others, job) }, effects };
}

function adopt(state: QueueState, { job, attempt, placement }: Held): QueueState {
  const held: Held = { job, attempt, placement };
  return {
    ...state,
    workers: withSlots(state.workers, held, 1),
    attempts: new Map(state.attempts).set(job.jobId, attempt),
    running: new Map(state.running).set(job.jobId, held),
  };
}

function heldBy(state: QueueState, jobId: string): Held | undefined {
  return state.reservations.get(jobId) ?? state.running.get(jobId);
}

/** Takes all slots of a job back, wherever it is on its way. */
function release(state: QueueState, jobId: string): QueueStep {
  const held = heldBy(state, jobId);
  if (held === undefined) return quiet(state);
  const reservations = new Map(state.reservations);
  const running = new Map(state.running);
  reservations.delete(jobId);
  running.delete(jobId);
  const workers = withSlots(state.workers, held, -1);
  return { state: { ...state, workers, reservations, running }, effects: ofEach('release', held) };
}

/** Ends a try; the job waits in its old place. */
function giveUp(state: QueueState, jobId: string): QueueStep {
  return requeue(state, jobId, undefined);
}

function giveUpLate(state: QueueState, { nowMs, avoidMs }: QueueContext): QueueStep {
  let step = quiet(state);
  for (const { job, missing, untilMs } of state.reservations.values()) {
    if (nowMs < untilMs) continue;
    for (const workerId of missing) {
      step = and(step, (next) => changeRoom(next, workerId, { avoidUntilMs: nowMs + avoidMs }));
    }
    step = and(step, (next) => giveUp(next, job.jobId));
  }
  return step;
}

type Answer = Extract<QueueEvent, { kind: 'granted' | 'refused' | 'confirmed' }>;

function answer(state: QueueState, event: Answer, context: QueueContext): QueueStep {
  const { kind, jobId, attempt, workerId } = event;
  const reservation = state.reservations.get(jobId);
  const phase = kind === 'granted' ? 'reserving' : 'confirming';
  if (reservation?.attempt !== attempt) return quiet(state);
  if (kind === 'refused') {
    const avoidUntilMs = context.nowMs + context.avoidMs;
    const avoided = changeRoom(state, workerId, { avoidUntilMs });
    return schedule(
      and(avoided, (next) => giveUp(next, jobId)),
      context,
    );
  }
  if (reservation.phase !== phase || !reservation.missing.has(workerId)) return quiet(state);
  const missing = new Set(reservation.missing);
  missing.delete(workerId);
  if (missing.size > 0) return quiet(withReservation(state, { ...reservation, missing }));
  return phase === 'reserving'
    ? confirmAll(state, reservation, context)
    : start(state, reservation);
}

function confirmAll(state: QueueState, reservation: Reservation, context: QueueContext): QueueStep {
  const missing = new Set(Object.keys(reservation.placement));
  const untilMs = context.nowMs + context.tryMs;
  const next: Reservation = { ...reservation, phase: 'confirming', missing, untilMs };
  return { state: withReservation(state, next), effects: ofEach('confirm', reservation) };
}

function start(state: QueueState, { job, attempt, placement }: Reservation): QueueStep {
  const reservations = new Map(state.reservations);
  reservations.delete(job.jobId);
  const running = new Map(state.running).set(job.jobId, { job, attempt, placement });
  const effect: QueueEffect = { kind: 'start', jobId: job.jobId, attempt, placement };
  return { state: { ...state, reservations, running }, effects: [effect] };
}

function withReservation(state: QueueState, reservation: Reservation): QueueState {
  const reservations = new Map(state.reservations).set(reservation.job.jobId, reservation);
  return { ...state, reservations };
}

/** Reserves for all jobs whose turn it is. */
function schedule(before: QueueStep, context: QueueContext): QueueStep {
  let step = before;
  for (const job of before.state.waiting) {
    const reason = reasonOf(step.state, job, context.nowMs);
    if (reason === null) step = and(step, (next) => reserve(next, job, context));
    else if (holdsOthersBack(reason)) break; // Nobody overtakes it.
  }
  return step;
}

function reserve(state: QueueState, job: QueuedJob, context: QueueContext): QueueStep {
  const rooms = openRooms(state, context.nowMs);
  const chosen = chooseWorkers(rooms, job, context.draw);
  if (chosen === null) return quiet(state);
  const attempt = (state.attempts.get(job.jobId) ?? 0) + 1;
  const lives = Object.entries(chosen).map(([workerId, slots]) => {
    const incarnation = state.workers.get(workerId)?.incarnation ?? 0;
    return [workerId, { incarnation, slots }] as const;
  });
  const placement = Object.fromEntries(lives);
  const missing = new Set(Object.keys(placement));
  const untilMs = context.nowMs + context.tryMs;
  const reservation: Reservation = {
    ...{ job, attempt, placement },
    ...{ phase: 'reserving', missing, untilMs },
  };
  const effects = lives.map(([workerId, { incarnation, slots }]): QueueEffect => {
    const memoryBytes = slots * job.memoryBytesPerSlot;
    // Long enough for this try and its confirmation; the slots come back by themselves after it.
    const keepMs = 2 * context.tryMs;
    const which = { jobId: job.jobId, attempt, workerId, incarnation };
    return { kind: 'reserve', ...which, slots, memoryBytes, keepMs };
  });
  const next: QueueState = {
    ...state,
    workers: withSlots(state.workers, reservation, 1),
    waiting: state.waiting.filter((other) => other !== job),
    attempts: new Map(state.attempts).set(job.jobId, attempt),
  };
  return { state: withReservation(next, reservation), effects };
}

function ofEach(kind: 'confirm' | 'release', { job, attempt, placement }: Held): QueueEffect[] {
  return Object.entries(placement).map(([workerId, { incarnation }]) => ({
    ...{ kind, jobId: job.jobId, attempt, workerId, incarnation },
  }));
}

function and(step: QueueStep, more: (state: QueueState) => QueueStep): QueueStep {
  const next = more(step.state);
  return { state: next.state, effects: [...step.effects, ...next.effects] };
}
