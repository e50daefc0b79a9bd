/**
 * A worker as a job master asks for its tasks: calls over rpc, with the leader's term and a deadline on each.
 *
 * Before: coordinator/coordinator-service.ts. After: coordinator/job/task-host.ts.
 */
import type { RpcClient } from '../base/rpc/client.ts';
import type { JsonValue } from '../base/rpc/message.ts';
import type { TaskHost } from './job/task-host.ts';
import {
  type AskAnswer,
  askDeadlineMs,
  controlDeadlineMs,
  type DeployRequest,
  methods,
  stopDeadlineMs,
} from './protocol.ts';

/** Tasks are deployed once, whatever comes twice. */
function deploymentKeyOf({ jobId, epoch, attempt, slots }: DeployRequest): string {
  return `${jobId} ${epoch} ${attempt} ${Object.keys(slots).join(' ')}`;
}

/** The tasks of a worker, as a job master asks for them. */
export function hostOver(client: RpcClient, slotCount: number, termOf: () => number): TaskHost {
  const call = async (method: string, body: unknown, deadlineMs: number, key?: string) => {
    const term = termOf();
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
