/**
 * A worker's slots, as a pure state machine: the receiving side of try, confirm, cancel.
 *
 *     reserve ──▶ granted ──confirm──▶ confirmed ──release──▶ free
 *                    └── time is over, release ──▶ free
 *
 * All calls may come twice, late, in another order or not at all: a second one is answered as the first was, and what was not
 * confirmed in time comes back by itself. A confirmed reservation is kept until it is released, or until the
 * worker's life ends, which ends all of them. What was released stays so: a reserve and a confirm that come behind
 * their release, both late, would else take slots that nobody gives back. The coordinator's counterpart is coordinator/scheduler/job-queue.ts.
 */

interface Reserved {
  readonly jobId: string;
  readonly attempt: number;
  readonly slots: number;
  readonly memoryBytes: number;
  /** Infinity once it is confirmed. */
  readonly untilMs: number;
}

export interface SlotReservations {
  readonly slots: number;
  readonly memoryBytes: number;
  /** By job and attempt. */
  readonly reserved: ReadonlyMap<string, Reserved>;
  /** Job → the greatest attempt that was released, and until when that is remembered. */
  readonly released: ReadonlyMap<string, { readonly attempt: number; readonly untilMs: number }>;
}

/** No call is under way for so long: each has a deadline of seconds. */
const rememberMs = 600_000;

export function emptyReservations(slots: number, memoryBytes: number): SlotReservations {
  return { slots, memoryBytes, reserved: new Map(), released: new Map() };
}

export type ReservationCall = {
  readonly nowMs: number;
  readonly jobId: string;
  readonly attempt: number;
} & (
  | {
      readonly kind: 'reserve';
      readonly slots: number;
      readonly memoryBytes: number;
      readonly keepMs: number;
      /** Slots of processes here. @defaultValue none */
      readonly inUse?: SlotsInUse;
    }
  | { readonly kind: 'confirm' | 'release' }
);

export type ReservationAnswer = 'granted' | 'refused' | 'confirmed' | 'released';

export interface ReservationStep {
  readonly state: SlotReservations;
  readonly answer: ReservationAnswer;
}

/** A process may be there for a while after its slots were given back, or was to be: they are not free before it has ended. */
export interface SlotsInUse {
  /** Of all processes. */
  readonly slots: number;
  /** Of those that were told to end. */
  readonly endingSlots: number;
}

function freeSlotsOf(
  { slots, memoryBytes, reserved }: SlotReservations,
  inUse: SlotsInUse = { slots: 0, endingSlots: 0 },
) {
  const all = [...reserved.values()];
  const reservedSlots = all.reduce((sum, one) => sum + one.slots, 0);
  return {
    slots: slots - Math.max(reservedSlots + inUse.endingSlots, inUse.slots),
    memoryBytes: all.reduce((free, one) => free - one.memoryBytes, memoryBytes),
  };
}

export function stepReservations(before: SlotReservations, call: ReservationCall): ReservationStep {
  const state = withoutExpired(before, call.nowMs);
  const key = `${call.jobId} ${call.attempt}`;
  const known = state.reserved.get(key);
  switch (call.kind) {
    case 'reserve': {
      if (known !== undefined) return { state, answer: 'granted' };
      if (wasReleased(state, call)) return { state, answer: 'refused' };
      const free = freeSlotsOf(state, call.inUse);
      const fits = call.slots <= free.slots && call.memoryBytes <= free.memoryBytes;
      if (!fits) return { state, answer: 'refused' };
      const { jobId, attempt, slots, memoryBytes } = call;
      const untilMs = call.nowMs + call.keepMs;
      const one: Reserved = { jobId, attempt, slots, memoryBytes, untilMs };
      return { state: withReserved(state, key, one), answer: 'granted' };
    }
    case 'confirm': {
      if (known === undefined) return { state, answer: 'refused' };
      const one: Reserved = { ...known, untilMs: Number.POSITIVE_INFINITY };
      return { state: withReserved(state, key, one), answer: 'confirmed' };
    }
    case 'release': {
      const reserved = new Map(state.reserved);
      reserved.delete(key);
      const attempt = Math.max(call.attempt, state.released.get(call.jobId)?.attempt ?? 0);
      const untilMs = call.nowMs + rememberMs;
      const released = new Map(state.released).set(call.jobId, { attempt, untilMs });
      return { state: { ...state, reserved, released }, answer: 'released' };
    }
  }
}

function withReserved(state: SlotReservations, key: string, one: Reserved): SlotReservations {
  return { ...state, reserved: new Map(state.reserved).set(key, one) };
}

function wasReleased({ released }: SlotReservations, call: ReservationCall): boolean {
  return call.attempt <= (released.get(call.jobId)?.attempt ?? 0);
}

/** Whoever is not confirmed in time, and what need not be remembered any more. */
function withoutExpired(state: SlotReservations, nowMs: number): SlotReservations {
  const isOld = ({ untilMs }: { readonly untilMs: number }): boolean => nowMs >= untilMs;
  const { reserved, released } = state;
  if (![...reserved.values(), ...released.values()].some(isOld)) return state;
  return {
    ...state,
    reserved: new Map([...reserved].filter(([, one]) => !isOld(one))),
    released: new Map([...released].filter(([, one]) => !isOld(one))),
  };
}
