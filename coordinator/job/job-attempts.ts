/**
 * The attempts of a job with checkpoints: when one fails, and another may not meet the same, the next one goes on from
 * the newest complete checkpoint.
 *
 *     attempt 1 ──failed──▶ wait ─▶ attempt 2, a greater epoch ──finished──▶ done
 *
 * Where a failure leaves regions of the job untouched, these go on within the attempt (job-master.ts, region-restart.ts).
 * What would fail the same way again (the user's data, a bug) ends the job. So does an attempt that another process has taken
 * over from, whatever it failed with: that is what is said then, and nothing is taken back.
 *
 * Before: coordinator/coordinator.ts. After: coordinator/job/job-master.ts, coordinator/checkpoint/restart-strategy.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { codeOf, toWire, typedError, type WireError } from '../../base/typed-error.ts';
import {
  type CheckpointsView,
  joinViews,
  noCheckpoints,
  type RestartsView,
} from './checkpoints-view.ts';
import type { JobHandle, Rescaled, SavedJob, StopRequest } from './job-handle.ts';
import type { JobInspection } from './job-inspection.ts';
import type { JobMaster } from './job-master.ts';
import type { JobOutcome, JobProgress } from './job-outcome.ts';
import { type JobRestarts, mayRestart } from './job-restarts.ts';
import type { KeyState } from './key-state.ts';
import { type Savepoint, savepointFailed } from './savepoint-requests.ts';

export interface JobAttemptsOptions {
  readonly first: JobMaster;
  readonly restarts: JobRestarts;
  /** Of the attempt that was begun last. @throws CHECKPOINT_FENCED where another process has taken over. */
  readonly checkCurrent: () => Promise<void>;
  /** Makes and starts the next attempt, from the newest complete checkpoint. */
  readonly begin: () => Promise<JobMaster>;
  /**
   * Makes ready what attempts need to run with another parallelism.
   * @throws RESCALE_REFUSED, and what keeps the plan from going on from the job's checkpoints
   */
  readonly prepareRescale: (parallelism: number) => Promise<Rescaling>;
}

/** Another parallelism, with its plan and its slots. */
export interface Rescaling {
  /** Whether the new plan can go on from the newest checkpoint. @throws as `prepareRescale` */
  check(): Promise<void>;
  /** Attempts from now on have it; makes and starts the next one. */
  begin(): Promise<JobMaster>;
  /** It comes to nothing: attempts are as they were. */
  drop(): Promise<void>;
}

/** A rescaling that waits for the attempt to end. */
interface NextScale {
  readonly rescaling: Rescaling;
  readonly begun: (outcome: Promise<JobMaster>) => void;
}

export class JobAttempts implements JobHandle, SavedJob {
  readonly jobId: string;
  readonly done: Promise<JobOutcome>;
  readonly #env: Pick<Env, 'clock' | 'timers' | 'observe'>;
  readonly #options: JobAttemptsOptions;
  readonly #end = new AbortController();
  #current: JobMaster;
  /** Whether one has failed and the next one has not begun. */
  #isBetween = false;
  /** Of attempts that have ended. */
  #pastCheckpoints: CheckpointsView = noCheckpoints;
  /** Where the job was stopped with a savepoint. */
  #savepoint: Savepoint | null = null;
  /** Whether another parallelism is being made ready, and what goes on with it once the attempt has stopped. */
  #isRescaling = false;
  #next: NextScale | null = null;

  constructor(env: Pick<Env, 'clock' | 'timers' | 'observe'>, options: JobAttemptsOptions) {
    this.#env = env;
    this.#options = options;
    this.#current = options.first;
    this.jobId = options.first.jobId;
    this.done = this.#run();
  }

  get saved(): SavedJob {
    return this;
  }

