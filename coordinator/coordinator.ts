/**
 * The coordinator: takes jobs, plans them, and has a worker run their tasks. It knows all jobs and
 * moves no data. It sees a job as data only: the logical graph and where its module is.
 *
 * Not here: the rpc around it (coordinator-service.ts).
 *
 * Before: cli/embedded.ts. After: coordinator/source-statistics.ts, coordinator/planner/planner.ts, coordinator/job/job-master.ts.
 */
import type { Env } from '../base/env/env.ts';
import { typedError } from '../base/typed-error.ts';
import type { Connector } from '../engine/contracts/connector.ts';
import { type DeclaredOperator, declaredStates } from '../engine/plan/declared-state.ts';
import type { JobMode, LogicalGraph } from '../engine/plan/logical-graph.ts';
import type { PhysicalGraph } from '../engine/plan/physical-graph.ts';
import { type AdaptiveOptions, adaptiveDefaults } from './adaptive/adaptive-options.ts';
import { mayKeepRows } from './checkpoint/checkpoint-options.ts';
import type { stepCheckpoints } from './checkpoint/checkpoint-state.ts';
import { folderStore } from './checkpoint/store/folder-store.ts';
import { AttemptStarter } from './job/attempt-starter.ts';
import { type CheckpointRequest, checkCheckpoints } from './job/checkpointed-job.ts';
import { JobAttempts, type Rescaling } from './job/job-attempts.ts';
import type { JobHandle } from './job/job-handle.ts';
import { JobMaster, type JobMasterOptions } from './job/job-master.ts';
import { JobRestarts } from './job/job-restarts.ts';
import type { stepJob } from './job/job-state.ts';
import type { TaskHost } from './job/task-host.ts';
import type { Shuffle } from './planner/plan-step.ts';
import { planJob } from './planner/planner.ts';
import type { JobModule, JobRef } from './protocol.ts';
import { sourceStatisticsOf } from './source-statistics.ts';

export interface JobSubmission {
  readonly graph: LogicalGraph;
  readonly module: JobModule;
  readonly parallelism: number;
  /** Where rows are between stages. @defaultValue 'memory' */
  readonly shuffle?: Shuffle;
  /** @defaultValue as the graph says */
  readonly mode?: JobMode;
  /** Of streams: milliseconds between the latency marks of a source; null for none. @defaultValue 50 */
  readonly latencyIntervalMs?: number | null;
  /** Where its checkpoints go, and what it goes on from. @defaultValue it has none */
  readonly checkpoints?: CheckpointRequest;
  /** Whether tasks that are slow get a copy. @defaultValue true */
  readonly speculates?: boolean;
  /** By what sizes the plan may be changed while the job runs; null when it may not. @defaultValue adaptiveDefaults */
  readonly adaptive?: AdaptiveOptions | null;
}

/** Where a job of a cluster runs, and what it is called. */
export interface JobPlace {
  readonly jobId: string;
  readonly host: TaskHost;
  /** Of an attempt without checkpoints: greater than that of any before. */
  readonly epoch: number;
  /** Slots for another parallelism. @throws RESCALE_REFUSED */
  readonly newSlots: (slotCount: number) => Promise<NewSlots>;
}

export interface CoordinatorParts {
  readonly connectors: ReadonlyMap<string, Connector>;
  /**
   * Starts a worker with so many slots, which has registered when this resolves: for a job that is given another
   * parallelism. @throws RESCALE_REFUSED @defaultValue jobs share out the slots that there are
   */
  readonly newSlots?: (slotCount: number) => Promise<NewSlots>;
  /** The rules of jobs; only tests that plant a wrong one give others. @defaultValue stepJob */
  readonly step?: typeof stepJob;
  /** Likewise the rules of checkpoints. @defaultValue stepCheckpoints */
  readonly stepCheckpoints?: typeof stepCheckpoints;
}

/** Slots that were started for a job, and have come to be used or not. */
export interface NewSlots {
  /** @defaultValue the worker that has registered last */
  readonly host?: TaskHost;
  /** Jobs run on these: those that were there before are not needed any more. */
  keep(): Promise<void>;
  drop(): Promise<void>;
}

export class Coordinator {
  readonly #env: Env;
  readonly #parts: CoordinatorParts;
  readonly #jobs = new Map<string, JobMaster>();
  #host: TaskHost | null = null;
  #waiting: ((host: TaskHost) => void)[] = [];

  constructor(env: Env, parts: CoordinatorParts) {
    this.#env = env;
    this.#parts = parts;
  }

