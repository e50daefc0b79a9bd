/**
 * Starts the attempts of a job with checkpoints: takes the job over in the log, reads what there is to go on from, and has a
 * job master made for it, with the plan and the worker that count by then.
 *
 *     offered ─▶ can the plan go on from it? ─▶ begin in the log ─▶ newest whole checkpoint ─▶ job master
 *
 * Before: coordinator/coordinator.ts. After: coordinator/job/checkpointed-job.ts, coordinator/job/job-attempts.ts.
 */
import type { DeclaredOperator } from '../../engine/plan/declared-state.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import type { RestoringPlan } from '../checkpoint/restore-check.ts';
import type { RestoreRequest } from '../checkpoint/store/checkpoint-log.ts';
import type { AttemptStore, CheckpointStore } from '../checkpoint/store/checkpoint-store.ts';
import type { CheckDepth } from '../checkpoint/store/read-checkpoint.ts';
import { type CheckpointRequest, restoredJob } from './checkpointed-job.ts';
import type { CheckpointSetup } from './job-checkpoints.ts';
import type { JobMaster } from './job-master.ts';
import type { TaskHost } from './task-host.ts';

/** What an attempt runs, and where. */
export interface AttemptPlace {
  readonly graph: PhysicalGraph;
  readonly host: TaskHost;
}

export interface AttemptStarterOptions {
  readonly store: CheckpointStore;
  readonly request: CheckpointRequest;
  /** What the job keeps. */
  readonly declared: readonly DeclaredOperator[];
  /** Of the job's logical graph. */
  readonly jobFingerprint: string;
  /** Makes a job master, and starts it. */
  readonly start: (place: AttemptPlace, epoch: number, checkpoints: CheckpointSetup) => JobMaster;
}

export class AttemptStarter {
  readonly #options: AttemptStarterOptions;
  #place: AttemptPlace;
  #last: AttemptStore | null = null;

  constructor(place: AttemptPlace, options: AttemptStarterOptions) {
    this.#place = place;
    this.#options = options;
  }

  get place(): AttemptPlace {
    return this.#place;
  }

  /** Attempts from now on run this. */
  move(place: AttemptPlace): void {
    this.#place = place;
  }

  /**
   * Whether a plan can go on from what there is; nothing is taken over by asking.
   * @throws What `checkRestore` does, and errors of what there is.
   */
  async check(from: RestoreRequest, { graph }: Pick<AttemptPlace, 'graph'>): Promise<void> {
    const offered = await this.#options.store.find(from);
    const { onFindings } = this.#options.request;
    const plan = { ...this.#planWith(graph), ...(onFindings && { onFindings }) };
    if (offered !== null) restoredJob(offered, plan);
  }

  /** @throws CHECKPOINT_FENCED where another process has gone on with the job since the last attempt. */
  async checkCurrent(): Promise<void> {
    await this.#last?.checkCurrent();
  }

  /**
   * @throws CHECKPOINT_FENCED where another process has gone on with the job since the last attempt.
   * @param depth - `sizes`: damage within files is left to the tasks that read them. @defaultValue checksums
   */
  async begin(from: RestoreRequest, depth: CheckDepth = 'checksums'): Promise<JobMaster> {
    const { store, request, declared, jobFingerprint, start } = this.#options;
    const place = this.#place;
    // Who was asleep while another process went on with the job fails, too: and takes nothing back from it.
    await this.checkCurrent();
    const attempt = await store.beginAttempt(from);
    this.#last = attempt;
    const { found } = await attempt.latest(depth);
    const restored = found && restoredJob(found, this.#planWith(place.graph));
    const setup = { options: request.options, store: attempt, declared, restored, jobFingerprint };
    return start(place, attempt.epoch, setup);
  }

  #planWith(graph: PhysicalGraph): RestoringPlan {
    const { declared, request } = this.#options;
    return { graph, declared, allowsDropped: request.allowsDropped === true };
  }
}
