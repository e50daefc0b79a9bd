/**
 * The worker role: registers its slots with the coordinator, runs job attempts in executors, and
 * passes on what they report.
 *
 * Before: coordinator/coordinator-service.ts. After: worker/executor.ts.
 */
import type { Env } from '../base/env/env.ts';
import type { Address } from '../base/env/net.ts';
import type { SlotRunner } from '../base/env/slot-runner.ts';
import { type CallOptions, createRpcClient } from '../base/rpc/client.ts';
import type { JsonValue } from '../base/rpc/message.ts';
import { staleEpochError } from '../base/rpc/rpc-error.ts';
import { createRpcServer } from '../base/rpc/server.ts';
import { codeOf } from '../base/typed-error.ts';
import {
  type AskAnswer,
  type AskRequest,
  type CancelCheckpointRequest,
  controlDeadlineMs,
  type DeployRequest,
  type JobRef,
  methods,
  metricsIntervalMs,
  type OrderSourcesRequest,
  type RegisterAnswer,
  type SplitAnswer,
  type SplitRequest,
  type StopRequest,
  type StopTasksRequest,
  type TriggerCheckpointRequest,
} from '../coordinator/protocol.ts';
import type { ExchangeNetwork } from './exchange/exchange-network.ts';
import { Executor } from './executor.ts';
import { SlotSet } from './slot-set.ts';
import { SpillFolder } from './spill-folder.ts';
import { TaskReports } from './task-reports.ts';
import type { RingDescriptor, TaskAttempt } from './threads/slot-messages.ts';

export interface WorkerOptions {
  readonly workerId: string;
  /** Where it listens; the coordinator is told which port it got. */
  readonly address: Address;
  readonly coordinatorAddress: Address;
  readonly slotCount: number;
  readonly slotMemoryBytes: number;
  /** Where folders of spill files go; made when there is one. */
  readonly spillDir: string;
  readonly runner: SlotRunner;
  /** What the rings of one exchange may take together. @defaultValue 32 MiB */
  readonly exchangeBytes?: number;
  /**
   * Of the program that runs the worker in its own process, asked for each job: operator id → its ring.
   * @defaultValue none
   */
  readonly programRings?: () => Readonly<Record<string, RingDescriptor>>;
  /** To tasks on other workers; it is stopped with the worker. @defaultValue a job's tasks are all here */
  readonly network?: ExchangeNetwork;
  /** Of this process, as the coordinator of a cluster asked for it. @defaultValue none: it is the whole worker */
  readonly executorId?: string;
  /** Where a job's module lies that the coordinator knows by another name. @defaultValue where it says */
  readonly moduleFile?: (file: string) => string;
}

export interface WorkerHandle {
  stop(): Promise<void>;
}

export async function startWorker(env: Env, options: WorkerOptions): Promise<WorkerHandle> {
  const worker = new Worker(env, options);
  await worker.start();
  return worker;
}

