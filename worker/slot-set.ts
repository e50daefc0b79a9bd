/**
 * The slots of a worker, by index. A thread that does not answer any more, for it is in a loop that never ends,
 * is ended alone, and another one takes its place with an empty memory; the others go on.
 *
 * Before: worker/worker.ts. After: worker/threads/piscina-slot-runner.ts.
 */
import { assert } from '../base/assert.ts';
import type { SlotHandle, SlotRunner } from '../base/env/slot-runner.ts';

export class SlotSet {
  readonly count: number;
  readonly #start: (slotIndex: number) => SlotHandle;
  readonly #slots: SlotHandle[];

  /** The threads start at once. */
  constructor(runner: SlotRunner, count: number, memoryBytes: number) {
    this.count = count;
    this.#start = (slotIndex) => runner.start(slotIndex, { memoryBytes });
    this.#slots = Array.from({ length: count }, (_, slotIndex) => this.#start(slotIndex));
  }

  at(slotIndex: number): SlotHandle {
    const slot = this.#slots[slotIndex];
    assert(slot !== undefined, 'a slot is one of its worker');
    return slot;
  }

  /** The slot is the new one at once; resolves when the old one's thread is gone. */
  replace(slotIndex: number): Promise<void> {
    const gone = this.at(slotIndex).terminate();
    this.#slots[slotIndex] = this.#start(slotIndex);
    return gone;
  }
}
