/**
 * The simulated slot runner: a slot's program runs inline, on clones. Whatever crosses between the
 * role and the slot goes through `structuredClone` and takes virtual time, so that a message that
 * is changed after it was posted, or cannot be cloned, shows in simulation as it would in threads.
 */
import type { SlotHandle, SlotRunner } from '../base/env/slot-runner.ts';
import type { Timers } from '../base/env/timers.ts';

/** What a slot's program sees of its role. */
export interface SlotPort {
  readonly slotIndex: number;
  readonly memoryBytes: number;
  post(message: unknown): void;
  onMessage(handler: (message: unknown) => void): void;
  /** The role ends the slot: nothing of it may go on. */
  onTerminate(handler: () => void): void;
}

/** The program of a slot; the slot ends when its promise does. */
export type SlotProgram = (port: SlotPort) => Promise<void>;

export interface SimSlotRunnerOptions {
  readonly program: SlotProgram;
  /** Virtual time that a message of a slot takes to the other side. @defaultValue 0.05 for all */
  readonly messageMsOf?: (slotIndex: number) => number;
}

export function createSimSlotRunner(timers: Timers, options: SimSlotRunnerOptions): SlotRunner {
  const slots = new Set<SlotHandle>();
  return {
    start(slotIndex, { memoryBytes }) {
      const slot = startSlot(timers, options, { slotIndex, memoryBytes });
      slots.add(slot);
      return slot;
    },
    async close() {
      await Promise.all([...slots].map((slot) => slot.terminate()));
    },
  };
}

function startSlot(
  timers: Timers,
  { program, messageMsOf = () => 0.05 }: SimSlotRunnerOptions,
  place: { readonly slotIndex: number; readonly memoryBytes: number },
): SlotHandle {
  const messageMs = messageMsOf(place.slotIndex);
  const toSlot = createWay(timers, messageMs);
  const toRole = createWay(timers, messageMs);
  let end: () => void = () => {};
  const terminated = new Promise<void>((resolve) => {
    end = resolve;
  });
  const port: SlotPort = {
    ...place,
    post: toRole.post,
    onMessage: toSlot.onMessage,
    onTerminate: (handler) => void terminated.then(handler),
  };
  const run = new Promise<void>((resolve, reject) => {
    timers.after(messageMs, () => {
      program(port).then(resolve, reject);
    });
  });
  const ended = Promise.race([run, terminated]);
  ended.catch(() => undefined); // Whoever looks hears of it; nobody has to.
  return {
    post: toSlot.post,
    onMessage: toRole.onMessage,
    ended,
    async terminate() {
      toSlot.cut();
      toRole.cut();
      end();
    },
  };
}

/** One direction: clones are delivered later, in order, and never after the cut. */
function createWay(timers: Timers, messageMs: number) {
  /** Under way, then waiting for a handler: whatever timer is late, the order stays. */
  const underWay: unknown[] = [];
  const waiting: unknown[] = [];
  let handler: ((message: unknown) => void) | null = null;
  let isCut = false;
  const deliver = (): void => {
    while (!isCut && handler !== null && waiting.length > 0) handler(waiting.shift());
  };
  return {
    post(message: unknown): void {
      underWay.push(structuredClone(message));
      timers.after(messageMs, () => {
        waiting.push(underWay.shift());
        deliver();
      });
    },
    onMessage(next: (message: unknown) => void): void {
      handler = next;
      deliver();
    },
    cut(): void {
      isCut = true;
    },
  };
}
