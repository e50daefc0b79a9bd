/**
 * All jobs of a cluster: taken, remembered before anything is done for them, and taken up again by the next coordinator.
 *
 *     submit ─▶ can it be planned? ─▶ in the log ─▶ ClusterJob … ─▶ its end in the log
 *     new leader ─▶ every job of the log without an end ─▶ ClusterJob, behind the attempt that ran
 *
 * Before: coordinator/cluster/cluster-session.ts. After: coordinator/cluster/cluster-job.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { codeOf } from '../../base/typed-error.ts';
import type { Coordinator } from '../coordinator.ts';
import type { JobOutcome } from '../job/job-outcome.ts';
import type { MetadataEvent } from '../metadata/metadata-event.ts';
import type { KnownJob, MetadataState } from '../metadata/metadata-state.ts';
import type { Decision, MetadataStore } from '../metadata/metadata-store.ts';
import {
  type ClusterSubmission,
  checkJobId,
  type SubmitAnswer,
  type SubmitRequest,
} from '../protocol/clients.ts';
import { missingError } from './bundle-store.ts';
import { ClusterJob, type ClusterJobOptions, jobNotFound, jobSubmissionOf } from './cluster-job.ts';

export interface ClusterJobsOptions
  extends Pick<ClusterJobOptions, 'coordinator' | 'executors' | 'queue' | 'isAlive'> {
  readonly store: MetadataStore;
  readonly term: number;
  readonly hasBundle: (hash: string) => Promise<boolean>;
  readonly coordinator: Coordinator;
}

/** Jobs that have ended are kept whole for those who wait for their outcome. */
const endedMax = 100;

export class ClusterJobs {
  readonly #env: Env;
  readonly #options: ClusterJobsOptions;
  readonly #jobs = new Map<string, ClusterJob>();
  #isClosed = false;

  constructor(env: Env, options: ClusterJobsOptions) {
    this.#env = env;
    this.#options = options;
  }

  /** Those that run or wait, and those that ended last. */
  get all(): readonly ClusterJob[] {
    return [...this.#jobs.values()];
  }

  /** Takes up what the log has no end of. */
  recover(): void {
    const { jobs } = this.#options.store.state;
    const open = Object.values(jobs).filter(({ end }) => end === null);
    const nowMs = this.#env.clock.wall();
    for (const job of open.toSorted((a, b) => a.order - b.order)) {
      const { jobId, spec, order, epoch, submittedAtMs } = job;
      this.#begin(jobId, {
        ageMs: Math.max(0, nowMs - submittedAtMs),
        submission: spec as unknown as ClusterSubmission,
        order,
        epochBefore: epoch,
      });
    }
  }

  /**
   * Takes a job; the same again is the same job.
   * @param beside - What goes into the log with it, in one step; null where the job is not wanted any more by then.
   * @throws What keeps it from being planned; BUNDLE_MISSING; JOB_ID_INVALID; SLOTS_NOT_THERE; errors of the log
   */
  async submit({ jobId, job }: SubmitRequest, beside: Decision = () => []): Promise<SubmitAnswer> {
    const { store, term, coordinator, hasBundle } = this.#options;
    if (Object.hasOwn(store.state.jobs, jobId)) return { jobId };
    checkJobId(jobId);
    if (!(await hasBundle(job.bundle))) throw missingError(job.bundle);
    await coordinator.plan(jobSubmissionOf(job), jobId);
    const { priority, namespace, bundle, parallelism: slots, slotMemoryBytes } = job;
    const event: MetadataEvent = {
      kind: 'jobSubmitted',
      ...{ jobId, name: job.graph.jobName, namespace, priority, slots, bundle },
      ...{ memoryBytes: slots * slotMemoryBytes, spec: job as unknown as JsonValue },
    };
    const isNew = (state: MetadataState) => !Object.hasOwn(state.jobs, jobId);
    const events = await store.propose(term, (state) => {
      const others = isNew(state) ? beside(state) : null;
      return others === null ? null : [event, ...others];
    });
    const order = store.state.jobs[jobId]?.order ?? 0;
    if (events !== null) this.#begin(jobId, { submission: job, order, epochBefore: 0, ageMs: 0 });
    return { jobId };
  }

  /** By id, or by a name that one job only has; one that runs comes before those that have ended. @throws CLUSTER_JOB_NOT_FOUND */
  find(idOrName: string): ClusterJob {
    const known = this.#jobs.get(idOrName);
    if (known !== undefined) return known;
    const named = this.all.filter(({ submission }) => submission.graph.jobName === idOrName);
    const running = named.filter(({ outcome }) => outcome === null);
    const found = running.length > 0 ? running : named.slice(-1);
    const [only, ...others] = found;
    if (only === undefined || others.length > 0) throw jobNotFound(idOrName, others.length > 0);
    return only;
  }

  /** The process no longer leads: what runs is another one's. */
  close(): void {
    this.#isClosed = true;
    for (const job of this.#jobs.values()) job.abandon();
  }

  #begin(
    jobId: string,
    given: Pick<ClusterJobOptions, 'submission' | 'order' | 'epochBefore' | 'ageMs'>,
  ): void {
    const { coordinator, executors, queue, isAlive } = this.#options;
    const job = new ClusterJob(this.#env, {
      ...{ jobId, coordinator, executors, queue, isAlive, ...given },
      onBegun: (epoch, { placement }) => {
        // Processes that were lost are replaced within an attempt: that is none of its own.
        const isNew = (job: KnownJob) => job.epoch < epoch;
        void this.#note(jobId, { kind: 'attemptStarted', jobId, epoch, placement }, isNew);
      },
    });
    this.#jobs.set(jobId, job);
    void job.done.then((outcome) => this.#ended(jobId, outcome));
  }

  async #ended(jobId: string, { status, error, totals }: JobOutcome): Promise<void> {
    if (this.#isClosed) return;
    const { rowsIn, rowsOut } = totals;
    const reason = error?.message ?? '';
    const failure = (error ?? null) as unknown as JsonValue;
    const end = { status, reason, rowsIn, rowsOut, error: failure };
    await this.#note(jobId, { kind: 'jobEnded', jobId, ...end });
    const ended = this.all.filter(({ outcome }) => outcome !== null);
    for (const { jobId: oldest } of ended.slice(0, -endedMax)) this.#jobs.delete(oldest);
  }

  /** What befalls a job is in the log, or this process does not lead any more: then it is not its business. */
  async #note(
    jobId: string,
    event: MetadataEvent,
    isNews: (job: KnownJob) => boolean = () => true,
  ): Promise<void> {
    const { store, term } = this.#options;
    try {
      await store.propose(term, ({ jobs }) => {
        const job = jobs[jobId];
        return job?.end === null && isNews(job) ? [event] : null;
      });
    } catch (error) {
      this.#env.observe.event('job.not-noted', { jobId, code: codeOf(error) });
    }
  }
}
