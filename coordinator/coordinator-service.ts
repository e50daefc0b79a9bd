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
import { createRpcServer } from '../base/rpc/server.ts';
import { Coordinator, type CoordinatorParts, type JobSubmission } from './coordinator.ts';
import type { JobHandle } from './job/job-handle.ts';
import type { TaskHost } from './job/task-host.ts';
import { type LeaseKeeper, startLeaseKeeper } from './lease/lease-keeper.ts';
import type { LeaseRegister } from './lease/lease-register.ts';
import {
  type AskAnswer,
  askDeadlineMs,
  controlDeadlineMs,
  type DeployRequest,
  type JobFailed,
  type MetricsReport,
  methods,
  type RegisterAnswer,
  type RegisterRequest,
  type SplitRequest,
  stopDeadlineMs,
  type TaskCheckpointed,
  type TaskFailed,
  type TaskFinished,
} from './protocol.ts';

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

  // Bodies come from `base/rpc` of the same version: their shape is the protocol's.
  const on = <T>(method: string, handle: (body: T) => unknown) =>
    server.handle(method, (body) => (handle(body as T) ?? null) as JsonValue);
  on<RegisterRequest>(methods.register, ({ address: workerAddress, slotCount }) => {
    const client = createRpcClient(env, { address: workerAddress });
    workers.push(client);
    coordinator.addHost(hostOver(client, slotCount, leaseKeeper));
    return { term: leaseKeeper.token() } satisfies RegisterAnswer;
  });
  on<SplitRequest>(methods.requestSplit, (request) =>
    coordinator.job(request).requestSplit(request),
  );
  on<TaskFinished>(methods.taskFinished, (report) => coordinator.job(report).finishTask(report));
  on<TaskCheckpointed>(methods.taskCheckpointed, (report) =>
    coordinator.job(report).checkpointTask(report),
  );
  on<TaskFailed>(methods.taskFailed, (report) => coordinator.job(report).failTask(report));
  on<JobFailed>(methods.jobFailed, (report) => coordinator.job(report).fail(report.error));
  on<MetricsReport>(methods.metrics, (report) =>
    coordinator.job(report).updateMetrics(report.tasks),
  );
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

/** Tasks are deployed once, whatever comes twice. */
function deploymentKeyOf({ jobId, epoch, attempt, slots }: DeployRequest): string {
  return `${jobId} ${epoch} ${attempt} ${Object.keys(slots).join(' ')}`;
}

/** The tasks of a worker, as a job master asks for them. */
function hostOver(client: RpcClient, slotCount: number, leaseKeeper: LeaseKeeper): TaskHost {
  const call = async (method: string, body: unknown, deadlineMs: number, key?: string) => {
    const term = leaseKeeper.token();
    const idempotencyKey = key && { idempotencyKey: key };
    return await client.call(method, body as JsonValue, { deadlineMs, term, ...idempotencyKey });
  };
  const tell = async (method: string, body: unknown, deadlineMs: number): Promise<void> => {
    await call(method, body, deadlineMs);
  };
  return {
    slotCount,
    deploy: async (request) => {
      await call(methods.deploy, request, controlDeadlineMs, deploymentKeyOf(request));
    },
    stopTasks: (request) => tell(methods.stopTasks, request, stopDeadlineMs + controlDeadlineMs),
    // A worker may need all of its own deadline to end threads that do not answer.
    stop: (job) => tell(methods.stop, job, stopDeadlineMs + controlDeadlineMs),
    triggerCheckpoint: (request) => tell(methods.triggerCheckpoint, request, controlDeadlineMs),
    orderSources: (request) => tell(methods.orderSources, request, controlDeadlineMs),
    cancelCheckpoint: (request) => tell(methods.cancelCheckpoint, request, controlDeadlineMs),
    ask: async (request) => {
      const answer = await call(methods.ask, request, askDeadlineMs + controlDeadlineMs);
      return (answer as unknown as AskAnswer).tasks;
    },
  };
}
