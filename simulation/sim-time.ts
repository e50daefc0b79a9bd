/**
 * Clock and timers of one node. Its clock runs at a rate of its own (drift) and its wall clock is
 * off by a constant (skew); its monotonic clock starts anew with each incarnation, as after a
 * reboot. Timers count on the node's clock and come a little late, as real ones do.
 */
import type { Clock } from '../base/env/clock.ts';
import type { Rng } from '../base/env/rng.ts';
import type { CancelTimer, Timers } from '../base/env/timers.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

export interface ClockFault {
  /** Wall clock error in milliseconds. */
  readonly skewMs: number;
  /** Rate error: 0.01 gains 10 ms per second. */
  readonly drift: number;
}

/** 2026-01-01 in UTC: labels look like labels. */
const wallStartMs = 1_767_225_600_000;
/** A timer fires up to this much late. */
const timerLatenessMsMax = 2;

export class SimClock implements Clock {
  readonly #world: World;
  readonly #fault: ClockFault;
  readonly #bootedAtMs: number;
  readonly #monoStartMs: number;

  constructor(world: World, fault: ClockFault, monoStartMs: number) {
    this.#world = world;
    this.#fault = fault;
    this.#bootedAtMs = world.nowMs;
    this.#monoStartMs = monoStartMs;
  }

  mono(): number {
    const trueMs = this.#world.nowMs - this.#bootedAtMs;
    return this.#monoStartMs + trueMs * (1 + this.#fault.drift);
  }

  wall(): number {
    const { skewMs, drift } = this.#fault;
    return Math.floor(wallStartMs + this.#world.nowMs * (1 + drift) + skewMs);
  }
}

export class SimTimers implements Timers {
  readonly #life: Life;
  readonly #rate: number;
  readonly #lateness: Rng;

  constructor(life: Life, fault: ClockFault, lateness: Rng) {
    this.#life = life;
    this.#rate = 1 + fault.drift;
    this.#lateness = lateness;
  }

  after(delayMs: number, fire: () => void): CancelTimer {
    const trueMs = Math.max(0, delayMs) / this.#rate + this.#lateness.float() * timerLatenessMsMax;
    return this.#life.after(trueMs, fire);
  }

  every(intervalMs: number, fire: () => void): CancelTimer {
    let cancel: CancelTimer;
    const arm = (): void => {
      cancel = this.after(intervalMs, () => {
        arm(); // Before `fire`, so that it may cancel.
        fire();
      });
    };
    arm();
    return () => cancel();
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
