/**
 * Questions to slot threads: each is answered between two slices, or not at all. A thread in a long call of the
 * user's does not answer in time, and one that dies never does; the others' answers are worth having.
 *
 *     ask ──question──▶ slot 0   answers
 *         ──question──▶ slot 1   busy: null at the deadline
 *
 * Before: worker/executor.ts. After: worker/threads/slot-program.ts.
 */
import type { Timers } from '../base/env/timers.ts';
import { askDeadlineMs, type Question } from '../coordinator/protocol.ts';
import type { FromSlot, SlotAnswer, ToSlot } from './threads/slot-messages.ts';

interface Open {
  readonly slotIndex: number;
  readonly resolve: (tasks: readonly SlotAnswer[] | null) => void;
}

export class SlotQuestions {
  readonly #timers: Timers;
  readonly #post: (slotIndex: number, message: ToSlot) => void;
  readonly #open = new Map<number, Open>();
  #nextId = 1;

  constructor(timers: Timers, post: (slotIndex: number, message: ToSlot) => void) {
    this.#timers = timers;
    this.#post = post;
  }

  /** What the slot's tasks answer; null when the thread does not in time. */
  ask(slotIndex: number, question: Question): Promise<readonly SlotAnswer[] | null> {
    const requestId = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<readonly SlotAnswer[] | null>();
    const cancel = this.#timers.after(askDeadlineMs, () => this.#close(requestId, null));
    this.#open.set(requestId, {
      slotIndex,
      resolve: (tasks) => {
        cancel();
        resolve(tasks);
      },
    });
    this.#post(slotIndex, { kind: 'ask', requestId, question });
    return promise;
  }

  /** A slot has answered; what comes after the deadline is nobody's any more. */
  answer({ requestId, tasks }: Extract<FromSlot, { kind: 'answered' }>): void {
    this.#close(requestId, tasks);
  }

  /** The slot's thread is gone, or all of them when none is named. */
  giveUp(slotIndex?: number): void {
    for (const [requestId, open] of this.#open) {
      if (slotIndex === undefined || open.slotIndex === slotIndex) this.#close(requestId, null);
    }
  }

  #close(requestId: number, tasks: readonly SlotAnswer[] | null): void {
    const open = this.#open.get(requestId);
    this.#open.delete(requestId);
    open?.resolve(tasks);
  }
}
