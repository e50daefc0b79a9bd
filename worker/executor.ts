/**
 * One job attempt on this worker: makes the rings, gives the tasks to the slot threads, passes
 * messages between them and the coordinator, and reports the counters that tasks publish.
 *
 *     coordinator ◀── rpc ──▶ Executor ◀── message port ──▶ slot thread × n
 *                                            rings join the threads with each other
 *
 * A slot thread that dies fails the job: its tasks and their memory are gone. On stop, a thread that
 * does not answer in time is in a busy loop of the user's, and is ended with its pool.
 *
 * Before: coordinator/job/job-master.ts. After: worker/threads/piscina-slot-runner.ts.
 */
import type { Env } from '../base/env/env.ts';
import type { SlotHandle } from '../base/env/slot-runner.ts';
import { toWire, type WireError } from '../base/typed-error.ts';
import {
  type DeployRequest,
  type OperatorMetrics,
  stopDeadlineMs,
  taskIdOf,
} from '../coordinator/protocol.ts';
import type { Json } from '../engine/contracts/json.ts';
import type { Split } from '../engine/contracts/source.ts';
import type { Edge } from '../engine/plan/physical-graph.ts';
import { taskMetricsBytes } from '../engine/task/task-metrics.ts';
import { makeRings } from './exchange-rings.ts';
import { readMetrics } from './metrics-reader.ts';
import type { SpillFolder } from './spill-folder.ts';
import type {
  EdgeEnd,
  FromSlot,
  RingDescriptor,
  TaskDeployment,
  ToSlot,
} from './threads/slot-messages.ts';

/** What an executor tells the coordinator, already bound to its job. */
export interface ExecutorEvents {
  requestSplit(taskId: string): Promise<Split | null>;
  taskFinished(taskId: string, write: Json): void;
  failed(taskId: string, error: WireError): void;
}

export interface ExecutorOptions {
  readonly slots: readonly SlotHandle[];
  readonly request: DeployRequest;
  /** What the rings of one exchange may take together. @defaultValue 32 MiB */
  readonly exchangeBytes?: number | undefined;
  /** Operator id → the ring to the program that runs the job in its own process. */
  readonly programRings?: Readonly<Record<string, RingDescriptor>> | undefined;
  readonly spill: SpillFolder;
}

export class Executor {
  readonly #env: Env;
  readonly #slots: readonly SlotHandle[];
  readonly #request: DeployRequest;
  readonly #exchangeBytes: number | undefined;
  readonly #programRings: Readonly<Record<string, RingDescriptor>>;
  readonly #spill: SpillFolder;
  readonly #events: ExecutorEvents;
  readonly #metrics: { readonly deployment: TaskDeployment }[] = [];
  readonly #stopped: Promise<void>[];
  #tasksLeft = 0;
  readonly #resolveStopped: (() => void)[];

  constructor(
    env: Env,
    { slots, request, exchangeBytes, programRings = {}, spill }: ExecutorOptions,
    events: ExecutorEvents,
  ) {
    this.#env = env;
    this.#slots = slots;
    this.#request = request;
    this.#exchangeBytes = exchangeBytes;
    this.#programRings = programRings;
    this.#spill = spill;
    this.#events = events;
    const pending = slots.map(() => Promise.withResolvers<void>());
    this.#stopped = pending.map(({ promise }) => promise);
    this.#resolveStopped = pending.map(({ resolve }) => resolve);
  }

