/**
 * A coordinator for tests of clients: speaks the protocol over a net in memory, keeps what it is sent, and answers what the
 * test says.
 */
import { createMemoryNet } from '../../base/env/memory-net.ts';
import type { Net } from '../../base/env/net.ts';
import { createRealEnv } from '../../base/env/real-env.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { createRpcServer, type RpcServer } from '../../base/rpc/server.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Reach } from '../../cli/control/control-command.ts';
import type { JobOutcome } from '../../coordinator/job/job-outcome.ts';
import {
  type ClusterJob,
  clientMethods,
  type PutBundleRequest,
  type SubmitRequest,
  type WatchAnswer,
} from '../../coordinator/protocol/clients.ts';
import { jobMethods } from '../../coordinator/protocol/jobs.ts';
import { clusterVersion } from '../../coordinator/protocol/members.ts';

export interface FakeCoordinator {
  /** Methods that were called, `cluster.hello` left out, in order. */
  readonly calls: string[];
  readonly submissions: SubmitRequest[];
  /** What has come of bundles, by hash. */
  readonly bundles: Map<string, Buffer>;
  /** Answers a method in another way. */
  on(method: string, answer: (body: never) => unknown): void;
}

export interface FakeCluster {
  readonly reach: Reach;
  /** Starts one that listens there. */
  start(address: string): Promise<FakeCoordinator>;
}

const skipped = { rows: 0, rowGroups: 0, pages: 0 };
export const finished: JobOutcome = {
  ...{ status: 'finished', error: null, operators: [], latency: null, counts: {}, stages: [] },
  totals: { rowsIn: 1_000, bytesIn: 8_000, rowsOut: 12, deadLetters: 0, skipped },
  inputCount: 1,
};

const running: ClusterJob = {
  ...{ name: 'words', id: 'words-1', pid: null, file: 'abc', sinceMs: 1_700_000_000_000 },
  ...{ seconds: 2, phase: 'running', rowsIn: 1_234, bytesIn: 2_048, rowsOut: 5, deadLetters: 0 },
  ...{ rowsPerSecond: 617, share: 0.5, namespace: 'default', priority: 0, slots: 2, epoch: 1 },
  ...{ workers: ['w1', 'w2'], reason: null },
};

/** What `watch` answers of a job that is so. */
export function watched(outcome: JobOutcome | null, job: Partial<ClusterJob> = {}): WatchAnswer {
  return { job: { ...running, ...job }, progress: null, outcome };
}

export function fakeCluster(): FakeCluster {
  const env = { ...createRealEnv(), net: createMemoryNet() };
  const places = { onlyFolder: '/none', runtimeFolder: undefined, temporaryFolder: '', userId: 0 };
  return { reach: { env, places }, start: (address) => startFake(env.net, address) };
}

async function startFake(net: Net, address: string): Promise<FakeCoordinator> {
  const server = createRpcServer({ ...createRealEnv(), net });
  const fake = new Fake(server);
  await server.listen(address);
  return fake;
}

class Fake implements FakeCoordinator {
  readonly calls: string[] = [];
  readonly submissions: SubmitRequest[] = [];
  readonly bundles = new Map<string, Buffer>();
  readonly #server: RpcServer;

  constructor(server: RpcServer) {
    this.#server = server;
    this.on(clientMethods.hello, () => hello);
    this.on(clientMethods.workers, () => ({ workers: [{ slots: 2 }, { slots: 4 }] }));
    this.on(clientMethods.jobs, () => ({ jobs: [running] }));
    this.on(clientMethods.putBundle, (request) => this.#put(request));
    this.on(clientMethods.submit, (request: SubmitRequest) => {
      this.submissions.push(request);
      return { jobId: request.jobId };
    });
    this.on(clientMethods.watch, () => watched(finished));
    this.on(jobMethods.describe, ({ job }: { job: string }) => {
      if (job === running.id || job === running.name) return running;
      throw typedError('CLUSTER_JOB_NOT_FOUND', `the cluster has no job "${job}"`);
    });
  }

  on(method: string, answer: (body: never) => unknown): void {
    this.#server.handle(method, async (body) => {
      if (method !== clientMethods.hello) this.calls.push(method);
      return (await answer(body as never)) as JsonValue;
    });
  }

  #put({ hash, data }: PutBundleRequest) {
    const known = this.bundles.get(hash);
    if (data === '') return { isStored: known !== undefined };
    this.bundles.set(hash, Buffer.concat([known ?? Buffer.alloc(0), Buffer.from(data, 'base64')]));
    return { isStored: false };
  }
}

const hello = { version: clusterVersion, coordinatorId: 'c1', term: 1 };
