/**
 * A shared moment: a time that one thread writes and others read, without waiting for each other.
 *
 *     words    version   low half   high half        of a float64; version 0: nothing was written yet
 *     write    odd ───▶ halves ───▶ even, and larger
 *     read     even ──▶ halves ───▶ the same version again: both halves are of one write
 *
 * Why two halves: no atomic of 64 bits is to be had without BigInt, and a plain float64 in shared memory may be torn. A
 * reader that meets a write goes by what it read last; it is to ask again in a moment anyway. A thread that dies in the
 * middle of a write leaves an odd version: nobody waits for it, and the next writer goes on from there.
 *
 * Contract: one thread writes at a time (not checked).
 * After: engine/time/source-alignment.ts.
 */

/** Of one moment. */
export const sharedMomentBytes = 16;

const [version, low, high] = [0, 1, 2];
/** A write takes less than a microsecond; who meets three of them has bad luck. */
const triesMax = 3;

export class SharedMoment {
  readonly #words: Int32Array;
  readonly #time = new Float64Array(1);
  readonly #halves = new Int32Array(this.#time.buffer);
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param buffer - Of `sharedMomentBytes` for each moment, zeroed: minus infinity. */
  constructor(buffer: ArrayBufferLike, index: number) {
    this.#words = new Int32Array(buffer, index * sharedMomentBytes, sharedMomentBytes / 4);
  }

  write(timeMs: number): void {
    const words = this.#words;
    const begun = Atomics.load(words, version) | 1;
    this.#time[0] = timeMs;
    Atomics.store(words, version, begun);
    Atomics.store(words, low, this.#halves[0] ?? 0);
    Atomics.store(words, high, this.#halves[1] ?? 0);
    // Zero, after 2^31 writes, would say that there was none.
    Atomics.store(words, version, (begun + 1) | 0 || 2);
  }

  /** What was written last, or before that where somebody writes now. */
  read(): number {
    const words = this.#words;
    for (let turn = 0; turn < triesMax; turn++) {
      const before = Atomics.load(words, version);
      if (before === 0) return this.#lastMs;
      if ((before & 1) !== 0) continue;
      this.#halves[0] = Atomics.load(words, low);
      this.#halves[1] = Atomics.load(words, high);
      if (Atomics.load(words, version) !== before) continue;
      this.#lastMs = this.#time[0] ?? this.#lastMs;
      return this.#lastMs;
    }
    return this.#lastMs;
  }
}