  /** A worker is there and takes tasks. */
  addHost(host: TaskHost): void {
    this.#host = host;
    for (const resolve of this.#waiting) resolve(host);
    this.#waiting = [];
  }

  /** Plans a job and starts it; without a place as soon as a worker is there. */
  async submit(submission: JobSubmission, place?: JobPlace): Promise<JobHandle> {
    const { graph, module, speculates = true, adaptive = adaptiveDefaults } = submission;
    const jobId = place?.jobId ?? `${graph.jobName}-${this.#env.secrets.hex(4)}`;
    const { checkpoints } = submission;
    const planWith = await this.plan(submission, jobId);
    const physical = planWith(submission.parallelism);
    const host = place?.host ?? (await this.#anyHost());
    const isStream = (submission.mode ?? graph.mode) === 'streaming';
    const options = { jobId, graph: physical, module, host, isStream, ...this.#parts };
    if (checkpoints !== undefined) {
      const declared = declaredStates(graph);
      const newSlots = place?.newSlots ?? this.#parts.newSlots;
      const request = { ...checkpoints, declared };
      return this.#submitWithCheckpoints(options, request, { planWith, newSlots });
    }
    const adaptation = submission.shuffle === 'disk' ? adaptive : null;
    const epoch = place?.epoch ?? 1;
    return this.#start({ ...options, epoch, speculates, adaptive: adaptation });
  }

  /**
   * What a job is planned by, with any parallelism; that which it asks for has been tried.
   * @throws What keeps it from being planned, or from taking part in checkpoints.
   */
  async plan(
    submission: JobSubmission,
    jobId: string,
  ): Promise<(parallelism: number) => PhysicalGraph> {
    const { graph, module: _, checkpoints, ...plan } = submission;
    const statistics = await this.#statisticsOf(graph, jobId);
    const mode = plan.mode ?? (checkpoints === undefined ? undefined : 'streaming');
    const keepsPhases = checkpoints !== undefined && mayKeepRows(checkpoints.options);
    const given = { ...plan, statistics, keepsPhases, ...(mode !== undefined && { mode }) };
    const planWith = (parallelism: number) => planJob(graph, { ...given, parallelism });
    const physical = planWith(plan.parallelism);
    if (checkpoints !== undefined) checkCheckpoints(physical, this.#parts.connectors);
    return planWith;
  }

  async #submitWithCheckpoints(
    options: Omit<JobMasterOptions, 'epoch'>,
    {
      declared,
      ...request
    }: CheckpointRequest & { readonly declared: readonly DeclaredOperator[] },
    {
      planWith,
      newSlots,
    }: {
      readonly planWith: (parallelism: number) => PhysicalGraph;
      readonly newSlots: CoordinatorParts['newSlots'];
    },
  ): Promise<JobHandle> {
    const { graph, host, module } = options;
    const { folder, from, restart: strategy } = request;
    const { stepCheckpoints: step } = this.#parts;
    const restarts = new JobRestarts(this.#env, strategy);
    const starter = new AttemptStarter(
      { graph, host },
      {
        store: folderStore(this.#env, { folder, jobName: graph.jobName }),
        ...{ request, declared, jobFingerprint: module.fingerprint },
        start: (place, epoch, setup) => {
          const checkpoints = { ...setup, restarts, ...(step && { step }) };
          return this.#start({ ...options, ...place, epoch, speculates: false, checkpoints });
        },
      },
    );
    // What can't be gone on with is refused before an attempt that may still run is fenced off.
    await starter.check(from, { graph });
    return new JobAttempts(this.#env, {
      ...{ first: await starter.begin(from), restarts },
      checkCurrent: () => starter.checkCurrent(),
      begin: () => starter.begin({ kind: 'latest' }),
      prepareRescale: (parallelism) =>
        this.#prepareRescale(starter, {
          plan: () => planWith(parallelism),
          newSlots: async () => (await newSlots?.(parallelism)) ?? null,
        }),
    });
  }

  async #prepareRescale(
    starter: AttemptStarter,
    {
      plan,
      newSlots,
    }: {
      readonly plan: () => PhysicalGraph;
      readonly newSlots: () => Promise<NewSlots | null>;
    },
  ): Promise<Rescaling> {
    const before = starter.place;
    const latest = this.#host;
    const graph = plan();
    checkCheckpoints(graph, this.#parts.connectors);
    const slots = await newSlots();
    const place = { graph, host: slots?.host ?? (await this.#anyHost()) };
    this.#host = latest; // Until it is kept.
    return {
      check: () => starter.check({ kind: 'latest' }, place),
      begin: async () => {
        starter.move(place);
        // What has just been written is checked by the tasks that read it.
        const master = await starter.begin({ kind: 'latest' }, 'sizes');
        if (slots?.host === undefined) this.#host = place.host;
        await slots?.keep();
        return master;
      },
      drop: async () => {
        starter.move(before);
        this.#host = latest;
        await slots?.drop();
      },
    };
  }

  #start(options: JobMasterOptions): JobMaster {
    const { jobId } = options;
    const job = new JobMaster(this.#env, options);
    this.#jobs.set(jobId, job);
    const forget = () => {
      if (this.#jobs.get(jobId) === job) this.#jobs.delete(jobId);
    };
    job.done.then(forget, forget);
    job.start();
    return job;
  }

  /** The master of an attempt that runs; messages of other attempts have no receiver. */
  job({ jobId, epoch }: JobRef): JobMaster {
    const job = this.#jobs.get(jobId);
    if (job?.epoch !== epoch) {
      throw typedError(
        'JOB_NOT_RUNNING',
        `no job with id "${jobId}", attempt ${epoch}, runs here`,
        {
          hint: 'It has ended, or it belongs to another coordinator.',
        },
      );
    }
    return job;
  }

  #statisticsOf(graph: LogicalGraph, jobId: string) {
    return sourceStatisticsOf(graph, {
      connectors: this.#parts.connectors,
      context: { disk: this.#env.disk, attemptId: jobId },
      onFailure: (sourceId, reason) =>
        this.#env.observe.event('job.no-statistics', { jobId, sourceId, reason }),
    });
  }

  #anyHost(): Promise<TaskHost> {
    if (this.#host) return Promise.resolve(this.#host);
    const { promise, resolve } = Promise.withResolvers<TaskHost>();
    this.#waiting.push(resolve);
    return promise;
  }
}
