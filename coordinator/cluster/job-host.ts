/**
 * The slots of a job of a cluster, as its master sees them: numbered, whatever processes they are in.
 *
 *     slot      0   1   2   3
 *     executor  a ──┘   b ──┘        a, b: processes on workers, begun with the first tasks of an attempt, ended with it
 *
 * - An attempt's first tasks wait until all slots are there. Slots of workers that are gone are asked for anew.
 * - With an executor its tasks have failed, and only these. What is deployed to its slots next waits for another one: on
 *   its worker where that lives, else on slots that the queue finds.
 * - An attempt that was stopped starts nothing, whatever it still waits for.
 *
 * Before: coordinator/job/job-master.ts. After: coordinator/cluster/executors.ts, coordinator/cluster/slot-queue.ts.
 */
import { assert } from '../../base/assert.ts';
import { toWire, typedError, type WireError } from '../../base/typed-error.ts';
import type { TaskHost } from '../job/task-host.ts';
import type {
  AskRequest,
  CancelCheckpointRequest,
  DeployRequest,
  JobRef,
  OrderSourcesRequest,
  StopTasksRequest,
  TaskAnswer,
  TriggerCheckpointRequest,
} from '../protocol.ts';
import type { Executor, Executors, ReadyExecutor } from './executors.ts';
import type { HeldSlots } from './held-slots.ts';

export interface JobHostOptions {
  readonly jobId: string;
  readonly slotCount: number;
  readonly slotMemoryBytes: number;
  /** Hash of the bundle with the job's module. */
  readonly bundle: string;
  readonly slots: HeldSlots;
  readonly executors: Pick<Executors, 'start'>;
  /** A task's process is gone. */
  readonly onTaskLost: (
    job: JobRef,
    failure: { readonly taskId: string; readonly attempt: number; readonly error: WireError },
  ) => void;
  /** An attempt has its slots. */
  readonly onBegun: (epoch: number, slots: HeldSlots) => void;
}

/** A slot of an attempt: which one of which process. */
interface Seat {
  readonly executor: Executor;
  readonly slotIndex: number;
}

/** One attempt of the job. */
interface Attempt {
  readonly epoch: number;
  readonly seats: (Seat | null)[];
  /** Task id and attempt → the process that has it. */
  readonly tasks: Map<
    string,
    { readonly taskId: string; readonly attempt: number; readonly executor: Executor }
  >;
  isStopped: boolean;
  /** Seats are filled one after the other. */
  filling: Promise<void>;
  /** What is being deployed: who tells tasks something tells it to those as well. */
  readonly deploying: Set<Promise<void>>;
}

export class JobHost implements TaskHost {
  readonly #options: JobHostOptions;
  #attempt: Attempt | null = null;

  constructor(options: JobHostOptions) {
    this.#options = options;
  }

  get slotCount(): number {
    return this.#options.slotCount;
  }

  /** Never rejects for want of a process: its tasks have failed then, and that is told. */
  async deploy(request: DeployRequest): Promise<void> {
    const attempt = this.#attemptOf(request);
    const deployed = this.#deploy(attempt, request);
    attempt.deploying.add(deployed);
    await deployed.finally(() => attempt.deploying.delete(deployed));
  }

