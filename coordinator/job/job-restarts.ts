/**
 * How often a job with checkpoints has been started again, all of it or some of its regions alone, and whether it may be
 * once more: the restart strategy counts both alike.
 *
 * Before: coordinator/job/job-attempts.ts, coordinator/job/job-master.ts. After: coordinator/checkpoint/restart-strategy.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { WireError } from '../../base/typed-error.ts';
import {
  initialRestarts,
  type RestartState,
  type RestartStrategy,
  stepRestart,
} from '../checkpoint/restart-strategy.ts';
import { noRestarts, type RestartsView, withRestart } from './checkpoints-view.ts';
import { mayPass } from './retry.ts';

type RestartsEnv = Pick<Env, 'clock' | 'rng'>;

export class JobRestarts {
  readonly #env: RestartsEnv;
  readonly #strategy: RestartStrategy;
  #state: RestartState = initialRestarts;
  #view: RestartsView = noRestarts;

  constructor(env: RestartsEnv, strategy: RestartStrategy) {
    this.#env = env;
    this.#strategy = strategy;
  }

  view(): RestartsView {
    return this.#view;
  }

  /**
   * A failure of the job. Milliseconds until it is started again; null with the reason where it is not.
   *
   * @param taskIds - Of the regions that are started again alone. @defaultValue all of the job is
   */
  next(error: WireError, taskIds?: readonly string[]): NextRestart {
    const { clock, rng } = this.#env;
    const failure = { nowMs: clock.mono(), chance: rng.stream('restarts').float() };
    const { state, delayMs, reason } = stepRestart(this.#state, failure, this.#strategy);
    // Where regions are not started again alone, the job is asked for all of itself: that counts.
    if (delayMs === null && taskIds !== undefined) return { delayMs, reason };
    this.#state = state;
    if (delayMs !== null) this.#view = withRestart(this.#view, clock.wall(), error, taskIds);
    return { delayMs, reason };
  }

  /** Regions that have failed while others were being started again: they go on with these. */
  join(taskIds: readonly string[]): void {
    const { last, ...rest } = this.#view;
    const newest = last.at(-1);
    if (newest?.taskIds === undefined) return;
    const joined = { ...newest, taskIds: [...newest.taskIds, ...taskIds] };
    this.#view = { ...rest, last: [...last.slice(0, -1), joined] };
  }
}

export interface NextRestart {
  readonly delayMs: number | null;
  /** Why there is none. */
  readonly reason: string;
}

/** Whether another attempt may not meet the same. */
export function mayRestart(error: WireError): boolean {
  return error.code === 'CHECKPOINT_FAILED' || mayPass(error);
}
