/**
 * What a slot thread does: a cooperative loop over the tasks it hosts.
 *
 *     ┌─▶ run every task for a slice ──all idle──▶ spin a little ──▶ wait for the doorbell ─┐
 *     │        └─ every few ms: let the event loop answer the control port                │
 *     └─────────────────────────────────────────────────────────────────────────────────┘
 *
 * The count of rings is taken before the tasks look for work, so a ring in between is never slept
 * through. A message rings the thread's own bell. The wait has no timeout, for timeouts pile up: where a task
 * wants to be woken by the clock, one timer rings the bell, and is cancelled when another comes first.
 *
 * A task that fails is closed and told of; the others go on until somebody decides otherwise.
 *
 * Before: worker/threads/slot-thread.ts. After: engine/task/task.ts.
 */
import type { Clock } from '../../base/env/clock.ts';
import type { SyncDisk } from '../../base/env/disk.ts';
import type { Doorbell } from '../../base/env/slot-runner.ts';
import type { Timers } from '../../base/env/timers.ts';
import { toWire } from '../../base/typed-error.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import { instantiateKernels, type Kernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Task } from '../../engine/task/task.ts';
import { JobFunctions } from './job-functions.ts';
import type { FromSlot, SlotStart, TaskAttempt, TaskDeployment, ToSlot } from './slot-messages.ts';
import { answerOf } from './task-answer.ts';
import { buildTask, type SlotResources, type TaskMaker } from './task-factory.ts';

/** How long tasks run before the control port is answered. */
const controlIntervalMs = 5;
/** Looks at the doorbell before going to sleep: about 10 µs. */
const spinsMax = 200;

export interface SlotProgramOptions extends Omit<SlotStart, 'doorbells'> {
  readonly clock: Clock;
  readonly disk: SyncDisk;
  readonly bellOf: (index: number) => Doorbell;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly importModule: (file: string) => Promise<unknown>;
  /** The slot's private memory. @defaultValue a new one of `memoryBytes` */
  readonly memory?: SlotMemory;
  /** Kernels over that memory, where there are some. @defaultValue new ones, of `kernels` */
  readonly kernelsOfMemory?: Kernels;
  readonly timers: Pick<Timers, 'after'>;
  readonly yieldToEvents: () => Promise<void>;
  readonly post: (message: FromSlot) => void;
  /** Makes a task of all that it is given; simulations look at what goes in and out of it. @defaultValue `new Task` */
  readonly makeTask?: TaskMaker;
}

const never = Number.POSITIVE_INFINITY;

interface Hosted extends TaskAttempt {
  readonly task: Task;
  /** Whether it has asked for a split and not got an answer. */
  hasAsked: boolean;
}

interface Deployment {
  tasks: readonly TaskDeployment[];
  /** What its sources were told meanwhile, in this order. */
  readonly orders: SourceOrder[];
}

/** What the tasks with a source are told. */
type SourceOrder = Extract<ToSlot, { kind: 'checkpoint' | 'orderSources' }>;

export class SlotProgram {
  readonly #options: SlotProgramOptions;
  readonly #bell: Doorbell;
  readonly #memory: SlotMemory;
  readonly #kernels: Kernels;
  readonly #functions: JobFunctions;
  #tasks: Hosted[] = [];
  /** Deployments whose functions are being loaded; who is no longer here is not wanted any more. */
  #loading: Deployment[] = [];

  constructor(options: SlotProgramOptions) {
    this.#options = options;
    this.#bell = options.bellOf(options.slotIndex);
    this.#memory = options.memory ?? new SlotMemory({ budgetBytes: options.memoryBytes });
    const { kernelsOfMemory } = options;
    this.#kernels = kernelsOfMemory ?? instantiateKernels(this.#memory.memory, options.kernels);
    this.#functions = new JobFunctions(options.importModule);
  }

  receive(message: ToSlot): void {
    switch (message.kind) {
      case 'deploy':
        this.#deploy(message).catch((error) => {
          this.#options.post({ kind: 'failed', error: toWire(error) });
        });
        break;
      case 'split':
        this.#offerSplit(message);
        break;
      case 'stopTasks': {
        const { attempt, taskIds } = message;
        this.#close((task) => task.attempt === attempt && taskIds.includes(task.taskId));
        this.#options.post({ kind: 'tasksStopped', attempt, taskIds });
        break;
      }
      case 'ask': {
        const { requestId, question } = message;
        const tasks = this.#tasks.map((hosted) => answerOf(hosted, question));
        this.#options.post({ kind: 'answered', requestId, tasks });
        return; // Nothing to do for the tasks.
      }
      case 'checkpoint':
      case 'orderSources':
        for (const { task } of this.#tasks) tellSource(task, message);
        for (const { orders } of this.#loading) orders.push(message);
        break;
      case 'cancelCheckpoint':
        for (const { task } of this.#tasks) task.cancelCheckpoint(message.checkpointId);
        break;
      case 'stop':
        this.#close(() => true);
        this.#functions.forget();
        this.#options.post({ kind: 'stopped', leak: this.#leak() });
        break;
    }
    this.#bell.ring();
  }

  /** Never resolves: the thread ends with its pool. */
  async run(): Promise<never> {
    const { clock, yieldToEvents } = this.#options;
    let yieldedAt = clock.mono();
    for (;;) {
      const seen = this.#bell.count();
      if (this.#runTasks()) {
        if (clock.mono() - yieldedAt < controlIntervalMs) continue;
        await yieldToEvents();
      } else if (!this.#spin(seen)) {
        await this.#sleep(seen);
        // A thread woken again and again by its rings would never get to its messages.
        await yieldToEvents();
      } else continue;
      yieldedAt = clock.mono();
    }
  }

  async #deploy(message: Extract<ToSlot, { kind: 'deploy' }>): Promise<void> {
    const loading: Deployment = { tasks: message.tasks, orders: [] };
    this.#loading.push(loading);
    const functions = await this.#functions.load(message.module, message.tasks);
    this.#loading = this.#loading.filter((other) => other !== loading);
    const { disk, clock, bellOf, connectors, timers } = this.#options;
    const { spillFolder, slotCount } = message;
    const memory = this.#memory;
    const resources = {
      memory,
      kernels: this.#kernels,
      ...{ disk, clock, bellOf, connectors, timers, functions, spillFolder, slotCount },
      ring: () => this.#bell.ring(),
    };
    for (const deployment of loading.tasks) this.#start(deployment, resources, loading.orders);
    this.#bell.ring();
  }