  start(): void {
    this.#slots.forEach((slot, index) => {
      slot.onMessage((message) => this.#receive(index, message as FromSlot));
      slot.ended.then(
        () => this.#resolveStopped[index]?.(),
        (error: unknown) => {
          this.#resolveStopped[index]?.();
          this.#events.failed('', toWire(error));
        },
      );
    });
    const { module } = this.#request;
    const spillFolder = this.#spill.ofJob(this.#request);
    const slotCount = this.#slots.length;
    const { jobId, epoch } = this.#request;
    const common = {
      kind: 'deploy',
      job: { jobId, epoch },
      module,
      spillFolder,
      slotCount,
    } as const;
    this.#deployments().forEach((tasks, index) => {
      this.#post(index, { ...common, tasks });
    });
  }

  /** Ends all tasks; resolves when no thread runs one any more. */
  async stop(): Promise<void> {
    for (const index of this.#slots.keys()) this.#post(index, { kind: 'stop' });
    const late = Symbol('late');
    const deadline = new AbortController();
    const timeout = this.#env.timers.sleep(stopDeadlineMs, deadline.signal).then(
      () => late,
      () => null, // Aborted below: everybody answered.
    );
    const outcome = await Promise.race([Promise.all(this.#stopped), timeout]);
    deadline.abort();
    if (outcome === late) await Promise.all(this.#slots.map((slot) => slot.terminate()));
    await this.#spill.removeJob(this.#request);
  }

  /** The counters of all tasks as they stand. */
  metrics(): OperatorMetrics[] {
    return this.#metrics.flatMap(({ deployment }) => readMetrics(deployment));
  }

  /** The tasks of each slot. */
  #deployments(): TaskDeployment[][] {
    const { graph, slots, prepared } = this.#request;
    const slotOf = (vertexId: string, index: number) => slots[taskIdOf(vertexId, index)] ?? 0;
    const rings = makeRings(graph, slotOf, this.#exchangeBytes);
    const deployments: TaskDeployment[][] = this.#slots.map(() => []);
    for (const vertex of graph.vertices) {
      const incoming = graph.edges.filter((edge) => edge.to === vertex.id);
      const outgoing = graph.edges.filter((edge) => edge.from === vertex.id);
      for (let taskIndex = 0; taskIndex < vertex.parallelism; taskIndex++) {
        const deployment: TaskDeployment = {
          taskId: taskIdOf(vertex.id, taskIndex),
          taskIndex,
          vertex,
          inputs: incoming.map((edge) =>
            endOf(edge, rings.get(edge.id)?.ofReceiver(taskIndex) ?? []),
          ),
          outputs: outgoing.map((edge) =>
            endOf(edge, rings.get(edge.id)?.ofSender(taskIndex) ?? []),
          ),
          prepared,
          programRings: this.#programRings,
          metrics: new SharedArrayBuffer(taskMetricsBytes(vertex.chain.length)),
        };
        this.#metrics.push({ deployment });
        this.#tasksLeft++;
        deployments[slotOf(vertex.id, taskIndex)]?.push(deployment);
      }
    }
    return deployments;
  }

  #receive(slotIndex: number, message: FromSlot): void {
    switch (message.kind) {
      case 'wantSplit':
        this.#fetchSplit(slotIndex, message.taskId);
        break;
      case 'taskFinished':
        if (--this.#tasksLeft === 0) void this.#spill.removeJob(this.#request);
        this.#events.taskFinished(message.taskId, message.write);
        break;
      case 'failed':
        // A task whose input failed says nothing new: the sender reports the reason itself, and it
        // may arrive a moment later.
        if (message.error.code !== 'TASK_INPUT_FAILED') {
          this.#events.failed(message.taskId, message.error);
        }
        break;
      case 'stopped':
        if (message.leak !== null) {
          this.#env.observe.event('slot.memory-leak', { slotIndex, leak: message.leak });
        }
        this.#resolveStopped[slotIndex]?.();
        break;
    }
  }

  #fetchSplit(slotIndex: number, taskId: string): void {
    this.#events.requestSplit(taskId).then(
      (split) => this.#post(slotIndex, { kind: 'split', taskId, split }),
      (error: unknown) => this.#events.failed(taskId, toWire(error)),
    );
  }

  #post(slotIndex: number, message: ToSlot): void {
    this.#slots[slotIndex]?.post(message);
  }
}

function endOf(edge: Edge, rings: readonly RingDescriptor[]): EdgeEnd {
  const { output, port, exchange, schema } = edge;
  return { output, port, exchange, schema, rings };
}
