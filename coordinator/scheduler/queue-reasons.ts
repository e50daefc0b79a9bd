/**
 * Why a job waits, as data and as a sentence: what `list` and `status` show beside a queued job.
 *
 * Before: coordinator/scheduler/job-queue.ts. After: coordinator/scheduler/placement.ts.
 */
import { assertNever } from '../../base/assert.ts';
import { formatBytes } from '../../base/units.ts';
import { memoryOf, openRooms, type QueuedJob, type QueueState, usedBy } from './queue-state.ts';
import { slotsThatFit } from './worker-choice.ts';

export type WaitReason =
  /** Slots are in use; this many more have to become free. */
  | { readonly kind: 'slots'; readonly missing: number }
  /** Slots are free, but their workers have too little memory for it. */
  | { readonly kind: 'memory'; readonly bytesPerSlot: number }
  /** So many do not exist. */
  | {
      readonly kind: 'notThere';
      readonly needed: number;
      readonly there: number;
      readonly bytesPerSlot: number;
    }
  | { readonly kind: 'quota'; readonly namespace: string }
  /** It needs more than its namespace may ever have. */
  | { readonly kind: 'quotaTooSmall'; readonly namespace: string }
  /** Its turn comes after another one that waits for slots. */
  | { readonly kind: 'behind'; readonly jobId: string; readonly missing: number }
  /** Slots are being reserved; these workers have not answered yet. */
  | { readonly kind: 'reserving'; readonly workerIds: readonly string[] };

/** What keeps a job from being given slots, its turn apart; null for nothing. */
export function reasonOf(state: QueueState, job: QueuedJob, nowMs: number): WaitReason | null {
  const { namespace, slots } = job;
  const quota = state.quotas.get(namespace);
  if (quota !== undefined) {
    const needed = { slots, memoryBytes: memoryOf(job) };
    if (exceeds(needed, quota)) return { kind: 'quotaTooSmall', namespace };
    const used = usedBy(state, namespace);
    const sum = { slots: used.slots + slots, memoryBytes: used.memoryBytes + needed.memoryBytes };
    if (exceeds(sum, quota)) return { kind: 'quota', namespace };
  }
  const bytesPerSlot = job.memoryBytesPerSlot;
  let there = 0;
  for (const { slots: freeSlots, memoryBytes } of state.workers.values()) {
    there += slotsThatFit({ freeSlots, freeMemoryBytes: memoryBytes }, job);
  }
  if (there < slots) return { kind: 'notThere', needed: slots, there, bytesPerSlot };
  const rooms = openRooms(state, nowMs);
  const fits = rooms.reduce((sum, room) => sum + slotsThatFit(room, job), 0);
  if (fits >= slots) return null;
  const free = rooms.reduce((sum, { freeSlots }) => sum + freeSlots, 0);
  if (free >= slots) return { kind: 'memory', bytesPerSlot };
  return { kind: 'slots', missing: slots - fits };
}

function exceeds(
  needed: { readonly slots: number; readonly memoryBytes: number },
  most: { readonly slotsMax: number; readonly memoryBytesMax: number },
): boolean {
  return needed.slots > most.slotsMax || needed.memoryBytes > most.memoryBytesMax;
}

/** Why a job of the queue does not run yet; null where it runs, or is not known. */
export function waitReasonOf(state: QueueState, jobId: string, nowMs: number): WaitReason | null {
  const reservation = state.reservations.get(jobId);
  if (reservation !== undefined) {
    return { kind: 'reserving', workerIds: [...reservation.missing].sort() };
  }
  const own = state.waiting.find((job) => job.jobId === jobId);
  if (own === undefined) return null;
  const reason = reasonOf(state, own, nowMs);
  // What holds it back by itself says more than its turn.
  if (reason !== null && !holdsOthersBack(reason)) return reason;
  for (const job of state.waiting) {
    if (job === own) break;
    const first = reasonOf(state, job, nowMs);
    if (first === null || !holdsOthersBack(first)) continue;
    const missing = first.kind === 'slots' ? first.missing : job.slots;
    return { kind: 'behind', jobId: job.jobId, missing };
  }
  return reason;
}

/** A job that waits for what others use: nobody of lower rank gets it before. */
export function holdsOthersBack({ kind }: WaitReason): boolean {
  return kind === 'slots' || kind === 'memory';
}

/** @example `textOfReason({ kind: 'slots', missing: 2 })` is "waiting for 2 slots". */
export function textOfReason(reason: WaitReason): string {
  switch (reason.kind) {
    case 'slots':
      return `waiting for ${counted(reason.missing, 'slot')}`;
    case 'memory':
      return `waiting for slots with ${formatBytes(reason.bytesPerSlot)} of memory each`;
    case 'notThere':
      return `needs ${counted(reason.needed, 'slot')} with ${formatBytes(reason.bytesPerSlot)} of memory each, the workers have room for ${reason.there}`;
    case 'quota':
      return `waiting for others of namespace "${reason.namespace}", which has used its quota`;
    case 'quotaTooSmall':
      return `needs more than the quota of namespace "${reason.namespace}"`;
    case 'behind':
      return `behind job ${reason.jobId}, which waits for ${counted(reason.missing, 'slot')}`;
    case 'reserving':
      return `slots are being reserved on ${reason.workerIds.join(', ')}`;
    default:
      return assertNever(reason);
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
