/**
 * The coordinator as a role: `Coordinator` behind rpc, with a client to each worker that registers.
 *
 * Before: cli/embedded.ts. After: coordinator/coordinator.ts.
 */
import type { Env } from '../base/env/env.ts';
import type { Address } from '../base/env/net.ts';
import { createRpcClient, type RpcClient } from '../base/rpc/client.ts';
import type { JsonValue } from '../base/rpc/message.ts';
import { createRpcServer } from '../base/rpc/server.ts';
import type { Connector } from '../engine/contracts/connector.ts';
import { Coordinator, type JobSubmission } from './coordinator.ts';
import type { JobMaster, TaskHost } from './job/job-master.ts';
import {
  controlDeadlineMs,
  type JobFailed,
  type MetricsReport,
  methods,
  type RegisterRequest,
  type SplitRequest,
  stopDeadlineMs,
  type TaskFinished,
} from './protocol.ts';

export interface CoordinatorOptions {
  readonly address: Address;
  readonly connectors: ReadonlyMap<string, Connector>;
}

export interface CoordinatorHandle {
  /** Plans a job and starts it. Rejects with the user's error when it can't be planned. */
  submit(submission: JobSubmission): Promise<JobMaster>;
  stop(): Promise<void>;
}

export async function startCoordinator(
  env: Env,
  { address, connectors }: CoordinatorOptions,
): Promise<CoordinatorHandle> {
  const coordinator = new Coordinator(env, connectors);
  const workers: RpcClient[] = [];
  const server = createRpcServer(env);

  // Bodies come from `base/rpc` of the same version: their shape is the protocol's.
  const on = <T>(method: string, handle: (body: T) => unknown) =>
    server.handle(method, (body) => (handle(body as T) ?? null) as JsonValue);
  on<RegisterRequest>(methods.register, ({ address: workerAddress, slotCount }) => {
    const client = createRpcClient(env, { address: workerAddress });
    workers.push(client);
    coordinator.addHost(hostOver(client, slotCount));
  });
  on<SplitRequest>(methods.requestSplit, (request) =>
    coordinator.job(request).requestSplit(request.taskId),
  );
  on<TaskFinished>(methods.taskFinished, (report) =>
    coordinator.job(report).finishTask(report.taskId, report.write),
  );
  on<JobFailed>(methods.jobFailed, (report) => coordinator.job(report).fail(report.error));
  on<MetricsReport>(methods.metrics, (report) =>
    coordinator.job(report).updateMetrics(report.operators),
  );
  await server.listen(address);

  return {
    submit: (submission) => coordinator.submit(submission),
    async stop() {
      for (const client of workers) client.close();
      await server.close();
    },
  };
}

/** The tasks of a worker, as a job master asks for them. */
function hostOver(client: RpcClient, slotCount: number): TaskHost {
  const call = async (method: string, body: unknown, deadlineMs: number) => {
    await client.call(method, body as JsonValue, { deadlineMs });
  };
  return {
    slotCount,
    deploy: (request) => call(methods.deploy, request, controlDeadlineMs),
    // A worker may need all of its own deadline to end threads that do not answer.
    stop: (job) => call(methods.stop, job, stopDeadlineMs + controlDeadlineMs),
  };
}
