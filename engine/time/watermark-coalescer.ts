/**
 * Watermark coalescer: the watermarks of several channels as one, which is the least of them.
 *
 *     channel 0   10:05            channels that are idle or have ended are left out;
 *     channel 1   10:02   → 10:02  one that comes back counts again, and what it says below
 *     channel 2   idle             the watermark that was given out is late; where all are idle,
 *                                  nobody holds what the furthest of them has promised
 *
 * It never falls, and says which channel holds it back: "why has nothing come out?" is answered here.
 * Before: engine/stream/input-gate.ts. After: engine/operators/operator.ts.
 */

export interface ChannelTime {
  /** Index of the channel. */
  readonly channel: number;
  /** Minus infinity before its first watermark. */
  readonly watermarkMs: number;
  readonly isIdle: boolean;
}

export class WatermarkCoalescer {
  readonly #watermarks: Float64Array;
  readonly #isIdle: boolean[];
  readonly #hasEnded: boolean[];
  #watermarkMs = Number.NEGATIVE_INFINITY;
  #saysIdle = false;

  /** @param channelCount - 1 or more. */
  constructor(channelCount: number) {
    this.#watermarks = new Float64Array(channelCount).fill(Number.NEGATIVE_INFINITY);
    this.#isIdle = new Array<boolean>(channelCount).fill(false);
    this.#hasEnded = new Array<boolean>(channelCount).fill(false);
  }

  /** The watermark of all. */
  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  /** That of one channel; minus infinity before its first. */
  watermarkOf(channel: number): number {
    return this.#watermarks[channel] ?? Number.NEGATIVE_INFINITY;
  }

  /** Answers the new watermark of all, or null where it stays. */
  advance(channel: number, watermarkMs: number): number | null {
    this.#isIdle[channel] = false;
    const before = this.#watermarks[channel] ?? Number.NEGATIVE_INFINITY;
    this.#watermarks[channel] = Math.max(before, watermarkMs);
    return this.#next();
  }

  /** The channel has no rows; answers as `advance`. */
  setIdle(channel: number): number | null {
    this.#isIdle[channel] = true;
    return this.#next();
  }

  /** Rows came on a channel that was idle. */
  setActive(channel: number): void {
    if (!this.#isIdle[channel]) return;
    this.#isIdle[channel] = false;
    this.#saysIdle = false;
  }

  /** The channel has ended; answers as `advance`. */
  end(channel: number): number | null {
    this.#hasEnded[channel] = true;
    return this.#next();
  }

  /** Whether all channels that have not ended are idle, told once each time. */
  becameIdle(): boolean {
    const isIdle = this.channels().length > 0 && this.channels().every((one) => one.isIdle);
    if (isIdle === this.#saysIdle) return false;
    this.#saysIdle = isIdle;
    return isIdle;
  }

  /** The channels that have not ended. */
  channels(): readonly ChannelTime[] {
    const all: ChannelTime[] = [];
    for (const [channel, watermarkMs] of this.#watermarks.entries()) {
      const isIdle = this.#isIdle[channel] === true;
      if (this.#hasEnded[channel] !== true) all.push({ channel, watermarkMs, isIdle });
    }
    return all;
  }

  #next(): number | null {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let channel = 0; channel < this.#watermarks.length; channel++) {
      if (this.#hasEnded[channel]) continue;
      const watermark = this.#watermarks[channel] ?? Number.NEGATIVE_INFINITY;
      if (this.#isIdle[channel]) most = Math.max(most, watermark);
      else least = Math.min(least, watermark);
    }
    const next = least === Number.POSITIVE_INFINITY ? most : least;
    if (next <= this.#watermarkMs) return null;
    this.#watermarkMs = next;
    return next;
  }
}
