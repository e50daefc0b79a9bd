/**
 * Which workers a job's slots are on: all that it needs, or none.
 *
 *     local    the worker that holds its blocks or its state, as long as it has room
 *     spread   of two workers drawn by chance the one with less to do: nearly as even as looking at all of
 *              them, and two schedulers with the same old numbers do not pick the same worker
 *     pack     the fullest worker that still has room: others stay free for jobs that need many slots
 *
 * @see Mitzenmacher 2001, "The power of two choices in randomized load balancing".
 * After: coordinator/scheduler/job-queue.ts.
 */

export interface WorkerRoom {
  readonly workerId: string;
  /** The life of the worker that the slots are of. */
  readonly incarnation: number;
  readonly slots: number;
  readonly memoryBytes: number;
  /** What is neither used nor promised. */
  readonly freeSlots: number;
  readonly freeMemoryBytes: number;
  /** How busy its processors are, as it has said last: 0 to 1. */
  readonly load: number;
}

export interface SlotRequest {
  readonly slots: number;
  readonly memoryBytesPerSlot: number;
  readonly strategy: 'spread' | 'pack';
  /** Worker → how much of what the job reads, or of its state, is there. */
  readonly local: Readonly<Record<string, number>>;
  /** Workers that get nothing of it as long as others have room for all. */
  readonly avoid?: readonly string[];
}

/** A whole number in [0, count). */
export type Draw = (count: number) => number;

/** A worker as it fills up with this job. */
interface Candidate {
  readonly room: WorkerRoom;
  readonly fits: number;
  taken: number;
}

/** Worker → slots; null where there is no room for all of them. */
export function chooseWorkers(
  rooms: readonly WorkerRoom[],
  request: SlotRequest,
  draw: Draw,
): Readonly<Record<string, number>> | null {
  const able = rooms
    .map((room): Candidate => ({ room, fits: slotsThatFit(room, request), taken: 0 }))
    .filter(({ fits }) => fits > 0);
  if (slotsOf(able) < request.slots) return null;
  const liked = able.filter(({ room }) => request.avoid?.includes(room.workerId) !== true);
  const open = slotsOf(liked) < request.slots ? able : liked;
  const order = preferenceOf(open, request);
  const candidates = [...open];
  for (let count = 0; count < request.slots; count++) {
    const chosen = order?.find(hasRoom) ?? lessBusyOfTwo(candidates, draw);
    chosen.taken++;
    if (!hasRoom(chosen)) removeUnordered(candidates, candidates.indexOf(chosen));
  }
  const used = open.filter(({ taken }) => taken > 0);
  return Object.fromEntries(used.map((one) => [one.room.workerId, one.taken]));
}

/** How many slots of a request a worker has room for. */
export function slotsThatFit(
  { freeSlots, freeMemoryBytes }: Pick<WorkerRoom, 'freeSlots' | 'freeMemoryBytes'>,
  { memoryBytesPerSlot }: Pick<SlotRequest, 'memoryBytesPerSlot'>,
): number {
  if (memoryBytesPerSlot === 0) return freeSlots;
  return Math.min(freeSlots, Math.floor(freeMemoryBytes / memoryBytesPerSlot));
}

/** Workers to fill one after the other, as far as chance has no say. */
function preferenceOf(
  open: readonly Candidate[],
  { strategy, slots, local }: SlotRequest,
): readonly Candidate[] | null {
  const localOf = ({ room }: Candidate) => local[room.workerId] ?? 0;
  // One worker that takes all, and leaves the least, before many that are nearly full.
  const leaves = ({ fits }: Candidate) => (fits >= slots ? fits - slots : Number.MAX_SAFE_INTEGER);
  const byLocality = (one: Candidate, other: Candidate) => localOf(other) - localOf(one);
  if (strategy === 'pack') {
    return [...open].sort(
      (one, other) =>
        byLocality(one, other) || leaves(one) - leaves(other) || one.fits - other.fits,
    );
  }
  const near = open.filter((one) => localOf(one) > 0).sort(byLocality);
  return near.length > 0 ? near : null;
}

function slotsOf(candidates: readonly Candidate[]): number {
  return candidates.reduce((sum, { fits }) => sum + fits, 0);
}

function hasRoom({ taken, fits }: Candidate): boolean {
  return taken < fits;
}

function lessBusyOfTwo(candidates: readonly Candidate[], draw: Draw): Candidate {
  const first = candidates[draw(candidates.length)] as Candidate;
  const second = candidates[draw(candidates.length)] as Candidate;
  return busynessOf(second) < busynessOf(first) ? second : first;
}

/** Slots of the same job count first: a spread job loses little with a worker. */
function busynessOf({ room, taken }: Candidate): number {
  const used = (room.slots - room.freeSlots + taken) / room.slots;
  return taken + used + room.load;
}

function removeUnordered<T>(list: T[], index: number): void {
  const last = list.pop();
  if (last !== undefined && index < list.length) list[index] = last;
}
