/**
 * One attempt of a job of a cluster: which process each of its slots is in, and which tasks each process has.
 *
 *     slot      0   1   2   3
 *     executor  a ──┘   b ──┘        with b: slots 2 and 3 are empty, its tasks have failed; fill() has another one started
 *
 * Before: coordinator/cluster/job-host.ts. After: coordinator/cluster/executors.ts, coordinator/cluster/held-slots.ts.
 */
import { assert } from '../../base/assert.ts';
import { toWire, typedError, type WireError } from '../../base/typed-error.ts';
import type { TaskHost } from '../job/task-host.ts';
import type { OfLife } from '../protocol/members.ts';
import type {
  DeployRequest,
  JobRef,
  StopTasksRequest,
  TaskAnswer,
  TaskFailed,
} from '../protocol.ts';
import type { Executor, Executors, ReadyExecutor } from './executors.ts';
import type { HeldSlots } from './held-slots.ts';

export interface HostedJob {
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

/** A slot: which one of which process. */
interface Seat {
  readonly executor: Executor;
  readonly slotIndex: number;
}

interface HostedTask {
  readonly taskId: string;
  readonly attempt: number;
  readonly executor: Executor;
}

interface Seated {
  readonly taskId: string;
  readonly seat: Seat | null;
}

export class HostedAttempt {
  readonly epoch: number;
  readonly #job: HostedJob;
  readonly #seats: (Seat | null)[];
  readonly #tasks = new Map<string, HostedTask>();
  /** Likewise of all tasks that there were: what they have written is read when they are gone. */
  readonly #writers = new Map<string, Executor>();
  /** What is being deployed: who tells tasks something tells it to those as well. */
  readonly #deploying = new Set<Promise<void>>();
  /** Seats are filled one after the other. */
  #filling: Promise<void> = Promise.resolve();
  #hasBegun = false;
  #isStopped = false;

  constructor(job: HostedJob, epoch: number) {
    this.#job = job;
    this.epoch = epoch;
    this.#seats = Array.from({ length: job.slotCount }, () => null);
  }

