/**
 * One job of a cluster, from its submission to its end: waits for its slots, runs, and is remembered.
 *
 *     queued ──slots──▶ starting ──▶ running ⇄ restarting ──▶ committing ──▶ ended
 *        └──────────────── cancel: whenever ────────────────────▶ stopping ──▶ ended
 *
 * Before: coordinator/cluster/cluster-jobs.ts. After: coordinator/coordinator.ts, coordinator/cluster/job-host.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { codeOf, toWire, typedError, type WireError } from '../../base/typed-error.ts';
import { adaptiveDefaults } from '../adaptive/adaptive-options.ts';
import type { Coordinator, JobSubmission, NewSlots } from '../coordinator.ts';
import type { JobHandle } from '../job/job-handle.ts';
import type { JobOutcome } from '../job/job-outcome.ts';
import type { ClusterSubmission } from '../protocol/clients.ts';
import { bundleScheme, type JobRef, type TaskFailed } from '../protocol.ts';
import type { Executors } from './executors.ts';
import { HeldSlots, type HeldSlotsOptions } from './held-slots.ts';
import { JobHost } from './job-host.ts';

export interface ClusterJobOptions {
  readonly jobId: string;
  readonly submission: ClusterSubmission;
  /** Of submission. */
  readonly order: number;
  /** Of the last attempt of a coordinator before this one; 0 where there was none. */
  readonly epochBefore: number;
  /** Since its submission. */
  readonly ageMs: number;
  readonly coordinator: Coordinator;
  readonly executors: Executors;
  readonly queue: HeldSlotsOptions['queue'];
  readonly isAlive: HeldSlotsOptions['isAlive'];
  readonly onBegun: (epoch: number, slots: HeldSlots) => void;
}

export class ClusterJob {
  readonly jobId: string;
  readonly submission: ClusterSubmission;
  /** When it was submitted, on the clock of this process. */
  readonly sinceMs: number;
  /** How it ended; never rejects. */
  readonly done: Promise<JobOutcome>;
  readonly #env: Pick<Env, 'clock' | 'observe'>;
  readonly #options: ClusterJobOptions;
  #slots: HeldSlots;
  #host: JobHost;
  #handle: JobHandle | null = null;
  #cancelReason: string | null = null;
  #outcome: JobOutcome | null = null;
  #epoch: number;
  /** Hosts that it had: another parallelism has another one. */
  #hostCount = 0;

  constructor(env: Pick<Env, 'clock' | 'observe'>, options: ClusterJobOptions) {
    this.#env = env;
    this.#options = options;
    this.jobId = options.jobId;
    this.submission = options.submission;
    this.sinceMs = env.clock.mono() - options.ageMs;
    this.#epoch = options.epochBefore;
    const { slots, host } = this.#newHost(options.submission.parallelism);
    this.#slots = slots;
    this.#host = host;
    this.done = this.#run();
  }

  /** Null until it has its slots. */
  get handle(): JobHandle | null {
    return this.#handle;
  }

  /** Null until it has ended. */
  get outcome(): JobOutcome | null {
    return this.#outcome;
  }

  get isStopping(): boolean {
    return this.#cancelReason !== null || this.#handle?.progress().phase === 'stopping';
  }

  /** The key under which it waits for slots; null where it does not. */
  get waitingKey(): string | null {
    return this.#slots.waitingKey;
  }

  /** Of the attempt that runs, or ran last; 0 before the first. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Where its attempt runs. */
  get workerIds(): readonly string[] {
    return [...new Set(this.#slots.byLife().map(({ workerId }) => workerId))];
  }

  cancel(reason: string): void {
    this.#cancelReason = reason;
    if (this.#handle === null) this.#host.close();
    else this.#handle.cancel(reason);
  }

  /** The process is ending: nothing is told any more, and another coordinator goes on with it. */
  abandon(): void {
    this.#host.close();
  }

  async #run(): Promise<JobOutcome> {
    const outcome = await this.#runToEnd().catch((error: unknown): JobOutcome => {
      const isCancelled = this.#cancelReason !== null;
      return withoutTasks(isCancelled ? null : toWire(error));
    });
    this.#outcome = outcome;
    this.#host.close();
    return outcome;
  }

