/**
 * Barrier aligner: the barriers of several channels as one.
 *
 *     channel 0   a b │n  c d      brought barrier n: is not read until all have
 *     channel 1   p q r s │n       is read on; then the barrier of all goes out, and all are read again
 *     channel 2   x (end)          counts as one that has brought it
 *
 * So no row behind a barrier is worked on before the snapshot, and all rows in front of one are.
 *
 * A channel that brings a later barrier than the one that is waited for says that the earlier checkpoint was given up
 * before it reached that channel: it will never come there. Then the later one is waited for.
 * Before: engine/stream/input-gate.ts. After: engine/task/mark-passage.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Barrier } from './barrier.ts';

export class BarrierAligner {
  readonly #hasEnded: boolean[];
  /** By channel: the barrier that it has brought last. */
  readonly #broughtId: number[];
  /** The barrier that is waited for; 0: none. */
  #waitedId = 0;
  /** The barrier that went out last. */
  #passedId = 0;

  /** @param channelCount - 1 or more. */
  constructor(channelCount: number) {
    this.#hasEnded = new Array<boolean>(channelCount).fill(false);
    this.#broughtId = new Array<number>(channelCount).fill(0);
  }

  /** Whether some channel has brought a barrier that others have not. */
  get isAligning(): boolean {
    return this.#waitedId !== 0;
  }

  /** Whether the channel must not be read: what is behind its barrier comes later. */
  isBlocked(channel: number): boolean {
    return this.#waitedId !== 0 && this.#broughtId[channel] === this.#waitedId;
  }

  /** The channel has brought a barrier; answers that of all once all have. */
  arrive(channel: number, { checkpointId }: Barrier): Barrier | null {
    assert(!this.isBlocked(channel), 'a channel that is blocked is not read');
    this.#broughtId[channel] = checkpointId;
    if (checkpointId <= this.#passedId || checkpointId < this.#waitedId) return null; // Given up.
    this.#waitedId = checkpointId;
    return this.#barrierOfAll();
  }

  /** The channel has ended; answers as `arrive`. */
  end(channel: number): Barrier | null {
    this.#hasEnded[channel] = true;
    return this.#waitedId === 0 ? null : this.#barrierOfAll();
  }

  #barrierOfAll(): Barrier | null {
    const checkpointId = this.#waitedId;
    const isThere = (id: number, channel: number) => id === checkpointId || this.#hasEnded[channel];
    if (!this.#broughtId.every(isThere)) return null;
    this.#waitedId = 0;
    this.#passedId = checkpointId;
    return { kind: 'barrier', checkpointId };
  }
}
