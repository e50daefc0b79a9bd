/**
 * The doorbell of a thread: one word of shared memory that counts its rings.
 *
 *     waiter                               ringer
 *     seen = count()
 *     look for work: none                  write work
 *     wait(seen)  ◀── word changed ──      ring(): add 1, notify
 *
 * Taking the count before looking makes a ring in between impossible to miss. The wait has no
 * timeout: timers of `Atomics.waitAsync` pile up (200,000 of them froze a loop for 17 s); who needs
 * one rings from an interval. A short spin before waiting is the caller's, who knows its load. A
 * pending wait does not keep a process alive.
 */
import { assert } from '../assert.ts';
import type { Doorbell } from './slot-runner.ts';

/** @param words - A view on a SharedArrayBuffer; each thread's bell is one of its words. */
export function createDoorbell(words: Int32Array, index: number): Doorbell {
  assert(words.buffer instanceof SharedArrayBuffer, 'doorbell words are in shared memory');
  assert(0 <= index && index < words.length, 'the doorbell has a word of its own');
  return {
    ring() {
      Atomics.add(words, index, 1); // Wraps after 2^32 rings; only equality is ever asked.
      Atomics.notify(words, index);
    },
    count: () => Atomics.load(words, index),
    async wait(seen) {
      await Atomics.waitAsync(words, index, seen).value;
    },
  };
}