  async #deploy(attempt: Attempt, request: DeployRequest): Promise<void> {
    await this.#fill(attempt);
    if (attempt.isStopped) return;
    const seated = Object.entries(request.slots).map(([taskId, slot]) => {
      const seat = attempt.seats[slot];
      assert(seat !== undefined, 'tasks are placed in slots of the job');
      return { taskId, seat };
    });
    for (const { taskId, seat } of seated) {
      if (seat === null) continue;
      const task = { taskId, attempt: request.attempt, executor: seat.executor };
      attempt.tasks.set(keyOf(task), task);
    }
    const ready = await this.#allReady(seated.flatMap(({ seat }) => seat ?? []));
    if (attempt.isStopped) return;
    const isWhole = seated.every(({ seat }) => seat !== null && ready.has(seat.executor));
    if (!isWhole) {
      // Those whose process is lost have been told of; the others of the region can't go without them.
      this.#failAll(attempt, request, lostBefore());
      return;
    }
    await Promise.all(
      [...ready].map(([executor, { host }]) => {
        return this.#try(executor, () => host.deploy(partOf(request, executor, { seated, ready })));
      }),
    );
  }

  async stopTasks(request: StopTasksRequest): Promise<void> {
    const attempt = this.#current(request);
    if (attempt === null) return;
    const keys = request.taskIds.map((taskId) => keyOf({ taskId, attempt: request.attempt }));
    const having = new Set(keys.flatMap((key) => attempt.tasks.get(key)?.executor ?? []));
    for (const key of keys) attempt.tasks.delete(key);
    await this.#tellAll([...having], (host) => host.stopTasks(request));
  }

  async stop(job: JobRef): Promise<void> {
    const attempt = this.#current(job);
    if (attempt === null) return;
    attempt.isStopped = true;
    attempt.tasks.clear();
    const executors = executorsOf(attempt);
    await this.#tellAll(executors, (host) => host.stop(job));
    for (const executor of executors) executor.end();
    if (this.#attempt === attempt) this.#attempt = null;
  }

  async triggerCheckpoint(request: TriggerCheckpointRequest): Promise<void> {
    await this.#tellCurrent(request, (host) => host.triggerCheckpoint(request));
  }

  async orderSources(request: OrderSourcesRequest): Promise<void> {
    await this.#tellCurrent(request, (host) => host.orderSources(request));
  }

  async cancelCheckpoint(request: CancelCheckpointRequest): Promise<void> {
    await this.#tellCurrent(request, (host) => host.cancelCheckpoint(request));
  }

  async ask(request: AskRequest): Promise<readonly TaskAnswer[]> {
    const attempt = this.#current(request);
    if (attempt === null) return [];
    const answers = await Promise.all(
      executorsOf(attempt).map(async (executor) => {
        const slotOf = (index: number) =>
          attempt.seats.findIndex(
            (seat) => seat?.executor === executor && seat.slotIndex === index,
          );
        const tasks = await this.#try(executor, async () => executor.readyNow?.host.ask(request));
        return (tasks ?? []).map((task) => ({ ...task, slotIndex: slotOf(task.slotIndex) }));
      }),
    );
    return answers.flat();
  }

  /** Ends what runs, and gives the slots back. */
  close(): void {
    const attempt = this.#attempt;
    this.#attempt = null;
    if (attempt !== null) {
      attempt.isStopped = true;
      for (const executor of executorsOf(attempt)) executor.end();
    }
    this.#options.slots.close();
  }

  /** That of a greater epoch begins with its first tasks; whatever was left of one before is ended. */
  #attemptOf({ jobId, epoch }: JobRef): Attempt {
    const current = this.#attempt;
    if (current !== null && current.epoch >= epoch) {
      assert(current.epoch === epoch, 'attempts of a job come one after the other');
      return current;
    }
    if (current !== null) void this.stop({ jobId, epoch: current.epoch });
    const { slotCount } = this.#options;
    const seats = Array.from({ length: slotCount }, () => null);
    this.#attempt = {
      ...{ epoch, seats, tasks: new Map(), isStopped: false },
      ...{ filling: Promise.resolve(), deploying: new Set() },
    };
    return this.#attempt;
  }

  #current({ epoch }: JobRef): Attempt | null {
    return this.#attempt?.epoch === epoch ? this.#attempt : null;
  }

  /** Resolves when each slot has a process that was asked for, or the attempt has been stopped. */
  #fill(attempt: Attempt): Promise<void> {
    attempt.filling = attempt.filling.then(() => this.#fillNext(attempt));
    return attempt.filling;
  }

  async #fillNext(attempt: Attempt): Promise<void> {
    const { slots, slotCount, onBegun } = this.#options;
    const isFirst = executorsOf(attempt).length === 0;
    if (attempt.isStopped || attempt.seats.every((seat) => seat !== null)) return;
    await slots.need(slotCount);
    if (attempt.isStopped) return;
    if (isFirst) onBegun(attempt.epoch, slots);
    const empty = () => attempt.seats.flatMap((seat, index) => (seat === null ? [index] : []));
    for (const { workerId, incarnation, count } of slots.byLife()) {
      const taken = attempt.seats.filter(
        (seat) => seat?.executor.workerId === workerId && seat.executor.incarnation === incarnation,
      ).length;
      const indexes = empty().slice(0, count - taken);
      if (indexes.length > 0) this.#startExecutor(attempt, { workerId, incarnation, indexes });
    }
  }

  #startExecutor(
    attempt: Attempt,
    place: {
      readonly workerId: string;
      readonly incarnation: number;
      readonly indexes: readonly number[];
    },
  ): void {
    const { jobId, slotMemoryBytes, bundle, executors } = this.#options;
    const { workerId, incarnation, indexes } = place;
    const { epoch } = attempt;
    const slots = indexes.length;
    const executor = executors.start(
      { workerId, incarnation, jobId, epoch, slots, slotMemoryBytes, bundle },
      (error) => this.#lost(attempt, executor, error),
    );
    for (const [slotIndex, index] of indexes.entries())
      attempt.seats[index] = { executor, slotIndex };
  }

  #lost(attempt: Attempt, executor: Executor, error: WireError): void {
    for (const [index, seat] of attempt.seats.entries()) {
      if (seat?.executor === executor) attempt.seats[index] = null;
    }
    const { jobId, onTaskLost } = this.#options;
    const { epoch } = attempt;
    const lost = [...attempt.tasks].filter(([, task]) => task.executor === executor);
    for (const [key] of lost) attempt.tasks.delete(key);
    if (attempt.isStopped) return;
    for (const [, task] of lost) onTaskLost({ jobId, epoch }, { ...task, error });
  }

  /** Tasks that can't be deployed, since others of their region can't. */
  #failAll(attempt: Attempt, request: DeployRequest, error: WireError): void {
    for (const taskId of Object.keys(request.slots)) {
      const task = { taskId, attempt: request.attempt };
      if (!attempt.tasks.delete(keyOf(task))) continue;
      this.#options.onTaskLost(request, { ...task, error });
    }
  }

  async #allReady(seats: readonly Seat[]): Promise<Map<Executor, ReadyExecutor>> {
    const executors = [...new Set(seats.map(({ executor }) => executor))];
    const settled = await Promise.allSettled(executors.map(({ ready }) => ready));
    const ready = new Map<Executor, ReadyExecutor>();
    for (const [index, result] of settled.entries()) {
      const executor = executors[index] as Executor;
      if (result.status === 'fulfilled' && !executor.isLost) ready.set(executor, result.value);
    }
    return ready;
  }

  async #tellCurrent(job: JobRef, tell: (host: TaskHost) => Promise<void>): Promise<void> {
    const attempt = this.#current(job);
    if (attempt === null) return;
    await Promise.allSettled(attempt.deploying);
    if (!attempt.isStopped) await this.#tellAll(executorsOf(attempt), tell);
  }

  async #tellAll(
    executors: readonly Executor[],
    tell: (host: TaskHost) => Promise<void>,
  ): Promise<void> {
    await Promise.all(
      executors.map((executor) =>
        this.#try(executor, async () => {
          // One that has not registered has no tasks.
          if (executor.readyNow !== null) await tell(executor.readyNow.host);
        }),
      ),
    );
  }

  /** Who does not do as it is told is lost, and nobody else has to suffer for it. */
  async #try<Result>(executor: Executor, work: () => Promise<Result>): Promise<Result | null> {
    try {
      return await work();
    } catch (error) {
      executor.lose(error);
      return null;
    }
  }
}