  #start(
    deployment: TaskDeployment,
    resources: SlotResources,
    orders: readonly SourceOrder[],
  ): void {
    const { taskId, attempt } = deployment;
    try {
      const task = buildTask(deployment, resources, this.#options.makeTask);
      for (const order of orders) tellSource(task, order);
      this.#tasks.push({ taskId, attempt, task, hasAsked: false });
    } catch (error) {
      this.#options.post({ kind: 'taskFailed', taskId, attempt, error: toWire(error) });
    }
  }

  /** Gives every task one slice; whether any of them did something. */
  #runTasks(): boolean {
    let isBusy = false;
    for (const hosted of this.#tasks) {
      const { task } = hosted;
      try {
        const outcome = task.run();
        this.#tellCheckpoints(hosted);
        if (outcome === 'done') this.#finish(hosted);
        else if (task.wantsSplit) this.#askForSplit(hosted);
        if (outcome !== 'idle') isBusy = true;
      } catch (error) {
        const { taskId, attempt } = hosted;
        this.#close((other) => other === hosted);
        this.#options.post({ kind: 'taskFailed', taskId, attempt, error: toWire(error) });
        isBusy = true;
      }
    }
    return isBusy;
  }

  #tellCheckpoints({ taskId, attempt, task }: Hosted): void {
    for (let report = task.takeCheckpoint(); report !== null; report = task.takeCheckpoint()) {
      this.#options.post({ kind: 'checkpointed', taskId, attempt, report });
    }
  }

  /** Until the bell rings, or the clock says that a task has something to do. */
  async #sleep(seen: number): Promise<void> {
    const { clock, timers } = this.#options;
    const delayMs = this.#wakeAtMs() - clock.mono();
    if (delayMs <= 0) return;
    const cancel = delayMs < never ? timers.after(delayMs, () => this.#bell.ring()) : null;
    await this.#bell.wait(seen);
    cancel?.();
  }

  /** When a task has something to do though nobody rings. */
  #wakeAtMs(): number {
    return this.#tasks.reduce((earliest, { task }) => Math.min(earliest, task.wakeAtMs), never);
  }

  #askForSplit(hosted: Hosted): void {
    if (hosted.hasAsked) return;
    hosted.hasAsked = true;
    const { taskId, attempt } = hosted;
    this.#options.post({ kind: 'wantSplit', taskId, attempt });
  }

  #offerSplit({ taskId, attempt, split }: Extract<ToSlot, { kind: 'split' }>): void {
    const isMeant = (one: Hosted) => one.taskId === taskId && one.attempt === attempt;
    const hosted = this.#tasks.find(isMeant);
    if (hosted === undefined) return; // It has ended.
    hosted.hasAsked = split === 'later';
    hosted.task.offerSplit(split);
  }

  #finish(hosted: Hosted): void {
    const { taskId, attempt, task } = hosted;
    const { commit: write, counts, notedRows, partitionBytes, sourceSnapshot: source } = task;
    task.close();
    this.#tasks = this.#tasks.filter((other) => other !== hosted);
    const told = { write, counts, notedRows, partitionBytes, source };
    this.#options.post({ kind: 'taskFinished', taskId, attempt, ...told });
  }

  /** Closes tasks, and drops those that are not there yet. */
  #close(isMeant: (task: TaskAttempt) => boolean): void {
    const closing = this.#tasks.filter(isMeant);
    this.#tasks = this.#tasks.filter((task) => !isMeant(task));
    for (const loading of this.#loading) {
      loading.tasks = loading.tasks.filter((task) => !isMeant(task));
    }
    for (const { task } of closing) {
      try {
        task.close();
      } catch {
        // The tasks end for a reason that is known already; a file that does not close adds nothing.
      }
    }
  }

  #leak(): string | null {
    const holders = this.#memory.holders();
    if (holders.length === 0) return null;
    return holders.map(({ owner, bytes }) => `${owner}: ${bytes} bytes`).join(', ');
  }

  #spin(seen: number): boolean {
    for (let spin = 0; spin < spinsMax; spin++) {
      if (this.#bell.count() !== seen) return true;
    }
    return false;
  }
}

function tellSource(task: Task, message: SourceOrder): void {
  if (message.kind === 'checkpoint') {
    const { kind: _, ...trigger } = message;
    task.triggerCheckpoint(trigger);
  } else if (message.order === 'goOn') task.goOn();
  else task.drain();
}
