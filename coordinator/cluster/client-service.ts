/**
 * The calls of clients to a cluster: a job is found by its id or its name, and asked as a job on this machine is.
 *
 * Before: coordinator/cluster/cluster-session.ts. After: coordinator/cluster/cluster-jobs.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Env } from '../../base/env/env.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import type { WireError } from '../../base/typed-error.ts';
import type { MembershipKeeper } from '../membership/membership-keeper.ts';
import type { KnownJob } from '../metadata/metadata-state.ts';
import type { MetadataStore } from '../metadata/metadata-store.ts';
import {
  clientMethods,
  type EndedJob,
  type HelloAnswer,
  type HelloRequest,
  type HistoryAnswer,
  type JobsAnswer,
  type LogsAnswer,
  type LogsRequest,
  type OfJob,
  type OfSchedule,
  type PutBundleRequest,
  type SetQuotaRequest,
  type SetScheduleRequest,
  type SubmitRequest,
  type WorkersAnswer,
} from '../protocol/clients.ts';
import {
  jobMethods,
  type RescaleRequest,
  type SavepointRequest,
  type StateRequest,
  type StopRequest,
} from '../protocol/jobs.ts';
import { clusterVersion } from '../protocol/members.ts';
import type { BundleStore } from './bundle-store.ts';
import type { ClusterJob } from './cluster-job.ts';
import type { ClusterJobs } from './cluster-jobs.ts';
import { assertKnownVersion } from './cluster-version.ts';
import { readLogs } from './job-logs.ts';
import type { Namespaces } from './namespaces.ts';
import type { Schedules } from './schedules.ts';
import { ServedClusterJob } from './served-cluster-job.ts';
import type { SlotQueue } from './slot-queue.ts';
import type { SupervisorCalls } from './supervisor-calls.ts';

export interface ClientServiceOptions {
  readonly coordinatorId: string;
  readonly term: number;
  readonly bundles: BundleStore;
  readonly jobs: ClusterJobs;
  readonly store: MetadataStore;
  readonly queue: SlotQueue;
  readonly namespaces: Namespaces;
  readonly schedules: Schedules;
  readonly members: MembershipKeeper;
  readonly calls: SupervisorCalls;
}

type Handler = (body: never) => unknown;

/** All methods of clients. */
export const servedMethods: readonly string[] = [
  ...Object.values(clientMethods),
  ...Object.values(jobMethods),
];

export class ClientService {
  readonly #env: Pick<Env, 'clock' | 'timers'>;
  readonly #options: ClientServiceOptions;
  readonly #served = new WeakMap<ClusterJob, ServedClusterJob>();
  readonly #handlers: ReadonlyMap<string, Handler>;

  constructor(env: Pick<Env, 'clock' | 'timers'>, options: ClientServiceOptions) {
    this.#env = env;
    this.#options = options;
    this.#handlers = new Map(this.#methods());
  }

  /** Answers a call of one of `servedMethods`. */
  answer(method: string, body: JsonValue): unknown {
    const handler = this.#handlers.get(method);
    assert(handler !== undefined, 'each method of clients has its handler');
    return handler(body as never);
  }