  checkpoints(): CheckpointsView {
    return joinViews(this.#pastCheckpoints, this.#current.checkpoints());
  }

  restarts(): RestartsView {
    return this.#options.restarts.view();
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
    this.#end.abort(reason);
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

  async rescale(parallelism: number): Promise<Rescaled> {
    const master = this.#running();
    const from = master.parallelism;
    if (this.#isRescaling) throw rescaleRefused('it is being rescaled already');
    if (parallelism === from) throw rescaleRefused(`it runs with parallelism ${from} already`);
    this.#isRescaling = true;
    try {
      const rescaling = await this.#options.prepareRescale(parallelism);
      return { from, to: parallelism, ...(await this.#moveTo(rescaling, master)) };
    } finally {
      this.#isRescaling = false;
    }
  }

  async #moveTo(rescaling: Rescaling, master: JobMaster) {
    const { clock } = this.#env;
    const { promise: begun, resolve } = Promise.withResolvers<JobMaster>();
    begun.catch(() => undefined); // Where the savepoint fails nobody waits for it.
    let sinceMs = 0;
    try {
      // The first one is as large as all that has changed; the job stands only for the second one.
      await master.savepoint({ folder: null, ending: null });
      await rescaling.check();
      sinceMs = clock.mono();
      this.#next = { rescaling, begun: resolve };
      const { checkpointId } = await master.savepoint({ folder: null, ending: 'halt' });
      await (await begun).started;
      return { checkpointId, pausedMs: clock.mono() - sinceMs };
    } catch (error) {
      this.#next = null;
      await rescaling.drop();
      throw error;
    }
  }

  #running(): JobMaster {
    if (this.#isBetween) throw savepointFailed(this.jobId, 'it is being started again');
    return this.#current;
  }

  async #run(): Promise<JobOutcome> {
    for (;;) {
      const outcome = this.#withHistory(await this.#current.done);
      const { error } = outcome;
      if (outcome.status === 'stopped' && this.#next !== null) {
        const failure = await this.#goOnWith(this.#next);
        if (failure === null) continue;
        return { ...outcome, status: 'failed', error: toWire(failure) };
      }
      this.#next?.begun(Promise.reject(savepointFailed(this.jobId, 'the job has ended')));
      this.#next = null;
      if (error === null || this.#end.signal.aborted) return outcome;
      const reported = await this.#reportedOf(error);
      if (reported !== error || !mayRestart(error)) return { ...outcome, error: reported };
      const { delayMs, reason } = this.#options.restarts.next(error);
      if (delayMs === null) return { ...outcome, error: withReason(error, reason) };
      const { jobId } = this;
      this.#env.observe.event('job.restarting', { jobId, delayMs, code: error.code });
      this.#isBetween = true;
      try {
        await this.#env.timers.sleep(delayMs, this.#end.signal);
        this.#use(await this.#options.begin());
        this.#isBetween = false;
      } catch (second) {
        // A cancel while it waits leaves it as it was; what keeps the next attempt from beginning ends the job.
        if (this.#end.signal.aborted) return outcome;
        return { ...outcome, error: toWire(second) };
      }
    }
  }

  /** The next attempt, with another parallelism; null when it has begun. Where it can't, the job goes on as it was. */
  async #goOnWith({ rescaling, begun }: NextScale): Promise<unknown> {
    this.#next = null;
    const beginning = rescaling.begin();
    begun(beginning);
    try {
      this.#use(await beginning);
    } catch {
      // Who asked for it is told, and undoes it.
      try {
        await rescaling.drop();
        this.#use(await this.#options.begin());
      } catch (error) {
        return error;
      }
    }
    return null;
  }

  /** A cancel that came while the attempt was being begun counts for it. */
  #use(master: JobMaster): void {
    this.#pastCheckpoints = this.checkpoints();
    this.#current = master;
    const { aborted, reason } = this.#end.signal;
    if (aborted) master.cancel(String(reason));
  }

  #withHistory(outcome: JobOutcome): JobOutcome {
    const history = { checkpoints: this.checkpoints(), restarts: this.restarts() };
    const stopped = this.#savepoint && { savepoint: this.#savepoint.path };
    return { ...outcome, ...history, ...stopped };
  }

  /** What to say of an attempt that has failed: where another process has taken over, that. */
  async #reportedOf(error: WireError): Promise<WireError> {
    if (error.code === 'CHECKPOINT_FENCED') return error;
    try {
      await this.#options.checkCurrent();
      return error;
    } catch (fenced) {
      return codeOf(fenced) === 'CHECKPOINT_FENCED' ? { ...toWire(fenced), cause: error } : error;
    }
  }
}

function withReason(error: WireError, reason: string): WireError {
  return { ...error, message: `${error.message}; the job is not started again: ${reason}` };
}

function rescaleRefused(reason: string) {
  return typedError('RESCALE_REFUSED', `the job keeps its parallelism: ${reason}`, {
    hint: 'millrace status JOB shows what it runs with.',
  });
}