  /** Never rejects for want of a process: its tasks have failed then, and that is told. */
  async deploy(request: DeployRequest): Promise<void> {
    const deployed = this.#deploy(request);
    this.#deploying.add(deployed);
    await deployed.finally(() => this.#deploying.delete(deployed));
  }

  async stopTasks(request: StopTasksRequest): Promise<void> {
    const keys = request.taskIds.map((taskId) => keyOf({ taskId, attempt: request.attempt }));
    const having = new Set(keys.flatMap((key) => this.#tasks.get(key)?.executor ?? []));
    for (const key of keys) this.#tasks.delete(key);
    await this.#tell([...having], (host) => host.stopTasks(request));
  }

  /** Tells all processes, those as well that tasks are being deployed to. */
  async tellAll(tell: (host: TaskHost) => Promise<void>): Promise<void> {
    await Promise.allSettled(this.#deploying);
    if (!this.#isStopped) await this.#tell(this.#executors(), tell);
  }

  /** Asks all processes; who does not answer has nothing to say. */
  async askAll(ask: (host: TaskHost) => Promise<readonly TaskAnswer[]>) {
    const answers = await Promise.all(
      this.#executors().map(async (executor) => {
        const slotOf = (index: number) =>
          this.#seats.findIndex((seat) => seat?.executor === executor && seat.slotIndex === index);
        const tasks = await attempted(executor, async () => {
          return executor.readyNow === null ? [] : await ask(executor.readyNow.host);
        });
        return (tasks ?? []).map((task) => ({ ...task, slotIndex: slotOf(task.slotIndex) }));
      }),
    );
    return answers.flat();
  }

  /** Of rows that did not come, the worker that they should have come from is left. */
  taskFailed({ error, ...task }: TaskFailed): void {
    if (error.code !== 'EXCHANGE_LOST' || this.#isStopped) return;
    const receiver = this.#tasks.get(keyOf(task))?.executor;
    const executors = this.#executors();
    const sender = executors.find(
      ({ readyNow }) => readyNow?.exchangeAddress === error.details?.address,
    );
    if (receiver === undefined || sender === undefined) return;
    if (receiver.workerId === sender.workerId) return;
    this.#job.slots.leave(sender.workerId);
    for (const executor of executors) executor.lose(error.message);
  }

  /** Nothing begins any more; resolves when what ran has stopped and its processes have been told to end. */
  async stop(job: JobRef): Promise<void> {
    this.#isStopped = true;
    this.#tasks.clear();
    await this.#tell(this.#executors(), (host) => host.stop(job));
    this.end();
  }

  /** The same at once, without a word to the tasks. */
  end(): void {
    this.#isStopped = true;
    for (const executor of this.#executors()) executor.end();
  }

  async #deploy(request: DeployRequest): Promise<void> {
    this.#filling = this.#filling.then(() => this.#fill());
    await this.#filling;
    if (this.#isStopped) return;
    const seated = Object.entries(request.slots).map(([taskId, slot]): Seated => {
      const seat = this.#seats[slot];
      assert(seat !== undefined, 'tasks are placed in slots of the job');
      return { taskId, seat };
    });
    for (const { taskId, seat } of seated) {
      if (seat === null) continue;
      const task = { taskId, attempt: request.attempt, executor: seat.executor };
      this.#tasks.set(keyOf(task), task);
      this.#writers.set(keyOf(task), task.executor);
    }
    const ready = await readyOf(seated.flatMap(({ seat }) => seat?.executor ?? []));
    if (this.#isStopped) return;
    if (!seated.every(({ seat }) => seat !== null && ready.has(seat.executor))) {
      // Those whose process is lost have been told of; the others of the region can't go without them.
      this.#failAll(request, lostBefore());
      return;
    }
    const whole = { ...request, inputFolders: this.#foldersOf(request) };
    await Promise.all(
      [...ready].map(([executor, { host }]) => {
        return attempted(executor, () => host.deploy(partOf(whole, executor, { seated, ready })));
      }),
    );
  }

  /** Where each map output is that is read. */
  #foldersOf({ inputs }: DeployRequest): Record<string, string> {
    const known = Object.entries(inputs).map(([taskId, attempt]) => {
      return [
        taskId,
        this.#writers.get(keyOf({ taskId, attempt }))?.readyNow?.spillFolder,
      ] as const;
    });
    return Object.fromEntries(
      known.flatMap(([taskId, folder]) => (folder ? [[taskId, folder]] : [])),
    );
  }

  /** Has processes started for empty slots, as soon as these are there. */
  async #fill(): Promise<void> {
    const { slots, slotCount, onBegun } = this.#job;
    if (this.#isStopped || this.#seats.every((seat) => seat !== null)) return;
    await slots.need(slotCount);
    if (this.#isStopped) return;
    if (!this.#hasBegun) onBegun(this.epoch, slots);
    this.#hasBegun = true;
    for (const { count, ...life } of slots.byLife()) {
      const taken = this.#seats.filter((seat) => seat !== null && isOf(seat.executor, life)).length;
      const empty = this.#seats.flatMap((seat, index) => (seat === null ? [index] : []));
      this.#start(life, empty.slice(0, count - taken));
    }
  }

  #start({ workerId, incarnation }: OfLife, indexes: readonly number[]): void {
    if (indexes.length === 0) return;
    const { jobId, slotMemoryBytes, bundle, executors } = this.#job;
    const place = { workerId, incarnation, jobId, epoch: this.epoch, slots: indexes.length };
    const executor = executors.start({ ...place, slotMemoryBytes, bundle }, (error) =>
      this.#lost(executor, error),
    );
    for (const [slotIndex, index] of indexes.entries())
      this.#seats[index] = { executor, slotIndex };
  }

  #lost(executor: Executor, error: WireError): void {
    for (const [index, seat] of this.#seats.entries()) {
      if (seat?.executor === executor) this.#seats[index] = null;
    }
    const lost = [...this.#tasks].filter(([, task]) => task.executor === executor);
    for (const [key] of lost) this.#tasks.delete(key);
    if (this.#isStopped) return;
    for (const [, { taskId, attempt }] of lost) this.#fail({ taskId, attempt, error });
  }

  /** Tasks that can't be deployed, since others of their region can't. */
  #failAll({ slots, attempt }: DeployRequest, error: WireError): void {
    for (const taskId of Object.keys(slots)) {
      if (this.#tasks.delete(keyOf({ taskId, attempt }))) this.#fail({ taskId, attempt, error });
    }
  }

  #fail(failure: Parameters<HostedJob['onTaskLost']>[1]): void {
    const { jobId, onTaskLost } = this.#job;
    onTaskLost({ jobId, epoch: this.epoch }, failure);
  }

  #executors(): readonly Executor[] {
    return [...new Set(this.#seats.flatMap((seat) => seat?.executor ?? []))];
  }

  async #tell(
    executors: readonly Executor[],
    tell: (host: TaskHost) => Promise<void>,
  ): Promise<void> {
    await Promise.all(
      executors.map((executor) =>
        attempted(executor, async () => {
          // One that has not registered has no tasks.
          if (executor.readyNow !== null) await tell(executor.readyNow.host);
        }),
      ),
    );
  }
}

/** Who does not do as it is told is lost, and nobody else has to suffer for it. */
async function attempted<Result>(
  executor: Executor,
  work: () => Promise<Result>,
): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    executor.lose(error);
    return null;
  }
}

async function readyOf(all: readonly Executor[]): Promise<Map<Executor, ReadyExecutor>> {
  const executors = [...new Set(all)];
  const settled = await Promise.allSettled(executors.map(({ ready }) => ready));
  const ready = new Map<Executor, ReadyExecutor>();
  for (const [index, result] of settled.entries()) {
    const executor = executors[index] as Executor;
    if (result.status === 'fulfilled' && !executor.isLost) ready.set(executor, result.value);
  }
  return ready;
}

function isOf(executor: Executor, { workerId, incarnation }: OfLife): boolean {
  return executor.workerId === workerId && executor.incarnation === incarnation;
}

function keyOf({ taskId, attempt }: { readonly taskId: string; readonly attempt: number }): string {
  return `${taskId} ${attempt}`;
}

/** What one process is to run of a deployment, and where the tasks beside it are. */
function partOf(
  request: DeployRequest,
  executor: Executor,
  {
    seated,
    ready,
  }: {
    readonly seated: readonly Seated[];
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