  /** Bodies come from `base/rpc` of the same version: their shape is the protocol's. */
  #methods(): [string, Handler][] {
    const { bundles, jobs, queue, namespaces, schedules } = this.#options;
    const served = ({ job }: OfJob) => this.#servedOf(jobs.find(job));
    const reasonOf = (key: string) => queue.reasonOf(key);
    const of = (request: OfJob) => served(request).service;
    const { hello, putBundle, submit, watch, logs, setQuota, setSchedule, ...lists } =
      clientMethods;
    return [
      [hello, ({ version }: HelloRequest) => this.#hello(version)],
      [putBundle, (request: PutBundleRequest) => bundles.put(request)],
      [submit, (request: SubmitRequest) => jobs.submit(request)],
      [watch, (request: OfJob) => served(request).watch(reasonOf)],
      [logs, (request: LogsRequest) => this.#logs(request)],
      [lists.jobs, () => this.#jobs()],
      [lists.workers, () => this.#workers()],
      [lists.history, () => this.#history()],
      [lists.quotas, () => namespaces.all()],
      [setQuota, (request: SetQuotaRequest) => namespaces.set(request)],
      [lists.schedules, () => schedules.all()],
      [setSchedule, (request: SetScheduleRequest) => schedules.set(request)],
      [lists.removeSchedule, (request: OfSchedule) => schedules.remove(request)],
      [jobMethods.describe, (request: OfJob) => served(request).describe(reasonOf)],
      [jobMethods.why, (request: OfJob) => of(request).why()],
      [jobMethods.stateOf, (request: OfJob & StateRequest) => of(request).stateOf(request)],
      [jobMethods.cancel, (request: OfJob) => of(request).cancel()],
      [jobMethods.checkpoints, (request: OfJob) => of(request).checkpoints()],
      [jobMethods.savepoint, (request: OfJob & SavepointRequest) => of(request).savepoint(request)],
      [jobMethods.stop, (request: OfJob & StopRequest) => of(request).stop(request)],
      [jobMethods.rescale, (request: OfJob & RescaleRequest) => of(request).rescale(request)],
    ];
  }

  #hello(version: number): HelloAnswer {
    assertKnownVersion(version);
    const { coordinatorId, term } = this.#options;
    return { version: clusterVersion, coordinatorId, term };
  }

  #servedOf(job: ClusterJob): ServedClusterJob {
    const known = this.#served.get(job);
    if (known !== undefined) return known;
    const served = new ServedClusterJob(this.#env, job);
    this.#served.set(job, served);
    return served;
  }

  #jobs(): JobsAnswer {
    const { jobs, queue } = this.#options;
    const open = jobs.all.filter(({ outcome }) => outcome === null);
    return {
      jobs: open.map((job) => this.#servedOf(job).describe((key) => queue.reasonOf(key))),
    };
  }

  #workers(): WorkersAnswer {
    const { store, queue, members, jobs } = this.#options;
    const there = Object.values(store.state.workers).filter(({ isThere }) => isThere);
    const workers = there.map(({ workerId, incarnation, address, slots, memoryBytes }) => {
      const freeSlots = queue.state.workers.get(workerId)?.freeSlots ?? 0;
      const isSuspected = members.stateOf(workerId).kind !== 'alive';
      const own = jobs.all.filter(({ outcome, workerIds }) => {
        return outcome === null && workerIds.includes(workerId);
      });
      const ids = own.map(({ jobId }) => jobId);
      const room = { slots, freeSlots, memoryBytes };
      return { workerId, incarnation, address, ...room, isSuspected, jobs: ids };
    });
    return { workers };
  }

  #history(): HistoryAnswer {
    const known = Object.values(this.#options.store.state.jobs);
    const ended = known.toSorted((a, b) => b.order - a.order);
    return { jobs: ended.flatMap(endedJobOf) };
  }

  #logs({ job, from }: LogsRequest): Promise<LogsAnswer> {
    const { jobs, store, calls } = this.#options;
    // One that has ended long ago is known to the log only, by its id.
    const { jobId } = store.state.jobs[job] ?? jobs.find(job);
    const lives = Object.values(store.state.workers).filter(({ isThere }) => isThere);
    return readLogs({ jobId, from, lives, calls });
  }
}

function endedJobOf({
  jobId: id,
  name,
  namespace,
  submittedAtMs,
  epoch,
  end,
}: KnownJob): EndedJob[] {
  if (end === null) return [];
  const { status, rowsIn, rowsOut, error, atMs: endedMs } = end;
  const times = { sinceMs: submittedAtMs, endedMs };
  const failure = error as unknown as WireError | null;
  return [{ id, name, namespace, status, ...times, epoch, rowsIn, rowsOut, error: failure }];
}