class Worker implements WorkerHandle {
  readonly #env: Env;
  readonly #options: WorkerOptions;
  readonly #server;
  readonly #coordinator;
  readonly #spill: SpillFolder;
  readonly #slots: SlotSet;
  #executor: {
    readonly job: JobRef;
    readonly run: Executor;
    readonly reports: TaskReports;
  } | null = null;
  /** Of the coordinator that we registered with; null before that: who asks to be taken in knows of none. */
  #term: number | null = null;
  #cancelReports: () => void = () => undefined;
  #staleRemoved: Promise<void> = Promise.resolve();
  #deployed: Promise<null> = Promise.resolve(null);
  #splitRequests = 0;

  constructor(env: Env, options: WorkerOptions) {
    this.#env = env;
    this.#options = options;
    // The threads start while the job is still being planned.
    this.#slots = new SlotSet(options.runner, options.slotCount, options.slotMemoryBytes);
    this.#spill = new SpillFolder(env, options.spillDir);
    this.#server = createRpcServer(env);
    this.#coordinator = createRpcClient(env, { address: options.coordinatorAddress });
  }

  async start(): Promise<void> {
    this.#staleRemoved = this.#spill.removeStale();
    this.#server.handle(methods.deploy, (body) => this.#deploy(body as never));
    this.#server.handle(methods.stopTasks, (body) => this.#stopTasks(body as never));
    this.#server.handle(methods.ask, (body) => this.#ask(body as never));
    this.#server.handle(methods.triggerCheckpoint, (body) =>
      this.#triggerCheckpoint(body as never),
    );
    this.#server.handle(methods.orderSources, (body) => this.#orderSources(body as never));
    this.#server.handle(methods.cancelCheckpoint, (body) => this.#cancelCheckpoint(body as never));
    this.#server.handle(methods.ping, () => null);
    this.#server.handle(methods.stop, (body) => this.#stopJob(body as never));
    const { workerId, slotCount, network, executorId } = this.#options;
    const address = await this.#server.listen(this.#options.address);
    // Without a term: which one counts is what it is told. Others may have registered before.
    const exchange = network && { exchangeAddress: network.address };
    const executor = executorId === undefined ? {} : { executorId };
    const spillFolder = this.#spill.path;
    const self = { workerId, address, slotCount, spillFolder, ...exchange, ...executor };
    const deadline = { deadlineMs: controlDeadlineMs };
    const answer = await this.#coordinator.call(methods.register, self, deadline);
    this.#term = (answer as unknown as RegisterAnswer).term;
    this.#cancelReports = this.#env.timers.every(metricsIntervalMs, () => this.#reportMetrics());
  }

  async stop(): Promise<void> {
    this.#cancelReports();
    this.#executor?.reports.close();
    this.#coordinator.close();
    await this.#server.close();
    await this.#options.runner.close();
    await this.#options.network?.stop();
    await this.#staleRemoved;
    await this.#spill.removeAll();
  }

  /** One after the other, for the first of an attempt waits until the one before is gone. */
  #deploy(request: DeployRequest): Promise<null> {
    const deployed = this.#deployed.then(() => this.#deployNext(request));
    this.#deployed = deployed.catch(() => null); // Who asked for it hears of it.
    return deployed;
  }

  async #deployNext(request: DeployRequest): Promise<null> {
    const run = this.#runOf(request) ?? (await this.#succeed(request));
    run.deploy(request);
    return null;
  }

  /**
   * Whether or not the coordinator could say so, nothing of an earlier attempt goes on: its tasks have the names of the
   * next one's, and what they say would be taken for its.
   */
  async #succeed(request: DeployRequest): Promise<Executor> {
    const { job, run, reports } = this.#executor ?? {};
    if (job?.jobId === request.jobId && job.epoch > request.epoch) {
      throw staleEpochError('epoch', request.epoch, job.epoch);
    }
    reports?.close();
    await run?.stop();
    return this.#startRun(request);
  }

  /** The executor of a job begins with the job's first tasks. */
  #startRun({ jobId, epoch, ...request }: DeployRequest): Executor {
    const job: JobRef = { jobId, epoch };
    const { exchangeBytes, network, moduleFile = (file: string) => file } = this.#options;
    const module = { ...request.module, file: moduleFile(request.module.file) };
    const programRings = this.#options.programRings?.();
    const reports = new TaskReports(this.#env, {
      send: async ({ method, body }) =>
        void (await this.#call(method, { ...job, ...(body as object) })),
    });
    const speakerOf = ({ taskId, attempt }: TaskAttempt) => `${taskId} ${attempt}`;
    const run = new Executor(
      this.#env,
      { slots: this.#slots, job, module, exchangeBytes, programRings, spill: this.#spill, network },
      {
        requestSplit: async (task) => {
          return await this.#requestSplit({ ...job, ...task });
        },
        taskFinished: (body) =>
          reports.tell(speakerOf(body), { method: methods.taskFinished, body }),
        taskCheckpointed: (body) =>
          reports.tell(speakerOf(body), { method: methods.taskCheckpointed, body }),
        taskFailed: (body) => {
          this.#reportMetrics();
          reports.tell(speakerOf(body), { method: methods.taskFailed, body });
        },
        failed: (error) => {
          this.#reportMetrics();
          reports.tell('', { method: methods.jobFailed, body: { error } });
        },
      },
    );
    this.#executor = { job, run, reports };
    run.start();
    return run;
  }

  /** A split that is handed out is gone: who asks again, for the answer was lost, gets the same one. */
  async #requestSplit(request: SplitRequest): Promise<SplitAnswer> {
    const { jobId, epoch, taskId, attempt } = request;
    const idempotencyKey = `${jobId} ${epoch} ${taskId} ${attempt} ${this.#splitRequests++}`;
    const answer = await this.#call(methods.requestSplit, request, { idempotencyKey, retries: 1 });
    return answer as unknown as SplitAnswer;
  }

  #triggerCheckpoint({ jobId, epoch, ...trigger }: TriggerCheckpointRequest): null {
    this.#runOf({ jobId, epoch })?.triggerCheckpoint(trigger);
    return null;
  }

  #cancelCheckpoint(request: CancelCheckpointRequest): null {
    this.#runOf(request)?.cancelCheckpoint(request.checkpointId);
    return null;
  }

  #orderSources(request: OrderSourcesRequest): null {
    this.#runOf(request)?.orderSources(request);
    return null;
  }

  async #stopTasks(request: StopTasksRequest): Promise<null> {
    await this.#runOf(request)?.stopTasks(request);
    return null;
  }

  async #stopJob(request: StopRequest): Promise<null> {
    await this.#runOf(request)?.stop();
    if (this.#runOf(request) === null) return null;
    this.#executor?.reports.close();
    this.#executor = null;
    return null;
  }

  async #ask(request: AskRequest): Promise<JsonValue> {
    const tasks = (await this.#runOf(request)?.ask(request.question)) ?? [];
    return { tasks } satisfies AskAnswer as unknown as JsonValue;
  }

  /** The executor of that attempt of a job; others do not run here, and answering so is all there is to do. */
  #runOf({ jobId, epoch }: JobRef): Executor | null {
    const { job, run } = this.#executor ?? {};
    return run !== undefined && job?.jobId === jobId && job.epoch === epoch ? run : null;
  }

  #reportMetrics(): void {
    if (!this.#executor) return;
    const { job, run } = this.#executor;
    const tasks = run.metrics();
    if (tasks.length > 0) this.#tell(methods.metrics, { ...job, tasks });
  }

  #call(method: string, body: unknown, repeats: Partial<CallOptions> = {}): Promise<JsonValue> {
    const term = this.#term === null ? {} : { term: this.#term };
    const options = { deadlineMs: controlDeadlineMs, ...term, ...repeats };
    return this.#coordinator.call(method, body as JsonValue, options);
  }

  /** Sends what needs no answer; a coordinator that is gone or has ended the job is no news here. */
  #tell(method: string, body: unknown): void {
    this.#call(method, body).catch((error: unknown) => {
      if (codeOf(error) === 'JOB_NOT_RUNNING') return;
      this.#env.observe.event('worker.report-lost', { method, code: codeOf(error) });
    });
  }
}
