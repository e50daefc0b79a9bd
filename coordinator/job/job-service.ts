/**
 * What a job that runs answers to who asks it: who it is, why nothing comes out, the state of a key, a cancel, savepoints.
 * The same for a job on one machine, over its socket, and for one of a cluster, over its coordinator.
 *
 * Before: cli/control/job-socket.ts. After: coordinator/job/job-handle.ts, coordinator/job/job-findings.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { RateMeter } from '../../base/rate-meter.ts';
import type {
  CancelReply,
  CheckpointsReply,
  JobDescription,
  JobPhase,
  RescaleReply,
  RescaleRequest,
  SavepointReply,
  SavepointRequest,
  StateReply,
  StateRequest,
  StopRequest,
  WhyAnswer,
} from '../protocol/jobs.ts';
import { findingsOf } from './job-findings.ts';
import type { SavedJob } from './job-handle.ts';
import type { JobInspection } from './job-inspection.ts';
import type { KeyState } from './key-state.ts';

/** What two looks at a job are apart: long beside a slice of 5 ms, short for who waits. */
const lookAgainMs = 250;
const rateIntervalMs = 1_000;
const lastWordMs = 1_000;

/** The job that is asked. */
export interface ServedJob {
  readonly name: string;
  readonly file: string;
  /** Null of a job that has several processes. */
  readonly processId: number | null;
  progress(): ServedProgress;
  cancel(reason: string): void;
  readonly control: JobControl;
}

/** How far it is. */
export interface ServedProgress {
  readonly phase: JobPhase;
  readonly seconds: number;
  readonly rowsIn: number;
  readonly bytesIn: number;
  readonly rowsOut: number;
  readonly deadLetters: number;
  readonly share: number;
}

/** The view of a job that its own process has, the program's that runs it or the coordinator. */
export interface JobControl {
  /** Null until the job has been planned. */
  readonly jobId: string | null;
  /** Whether it is on its way to an end without a result. */
  readonly isStopping: boolean;
  /** Null while there are no tasks. */
  inspect(): Promise<JobInspection | null>;
  /** @throws As `JobMaster.stateOf`, and JOB_NOT_RUNNING before it runs. */
  stateOf(operator: string, key: string): Promise<KeyState | null>;
  /** @throws JOB_HAS_NO_CHECKPOINTS, and JOB_NOT_RUNNING before it runs. */
  saved(): SavedJob;
}

export class JobService {
  readonly #env: Pick<Env, 'clock' | 'timers'>;
  readonly #job: ServedJob;
  readonly #sinceMs: number;
  readonly #rate = new RateMeter();
  readonly #endRate: () => void;
  #rowsPerSecond = 0;
  /** Who waits for a savepoint is told what came of it, also when the job ends with it. */
  readonly #awaited = new Set<Promise<unknown>>();

  constructor(env: Pick<Env, 'clock' | 'timers'>, job: ServedJob) {
    this.#env = env;
    this.#job = job;
    this.#sinceMs = env.clock.wall() - job.progress().seconds * 1000;
    this.#endRate = env.timers.every(rateIntervalMs, () => this.#measure());
  }

  close(): void {
    this.#endRate();
  }

  describe(): JobDescription {
    const { name, file, processId: pid, control } = this.#job;
    const { phase, seconds, rowsIn, bytesIn, rowsOut, deadLetters, share } = this.#job.progress();
    // Before the first second is over the average is all there is.
    const rowsPerSecond = this.#rowsPerSecond || rowsIn / Math.max(seconds, 1e-3);
    return {
      ...{ name, id: control.jobId, pid, file, sinceMs: this.#sinceMs, seconds },
      phase: control.isStopping ? 'stopping' : phase,
      ...{ rowsIn, bytesIn, rowsOut, deadLetters, rowsPerSecond, share },
    };
  }

  async why(): Promise<WhyAnswer> {
    const { control } = this.#job;
    const before = await control.inspect();
    if (before === null) return { inspection: null, findings: [] };
    await this.#env.timers.sleep(lookAgainMs);
    const after = (await control.inspect()) ?? before;
    return { inspection: after, findings: findingsOf(before, after) };
  }

  async stateOf({ operator, key }: StateRequest): Promise<StateReply> {
    return { found: await this.#job.control.stateOf(operator, key) };
  }

  cancel(): CancelReply {
    const { control } = this.#job;
    // What commits may be visible already.
    if (this.#job.progress().phase === 'committing' && !control.isStopping) {
      return { isCancelled: false };
    }
    // Behind the answer: a job may be gone, with its connections, as soon as it is told.
    this.#env.timers.after(0, () => this.#job.cancel('cancelled with "millrace cancel"'));
    return { isCancelled: true };
  }

  checkpoints(): CheckpointsReply {
    const saved = this.#job.control.saved();
    return { checkpoints: saved.checkpoints(), restarts: saved.restarts() };
  }

  savepoint({ folder }: SavepointRequest): Promise<SavepointReply> {
    return this.#await(async () => this.#job.control.saved().savepoint(folder));
  }

  stop(request: StopRequest): Promise<SavepointReply> {
    return this.#await(async () => this.#job.control.saved().stop(request));
  }

  rescale({ parallelism }: RescaleRequest): Promise<RescaleReply> {
    return this.#await(async () => this.#job.control.saved().rescale(parallelism));
  }

  /** When all that was promised has been said; what takes longer than a job takes to end is not waited for. */
  async answered(): Promise<void> {
    if (this.#awaited.size === 0) return;
    const all = Promise.allSettled(this.#awaited);
    await Promise.race([all, this.#env.timers.sleep(lastWordMs)]);
    await this.#env.timers.sleep(0); // The answer is handed to the system before connections end.
  }

  async #await<T>(work: () => Promise<T>): Promise<T> {
    const promise = Promise.resolve().then(work);
    this.#awaited.add(promise);
    try {
      return await promise;
    } finally {
      this.#awaited.delete(promise);
    }
  }

  #measure(): void {
    const { rowsIn } = this.#job.progress();
    this.#rowsPerSecond = this.#rate.add(this.#env.clock.mono(), rowsIn);
  }
}
