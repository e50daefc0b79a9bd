/** Workers that promise and give slots as real ones do, without processes: for tests of who asks them. */

import { createRealEnv } from '../../base/env/real-env.ts';
import type { SlotCalls } from '../../coordinator/cluster/slot-queue.ts';
import { SlotQueue } from '../../coordinator/cluster/slot-queue.ts';
import type {
  OfLife,
  OfSlots,
  ReserveRequest,
  SlotsAnswer,
} from '../../coordinator/protocol/members.ts';
import {
  emptyReservations,
  type ReservationCall,
  type SlotReservations,
  stepReservations,
} from '../../worker/membership/slot-reservations.ts';
import { type FakeCliEnv, fakeCliEnv } from './fake-cli-env.ts';

type CallBody = ReservationCall extends infer C
  ? C extends unknown
    ? Omit<C, 'nowMs'>
    : never
  : never;

export class SlotWorkers implements SlotCalls {
  readonly time: FakeCliEnv = fakeCliEnv();
  /** What was called, in order: `reserve w1 job#1`. */
  readonly calls: string[] = [];
  /** Workers whose answers do not come. */
  readonly silent = new Set<string>();
  readonly #workers = new Map<string, { readonly incarnation: number; state: SlotReservations }>();

  begin(workerId: string, slots: number, incarnation = 1): void {
    this.#workers.set(workerId, { incarnation, state: emptyReservations(slots, 1e9) });
  }

  end(workerId: string): void {
    this.#workers.delete(workerId);
  }

  isAlive({ workerId, incarnation }: OfLife): boolean {
    return this.#workers.get(workerId)?.incarnation === incarnation;
  }

  /** Slots that are promised or given, by worker. */
  get taken(): Record<string, number> {
    return Object.fromEntries(
      [...this.#workers].map(([workerId, { state }]) => {
        return [workerId, [...state.reserved.values()].reduce((sum, one) => sum + one.slots, 0)];
      }),
    );
  }

  /** A queue that asks these workers, all of which have joined. */
  newQueue(): SlotQueue {
    const env = { ...createRealEnv({ seed: 1 }), clock: this.time.clock, timers: this.time.timers };
    const queue = new SlotQueue(env, { calls: this });
    for (const workerId of this.#workers.keys()) this.join(queue, workerId);
    return queue;
  }

  join(queue: SlotQueue, workerId: string): void {
    const { incarnation = 0, state } = this.#workers.get(workerId) ?? {};
    queue.workerJoined({ workerId, incarnation, slots: state?.slots ?? 0, memoryBytes: 1e9 });
  }

  reserve({ slots, memoryBytes, keepMs, ...of }: ReserveRequest): Promise<SlotsAnswer> {
    return this.#call(of, { kind: 'reserve', ...idOf(of), slots, memoryBytes, keepMs });
  }

  confirm(of: OfSlots): Promise<SlotsAnswer> {
    return this.#call(of, { kind: 'confirm', ...idOf(of) });
  }

  release(of: OfSlots): Promise<SlotsAnswer> {
    return this.#call(of, { kind: 'release', ...idOf(of) });
  }

  async #call({ workerId, incarnation }: OfSlots, body: CallBody): Promise<SlotsAnswer> {
    this.calls.push(`${body.kind} ${workerId} ${body.jobId}`);
    const worker = this.#workers.get(workerId);
    if (this.silent.has(workerId) || worker?.incarnation !== incarnation)
      throw new Error('no answer');
    const call = { ...body, nowMs: this.time.clock.mono() } as ReservationCall;
    const { state, answer } = stepReservations(worker.state, call);
    worker.state = state;
    return { answer };
  }
}

function idOf({ jobId, attempt }: OfSlots) {
  return { jobId, attempt };
}

/** Lets promises go on that wait for nothing but each other. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
