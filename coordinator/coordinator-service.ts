/**
 * The coordinator as a role: `Coordinator` behind rpc, with a client to each worker that registers.
 * It serves from the moment it holds the leader lease; the lease's token is the term of all calls,
 * and a receiver that has seen a newer term refuses them.
 *
 * Before: cli/embedded.ts. After: coordinator/coordinator.ts.
 */
import type { Env } from '../base/env/env.ts';
import type { Address } from '../base/env/net.ts';
import { createRpcClient, type RpcClient } from '../base/rpc/client.ts';
import type { JsonValue } from '../base/rpc/message.ts';
import { createRpcServer, type RpcServer } from '../base/rpc/server.ts';
import { Coordinator, type CoordinatorParts, type JobSubmission } from './coordinator.ts';
import type { JobHandle } from './job/job-handle.ts';
import { type LeaseKeeper, startLeaseKeeper } from './lease/lease-keeper.ts';
import type { LeaseRegister } from './lease/lease-register.ts';
import {
  type JobFailed,
  type MetricsReport,
  methods,
  type RegisterAnswer,
  type RegisterRequest,
  type SplitRequest,
  type TaskCheckpointed,
  type TaskFailed,
  type TaskFinished,
} from './protocol.ts';
import { hostOver } from './worker-host.ts';

export interface CoordinatorOptions extends CoordinatorParts {
  readonly address: Address;
  readonly nodeId: string;
  /** Where coordinators agree on who leads. */
  readonly register: LeaseRegister;
}

export interface CoordinatorHandle {
  /** Plans a job and starts it. Rejects with the user's error when it can't be planned. */
  submit(submission: JobSubmission): Promise<JobHandle>;
  stop(): Promise<void>;
}

export async function startCoordinator(
  env: Env,
  { address, nodeId, register, ...parts }: CoordinatorOptions,
): Promise<CoordinatorHandle> {
  const leaseKeeper = await lead(env, register, nodeId);
  const coordinator = new Coordinator(env, parts);
  const workers: RpcClient[] = [];
  const server = createRpcServer(env);

  server.handle(methods.register, (body) => {
    const { address: workerAddress, slotCount } = body as unknown as RegisterRequest;
    const client = createRpcClient(env, { address: workerAddress });
    workers.push(client);
    coordinator.addHost(hostOver(client, slotCount, () => leaseKeeper.token()));
    return { term: leaseKeeper.token() } satisfies RegisterAnswer;
  });
  serveTasks(server, coordinator);
  await server.listen(address);

  return {
    submit: (submission) => coordinator.submit(submission),
    async stop() {
      leaseKeeper.stop();
      for (const client of workers) client.close();
      await server.close();
    },
  };
}

/** Resolves when this node leads; without rivals that is at once. */
function lead(env: Env, register: LeaseRegister, nodeId: string): Promise<LeaseKeeper> {
  const { promise, resolve } = Promise.withResolvers<LeaseKeeper>();
  const keeper = startLeaseKeeper(env, { register, nodeId, onGained: () => resolve(keeper) });
  return promise;
}

/** What tasks say of themselves goes to the master of their attempt. */
export function serveTasks(server: RpcServer, jobs: Pick<Coordinator, 'job'>): void {
  // Bodies come from `base/rpc` of the same version: their shape is the protocol's.
  const on = <T>(method: string, handle: (body: T) => unknown) =>
    server.handle(method, (body) => (handle(body as T) ?? null) as JsonValue);
  on<SplitRequest>(methods.requestSplit, (request) => jobs.job(request).requestSplit(request));
  on<TaskFinished>(methods.taskFinished, (report) => jobs.job(report).finishTask(report));
  on<TaskCheckpointed>(methods.taskCheckpointed, (report) =>
    jobs.job(report).checkpointTask(report),
  );
  on<TaskFailed>(methods.taskFailed, (report) => jobs.job(report).failTask(report));
  on<JobFailed>(methods.jobFailed, (report) => jobs.job(report).fail(report.error));
  on<MetricsReport>(methods.metrics, (report) => jobs.job(report).updateMetrics(report.tasks));
}