  async #runToEnd(): Promise<JobOutcome> {
    const { coordinator, submission, jobId, epochBefore } = this.#options;
    await this.#slots.need(submission.parallelism);
    const handle = await coordinator.submit(this.#submissionNow(), {
      ...{ jobId, host: this.#host, epoch: epochBefore + 1 },
      newSlots: async (slotCount) => this.#rescaled(slotCount),
    });
    this.#handle = handle;
    if (this.#cancelReason !== null) handle.cancel(this.#cancelReason);
    return await handle.done;
  }

  /** One that has run before goes on from where it was, whatever it began with. */
  #submissionNow(): JobSubmission {
    const { submission, epochBefore } = this.#options;
    const { checkpoints } = submission;
    const job = jobSubmissionOf(submission);
    if (checkpoints === undefined || epochBefore === 0) return job;
    return { ...job, checkpoints: { ...checkpoints, from: { kind: 'latest' } } };
  }

  #newHost(slotCount: number): { readonly slots: HeldSlots; readonly host: JobHost } {
    const { jobId, submission, order, queue, isAlive, executors, onBegun } = this.#options;
    const { priority, namespace, isFailFast, slotMemoryBytes, bundle } = submission;
    const part = ++this.#hostCount;
    const slots = new HeldSlots({
      ...{ queue, isAlive },
      wanted: {
        ...{
          jobId: part === 1 ? jobId : `${jobId}/${part}`,
          priority,
          namespace,
          order,
          isFailFast,
        },
        ...{ memoryBytesPerSlot: slotMemoryBytes, strategy: 'spread', local: {} },
      },
    });
    const host = new JobHost({
      ...{ jobId, slotCount, slotMemoryBytes, bundle, slots, executors },
      onBegun: (epoch, held) => {
        this.#epoch = epoch;
        onBegun(epoch, held);
      },
      onTaskLost: (job, failure) => this.#taskLost(job, failure),
    });
    return { slots, host };
  }

  /** Its slots are given back before those of the other parallelism are waited for: they may be the same. */
  #rescaled(slotCount: number): NewSlots {
    const before = { slots: this.#slots, host: this.#host };
    const next = this.#newHost(slotCount);
    return {
      host: next.host,
      keep: async () => {
        this.#slots = next.slots;
        this.#host = next.host;
        before.host.close();
      },
      drop: async () => next.host.close(),
    };
  }

  #taskLost(job: JobRef, failure: Omit<TaskFailed, keyof JobRef>): void {
    try {
      this.#options.coordinator.job(job).failTask(failure);
    } catch (error) {
      // Its attempt has ended meanwhile: nobody is left who could miss it.
      this.#env.observe.event('task.lost-late', { ...job, code: codeOf(error) });
    }
  }
}

/** What was submitted, as the coordinator plans it. */
export function jobSubmissionOf(submission: ClusterSubmission): JobSubmission {
  const { graph, bundle, params, flags, fingerprint, parallelism, partitions } = submission;
  const { shuffle, mode, latencyIntervalMs, speculates, isAdaptive = true } = submission;
  const { checkpoints } = submission;
  return {
    ...{ graph, parallelism: partitions ?? parallelism },
    module: { file: `${bundleScheme}${bundle}`, params, flags, fingerprint },
    ...(shuffle !== undefined && { shuffle }),
    ...(mode !== undefined && { mode }),
    ...(latencyIntervalMs !== undefined && { latencyIntervalMs }),
    ...(speculates !== undefined && { speculates }),
    ...(checkpoints !== undefined && { checkpoints }),
    adaptive: isAdaptive ? adaptiveDefaults : null,
  };
}

/** Of a job that came to no tasks. */
function withoutTasks(error: WireError | null): JobOutcome {
  return {
    status: error === null ? 'cancelled' : 'failed',
    error,
    totals: {
      rowsIn: 0,
      bytesIn: 0,
      rowsOut: 0,
      deadLetters: 0,
      skipped: { rows: 0, rowGroups: 0, pages: 0 },
    },
    ...{ operators: [], latency: null, counts: {}, stages: [], inputCount: 0 },
  };
}

/** @throws CLUSTER_JOB_NOT_FOUND */
export function jobNotFound(job: string, isAmbiguous: boolean) {
  const message = isAmbiguous
    ? `several jobs are called "${job}"`
    : `the cluster has no job "${job}"`;
  return typedError('CLUSTER_JOB_NOT_FOUND', message, {
    hint: 'millrace list --cluster HOST:PORT shows ids and names.',
  });
}
