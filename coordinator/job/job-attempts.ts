/**
 * The attempts of a job with checkpoints: when one fails, and another may not meet the same, the next one goes on from
 * the newest complete checkpoint.
 *
 *     attempt 1 ──failed──▶ wait ─▶ attempt 2, a greater epoch ──finished──▶ done
 *
 * What would fail the same way again (the user's data, a bug) ends the job, as does an attempt that others have taken over
 * from.
 *
 * Before: coordinator/coordinator.ts. After: coordinator/job/job-master.ts, coordinator/checkpoint/restart-strategy.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { toWire, type WireError } from '../../base/typed-error.ts';
import {
  initialRestarts,
  type RestartState,
  type RestartStrategy,
  stepRestart,
} from '../checkpoint/restart-strategy.ts';
import { type Savepoint, savepointFailed } from './job-checkpoints.ts';
import type { JobHandle, SavedJob, StopRequest } from './job-handle.ts';
import type { JobInspection } from './job-inspection.ts';
import type { JobMaster, JobOutcome, JobProgress } from './job-master.ts';
import type { KeyState } from './key-state.ts';
import { mayPass } from './retry.ts';

export interface JobAttemptsOptions {
  readonly first: JobMaster;
  readonly strategy: RestartStrategy;
  /** Makes and starts the next attempt, from the newest complete checkpoint. */
  readonly begin: () => Promise<JobMaster>;
}

export class JobAttempts implements JobHandle, SavedJob {
  readonly jobId: string;
  readonly done: Promise<JobOutcome>;
  readonly #env: Pick<Env, 'clock' | 'timers' | 'rng' | 'observe'>;
  readonly #options: JobAttemptsOptions;
  readonly #end = new AbortController();
  #current: JobMaster;
  #restarts: RestartState = initialRestarts;
  /** Whether one has failed and the next one has not begun. */
  #isBetween = false;
  /** Where the job was stopped with a savepoint. */
  #savepoint: Savepoint | null = null;

  constructor(env: Pick<Env, 'clock' | 'timers' | 'rng' | 'observe'>, options: JobAttemptsOptions) {
    this.#env = env;
    this.#options = options;
    this.#current = options.first;
    this.jobId = options.first.jobId;
    this.done = this.#run();
  }

  get saved(): SavedJob {
    return this;
  }

  savepoint(folder: string): Promise<Savepoint> {
    return this.#running().savepoint({ folder, ending: null });
  }

  async stop({ folder, drains }: StopRequest): Promise<Savepoint> {
    const ending = drains ? 'drain' : 'halt';
    this.#savepoint = await this.#running().savepoint({ folder, ending });
    return this.#savepoint;
  }

  cancel(reason: string): void {
    this.#end.abort();
    this.#current.cancel(reason);
  }

  fail(error: WireError): void {
    this.#end.abort();
    this.#current.fail(error);
  }

  progress(): JobProgress {
    return this.#current.progress();
  }

  inspect(): Promise<JobInspection> {
    return this.#current.inspect();
  }

  stateOf(operator: string, key: string): Promise<KeyState | null> {
    return this.#current.stateOf(operator, key);
  }

  #running(): JobMaster {
    if (this.#isBetween) throw savepointFailed(this.jobId, 'it is being started again');
    return this.#current;
  }

  async #run(): Promise<JobOutcome> {
    for (;;) {
      const outcome = this.#withSavepoint(await this.#current.done);
      const { error } = outcome;
      if (error === null || this.#end.signal.aborted || !mayRestart(error)) return outcome;
      const { delayMs, reason } = this.#failed();
      if (delayMs === null) return { ...outcome, error: withReason(error, reason) };
      const { jobId } = this;
      this.#env.observe.event('job.restarting', { jobId, delayMs, code: error.code });
      this.#isBetween = true;
      try {
        await this.#env.timers.sleep(delayMs, this.#end.signal);
        this.#current = await this.#options.begin();
        this.#isBetween = false;
      } catch (second) {
        // A cancel while it waits leaves it as it was; what keeps the next attempt from beginning ends the job.
        if (this.#end.signal.aborted) return outcome;
        return { ...outcome, error: toWire(second) };
      }
    }
  }

  #withSavepoint(outcome: JobOutcome): JobOutcome {
    return this.#savepoint === null ? outcome : { ...outcome, savepoint: this.#savepoint.path };
  }

  #failed() {
    const { clock, rng } = this.#env;
    const failure = { nowMs: clock.mono(), chance: rng.stream('restarts').float() };
    const step = stepRestart(this.#restarts, failure, this.#options.strategy);
    this.#restarts = step.state;
    return step;
  }
}

function mayRestart(error: WireError): boolean {
  return error.code === 'CHECKPOINT_FAILED' || mayPass(error);
}

function withReason(error: WireError, reason: string): WireError {
  return { ...error, message: `${error.message}; the job is not started again: ${reason}` };
}
