/**
 * Workers that a coordinator takes for one: it registers with the slots of all of them, hands each its part of what is deployed,
 * and passes on what they say. So a job's tasks are split over several workers, whatever the coordinator knows of that.
 *
 *     coordinator ◀──▶ joined workers ◀──▶ worker 0: slots 0, 1 …
 *                                     ◀──▶ worker 1: slots 2, 3 …      and rows between the two, over their exchanges
 */
import type { Env } from '../base/env/env.ts';
import type { Address, Net } from '../base/env/net.ts';
import { createRpcClient, type RpcClient } from '../base/rpc/client.ts';
import type { JsonValue } from '../base/rpc/message.ts';
import { createRpcServer, type RpcServer } from '../base/rpc/server.ts';
import {
  type AskAnswer,
  controlDeadlineMs,
  type DeployRequest,
  methods,
  type RegisterRequest,
  stopDeadlineMs,
} from '../coordinator/protocol.ts';

export interface JoinedWorkersOptions {
  /** Where workers register, and what the coordinator is told. */
  readonly address: Address;
  readonly coordinatorAddress: Address;
  readonly workerCount: number;
  /** Carries what is said to workers. @defaultValue that which carries what is said to the coordinator */
  readonly inner?: Net;
}

interface Joined {
  readonly client: RpcClient;
  readonly firstSlot: number;
  readonly slotCount: number;
  readonly exchangeAddress: string;
}

const toCoordinator = [
  ...[methods.requestSplit, methods.taskFinished, methods.taskFailed, methods.jobFailed],
  ...[methods.metrics, methods.taskCheckpointed],
];
const toAll = [
  ...[methods.stopTasks, methods.stop, methods.triggerCheckpoint],
  ...[methods.orderSources, methods.cancelCheckpoint],
];
/** As long as the longest of what a worker does. */
const deadlineMs = stopDeadlineMs + controlDeadlineMs;

export class JoinedWorkers {
  readonly #env: Env;
  readonly #options: JoinedWorkersOptions;
  readonly #server: RpcServer;
  readonly #coordinator: RpcClient;
  readonly #registered: (RegisterRequest & { readonly exchangeAddress: string })[] = [];
  readonly #term = Promise.withResolvers<JsonValue>();
  #workers: readonly Joined[] = [];

  constructor(env: Env, options: JoinedWorkersOptions) {
    this.#env = env;
    this.#options = options;
    this.#server = createRpcServer(env);
    this.#coordinator = createRpcClient(env, { address: options.coordinatorAddress });
  }

  /** Resolves when workers may register. */
  async start(): Promise<void> {
    this.#server.handle(methods.register, (body) => this.#register(body as never));
    for (const method of toCoordinator) {
      this.#server.handle(method, (body, { term }) => {
        return this.#coordinator.call(method, body, { deadlineMs, ...(term && { term }) });
      });
    }
    for (const method of toAll) {
      this.#server.handle(method, async (body, { term }) => {
        await Promise.all(this.#workers.map(({ client }) => call(client, method, body, term)));
        return null;
      });
    }
    this.#server.handle(methods.deploy, (body, { term }) => this.#deploy(body as never, term));
    this.#server.handle(methods.ask, (body, { term }) => this.#ask(body, term));
    await this.#server.listen(this.#options.address);
  }

  async stop(): Promise<void> {
    this.#coordinator.close();
    for (const { client } of this.#workers) client.close();
    await this.#server.close();
  }

  /** Answers when the last one has come, and the coordinator knows of all. */
  async #register(request: RegisterRequest & { exchangeAddress: string }): Promise<JsonValue> {
    this.#registered.push(request);
    const { workerCount, address } = this.#options;
    if (this.#registered.length === workerCount) {
      let firstSlot = 0;
      this.#workers = this.#registered.map(({ slotCount, exchangeAddress, ...worker }) => {
        const inner = { ...this.#env, net: this.#options.inner ?? this.#env.net };
        const client = createRpcClient(inner, { address: worker.address });
        const joined = { client, firstSlot, slotCount, exchangeAddress };
        firstSlot += slotCount;
        return joined;
      });
      const self = { workerId: 'joined', address, slotCount: firstSlot };
      this.#term.resolve(
        await this.#coordinator.call(methods.register, self, { deadlineMs: controlDeadlineMs }),
      );
    }
    return await this.#term.promise;
  }

  async #deploy(request: DeployRequest, term: number | undefined): Promise<null> {
    const hostOf = (slot: number) => {
      return this.#workers.findLast(({ firstSlot }) => firstSlot <= slot);
    };
    const placed = Object.entries(request.slots).map(([taskId, slot]) => {
      return { taskId, slot, worker: hostOf(slot) };
    });
    await Promise.all(
      this.#workers.map(async (worker) => {
        const own = placed.filter((task) => task.worker === worker);
        const others = placed.filter((task) => task.worker !== worker);
        if (own.length === 0) return;
        const part: DeployRequest = {
          ...request,
          slots: Object.fromEntries(
            own.map(({ taskId, slot }) => [taskId, slot - worker.firstSlot]),
          ),
          elsewhere: Object.fromEntries(
            others.map((task) => [task.taskId, task.worker?.exchangeAddress ?? '']),
          ),
        };
        await call(worker.client, methods.deploy, part as unknown as JsonValue, term);
      }),
    );
    return null;
  }

  async #ask(body: JsonValue, term: number | undefined): Promise<JsonValue> {
    const answers = await Promise.all(
      this.#workers.map(async ({ client, firstSlot }) => {
        const answer = await call(client, methods.ask, body, term);
        const { tasks } = answer as unknown as AskAnswer;
        return tasks.map((task) => ({ ...task, slotIndex: task.slotIndex + firstSlot }));
      }),
    );
    return { tasks: answers.flat() } as unknown as JsonValue;
  }
}

function call(client: RpcClient, method: string, body: JsonValue, term: number | undefined) {
  return client.call(method, body, { deadlineMs, ...(term !== undefined && { term }) });
}
