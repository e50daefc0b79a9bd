/**
 * Steady clock: the wall clock, but one that neither falls nor stands still when the host's is set back.
 *
 *     host's clock    10:00:00  10:00:01  09:00:02  09:00:03      set back by an hour
 *     steady clock    10:00:00  10:00:01  10:00:02  10:00:03      goes on by the monotonic clock
 *
 * When the host's clock is ahead again, or is set forward, the time is the host's. Rows that are given such times keep
 * their order, and windows of them go on to end.
 */

export interface HostClock {
  readonly mono: () => number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

export class SteadyClock {
  readonly #host: HostClock;
  #nowMs = Number.NEGATIVE_INFINITY;
  #monoMs = 0;

  constructor(host: HostClock) {
    this.#host = host;
  }

  /** It is later than that, whatever the host says. */
  setLeast(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    this.#monoMs = this.#host.mono();
  }

  /** Milliseconds since 1970, whole ones; never less than before. */
  now(): number {
    const monoMs = this.#host.mono();
    const goneMs = Math.max(0, monoMs - this.#monoMs);
    this.#nowMs = Math.max(this.#host.wall(), this.#nowMs + goneMs);
    this.#monoMs = monoMs;
    return Math.floor(this.#nowMs);
  }
}
