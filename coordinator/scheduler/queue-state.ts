/**
 * Jobs that wait for slots, jobs that slots are being reserved for, and jobs that have theirs: the data that
 * the job queue's rules (job-queue.ts) step over. Immutable; each step shares what it does not change.
 *
 * Before: coordinator/scheduler/worker-choice.ts. After: coordinator/scheduler/job-queue.ts.
 */
import type { SlotRequest, WorkerRoom } from './worker-choice.ts';

export interface QueuedJob extends SlotRequest {
  readonly jobId: string;
  readonly namespace: string;
  /** Greater ones first. */
  readonly priority: number;
  /** Of submission: among equals the first one first. */
  readonly order: number;
  /** Refused where what it asks for does not exist, in place of waiting for workers to come. */
  readonly isFailFast: boolean;
}

/** Worker → slots, and which life of it. */
export type SlotPlacement = Readonly<
  Record<string, { readonly incarnation: number; readonly slots: number }>
>;

/** Slots that are promised to a job, in the making or there. */
export interface Held {
  readonly job: QueuedJob;
  /** How often slots were reserved for it; answers to earlier tries are dropped. */
  readonly attempt: number;
  readonly placement: SlotPlacement;
}

/** `reserving` until all workers have said yes, then `confirming` until all have taken note. */
export interface Reservation extends Held {
  readonly phase: 'reserving' | 'confirming';
  readonly missing: ReadonlySet<string>;
  readonly untilMs: number;
}

export interface Quota {
  readonly slotsMax: number;
  readonly memoryBytesMax: number;
}

export interface KnownRoom extends WorkerRoom {
  /** A suspect worker gets nothing new; neither does one that has just refused. */
  readonly isTrusted: boolean;
  readonly avoidUntilMs: number;
}

export interface QueueState {
  readonly workers: ReadonlyMap<string, KnownRoom>;
  /** By priority, then order. */
  readonly waiting: readonly QueuedJob[];
  readonly reservations: ReadonlyMap<string, Reservation>;
  readonly running: ReadonlyMap<string, Held>;
  readonly quotas: ReadonlyMap<string, Quota>;
  /** Tries of each job that is known, so that a number is never used again. */
  readonly attempts: ReadonlyMap<string, number>;
}

export const emptyQueue: QueueState = {
  workers: new Map(),
  waiting: [],
  reservations: new Map(),
  running: new Map(),
  quotas: new Map(),
  attempts: new Map(),
};

export function memoryOf({ slots, memoryBytesPerSlot }: SlotRequest): number {
  return slots * memoryBytesPerSlot;
}

/** What a namespace has, or is promised. */
export function usedBy(
  state: QueueState,
  namespace: string,
): { slots: number; memoryBytes: number } {
  let slots = 0;
  let memoryBytes = 0;
  for (const held of [...state.reservations.values(), ...state.running.values()]) {
    if (held.job.namespace !== namespace) continue;
    slots += held.job.slots;
    memoryBytes += memoryOf(held.job);
  }
  return { slots, memoryBytes };
}

/** Workers that new slots may be on. */
export function openRooms(state: QueueState, nowMs: number): KnownRoom[] {
  return [...state.workers.values()].filter(
    ({ isTrusted, avoidUntilMs }) => isTrusted && nowMs >= avoidUntilMs,
  );
}

/** The queue with a job in its place. */
export function withWaiting(waiting: readonly QueuedJob[], job: QueuedJob): readonly QueuedJob[] {
  let low = 0;
  let high = waiting.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comesFirst(waiting[middle] as QueuedJob, job)) low = middle + 1;
    else high = middle;
  }
  return waiting.toSpliced(low, 0, job);
}

function comesFirst(one: QueuedJob, other: QueuedJob): boolean {
  if (one.priority !== other.priority) return one.priority > other.priority;
  return one.order <= other.order;
}

/** The rooms after slots were promised (`sign` 1) or given back (-1); lives that have ended are left out. */
export function withSlots(
  workers: ReadonlyMap<string, KnownRoom>,
  { job, placement }: Held,
  sign: 1 | -1,
): ReadonlyMap<string, KnownRoom> {
  const next = new Map(workers);
  for (const [workerId, { incarnation, slots }] of Object.entries(placement)) {
    const room = workers.get(workerId);
    if (room === undefined || room.incarnation !== incarnation) continue;
    next.set(workerId, {
      ...room,
      freeSlots: room.freeSlots - sign * slots,
      freeMemoryBytes: room.freeMemoryBytes - sign * slots * job.memoryBytesPerSlot,
    });
  }
  return next;
}