function keyOf({ taskId, attempt }: { readonly taskId: string; readonly attempt: number }): string {
  return `${taskId} ${attempt}`;
}

function executorsOf({ seats }: Attempt): readonly Executor[] {
  return [...new Set(seats.flatMap((seat) => seat?.executor ?? []))];
}

/** What one process is to run of a deployment, and where the tasks beside it are. */
function partOf(
  request: DeployRequest,
  executor: Executor,
  {
    seated,
    ready,
  }: {
    readonly seated: readonly { readonly taskId: string; readonly seat: Seat | null }[];
    readonly ready: ReadonlyMap<Executor, ReadyExecutor>;
  },
): DeployRequest {
  const slots: Record<string, number> = {};
  const elsewhere: Record<string, string> = {};
  for (const { taskId, seat } of seated) {
    assert(seat !== null, 'all tasks have their process');
    if (seat.executor === executor) slots[taskId] = seat.slotIndex;
    else elsewhere[taskId] = ready.get(seat.executor)?.exchangeAddress ?? '';
  }
  return { ...request, slots, elsewhere };
}

function lostBefore(): WireError {
  const message = 'a process of the region was lost before the task began';
  return toWire(
    typedError('EXECUTOR_LOST', message, {
      hint: 'The region is started again, with another process.',
      retryable: true,
    }),
  );
}
