/**
 * A worker's slots, as a pure state machine: the receiving side of try, confirm, cancel.
 *
 *     reserve ──▶ granted ──confirm──▶ confirmed ──release──▶ free
 *                    └── time is over, release ──▶ free
 *
 * All calls may come twice, late or not at all: a second one is answered as the first was, and what was not
 * confirmed in time comes back by itself. A confirmed reservation is kept until it is released, or until the
 * worker's life ends, which ends all of them. The coordinator's counterpart is coordinator/scheduler/job-queue.ts.
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
    }
  | { readonly kind: 'confirm' | 'release' }
);

export type ReservationAnswer = 'granted' | 'refused' | 'confirmed' | 'released';

export interface ReservationStep {
  readonly state: SlotReservations;
  readonly answer: ReservationAnswer;
}

function freeSlotsOf({ slots, memoryBytes, reserved }: SlotReservations) {
  const all = [...reserved.values()];
  return {
    slots: all.reduce((free, one) => free - one.slots, slots),
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
      const free = freeSlotsOf(state);
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
      return { state: { ...state, reserved }, answer: 'released' };
    }
  }
}

function withReserved(state: SlotReservations, key: string, one: Reserved): SlotReservations {
  return { ...state, reserved: new Map(state.reserved).set(key, one) };
}

function withoutExpired(state: SlotReservations, nowMs: number): SlotReservations {
  const kept = [...state.reserved].filter(([, { untilMs }]) => nowMs < untilMs);
  return kept.length === state.reserved.size ? state : { ...state, reserved: new Map(kept) };
}
