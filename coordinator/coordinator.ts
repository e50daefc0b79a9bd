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
import type { JobMode, LogicalGraph } from '../engine/plan/logical-graph.ts';
import { type AdaptiveOptions, adaptiveDefaults } from './adaptive/adaptive-options.ts';
import { JobMaster, type TaskHost } from './job/job-master.ts';
import type { stepJob } from './job/job-state.ts';
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
  /** Whether tasks that are slow get a copy. @defaultValue true */
  readonly speculates?: boolean;
  /** By what sizes the plan may be changed while the job runs; null when it may not. @defaultValue adaptiveDefaults */
  readonly adaptive?: AdaptiveOptions | null;
}

export interface CoordinatorParts {
  readonly connectors: ReadonlyMap<string, Connector>;
  /** The rules of jobs; only tests that plant a wrong one give others. @defaultValue stepJob */
  readonly step?: typeof stepJob;
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

  /** Plans a job and starts it as soon as a worker is there. */
  async submit(submission: JobSubmission): Promise<JobMaster> {
    const { graph, module, speculates = true, adaptive = adaptiveDefaults, ...plan } = submission;
    const ref: JobRef = { jobId: `${graph.jobName}-${this.#env.secrets.hex(4)}`, epoch: 1 };
    const statistics = await this.#statisticsOf(graph, ref.jobId);
    const physical = planJob(graph, { ...plan, statistics });
    const host = await this.#anyHost();
    const job = new JobMaster(this.#env, {
      ...ref,
      graph: physical,
      module,
      host,
      speculates,
      adaptive: submission.shuffle === 'disk' ? adaptive : null,
      ...this.#parts,
    });
    this.#jobs.set(ref.jobId, job);
    const forget = () => this.#jobs.delete(ref.jobId);
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
