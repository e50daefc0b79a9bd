/**
 * A process that only pretends to run: it ends by itself now and then, when it is told to, soon or too late, and with the machine
 * that it is on.
 */
import type { Env } from '../base/env/env.ts';
import type { ExecutorProcess, ProcessEnd } from '../worker/supervisor/executor-launcher.ts';

export interface PretendedOptions {
  readonly slots: number;
  readonly isHostAlive: () => boolean;
}

/** Some take longer than they have. */
const cleanUpMsMax = 4_000;
const lifeMsMax = 3_000;

export class PretendedProcess implements ExecutorProcess {
  readonly ended: Promise<ProcessEnd>;
  readonly slots: number;
  isKilled = false;
  readonly #env: Pick<Env, 'timers'>;
  readonly #isHostAlive: () => boolean;
  readonly #cleanUpMs: number;
  #end: (end: ProcessEnd) => void = () => undefined;
  #hasEnded = false;

  constructor(env: Pick<Env, 'timers' | 'rng'>, { slots, isHostAlive }: PretendedOptions) {
    const chance = env.rng.stream('processes');
    this.#env = env;
    this.#isHostAlive = isHostAlive;
    this.#cleanUpMs = chance.int(0, cleanUpMsMax);
    this.slots = slots;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    if (chance.float() < 0.3) {
      env.timers.after(chance.int(20, lifeMsMax), () => this.#over({ exitCode: 1, signal: null }));
    }
  }

  get isAlive(): boolean {
    return !this.#hasEnded && this.#isHostAlive();
  }

  get hasEndedItself(): boolean {
    return this.#hasEnded && !this.isKilled;
  }

  kill(how: 'asked' | 'now'): void {
    this.isKilled ||= !this.#hasEnded;
    const afterMs = how === 'now' ? 1 : this.#cleanUpMs;
    this.#env.timers.after(afterMs, () => this.#over({ exitCode: null, signal: 'SIGTERM' }));
  }

  #over(how: Omit<ProcessEnd, 'lastWords'>): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#end({ ...how, lastWords: '' });
  }
}
