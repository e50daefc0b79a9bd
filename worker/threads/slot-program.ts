/**
 * What a slot thread does: a cooperative loop over the tasks it hosts.
 *
 *     ┌─▶ run every task for a slice ──all idle──▶ spin a little ──▶ wait for the doorbell ─┐
 *     │        └─ every few ms: let the event loop answer the control port                │
 *     └─────────────────────────────────────────────────────────────────────────────────┘
 *
 * The count of rings is taken before the tasks look for work, so a ring in between is never slept
 * through. A message rings the thread's own bell. The wait has no timeout: timeouts pile up.
 *
 * The first error ends all tasks of the slot and is sent once; the executor decides what follows.
 *
 * Before: worker/threads/slot-thread.ts. After: engine/task/task.ts.
 */
import type { Clock } from '../../base/env/clock.ts';
import type { SyncDisk } from '../../base/env/disk.ts';
import type { Doorbell } from '../../base/env/slot-runner.ts';
import { toWire } from '../../base/typed-error.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import { instantiateKernels, type Kernels } from '../../engine/kernels/kernels.ts';
import { MemoryShare } from '../../engine/memory/memory-share.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { gathersRows } from '../../engine/plan/physical-graph.ts';
import type { Task } from '../../engine/task/task.ts';
import { loadFunctions } from './job-functions.ts';
import type { FromSlot, SlotStart, ToSlot } from './slot-messages.ts';
import { buildTask } from './task-factory.ts';

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
  readonly yieldToEvents: () => Promise<void>;
  readonly post: (message: FromSlot) => void;
}

export class SlotProgram {
  readonly #options: SlotProgramOptions;
  readonly #bell: Doorbell;
  readonly #memory: SlotMemory;
  readonly #kernels: Kernels;
  #tasks: Task[] = [];
  /** Task ids that have asked for a split and not got an answer. */
  readonly #asked = new Set<string>();
  /** Grows with every stop, so that a deployment that is still loading is dropped. */
  #attempt = 0;

  constructor(options: SlotProgramOptions) {
    this.#options = options;
    this.#bell = options.bellOf(options.slotIndex);
    this.#memory = options.memory ?? new SlotMemory({ budgetBytes: options.memoryBytes });
    this.#kernels = instantiateKernels(this.#memory.memory, options.kernels);
  }

  receive(message: ToSlot): void {
    switch (message.kind) {
      case 'deploy':
        this.#deploy(message).catch((error) => this.#fail('', error));
        break;
      case 'split':
        this.#asked.delete(message.taskId);
        this.#tasks.find((task) => task.id === message.taskId)?.offerSplit(message.split);
        break;
      case 'stop':
        this.#attempt++;
        this.#closeTasks();
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
        await this.#bell.wait(seen);
        // A thread woken again and again by its rings would never get to its messages.
        await yieldToEvents();
      } else continue;
      yieldedAt = clock.mono();
    }
  }

  async #deploy(message: Extract<ToSlot, { kind: 'deploy' }>): Promise<void> {
    const attempt = ++this.#attempt;
    const { importModule } = this.#options;
    const functions = await loadFunctions(importModule, message.module, message.tasks);
    if (attempt !== this.#attempt) return;
    const { disk, clock, bellOf, connectors } = this.#options;
    const { tasks, spillFolder, slotCount } = message;
    const memory = this.#memory;
    const gatherers = tasks.flatMap(({ vertex }) => vertex.chain.filter(gathersRows)).length;
    const resources = {
      memory,
      kernels: this.#kernels,
      memoryShare: new MemoryShare({ budgetBytes: memory.budgetBytes, gatherers, slotCount }),
      ...{ disk, clock, bellOf, connectors, functions, spillFolder },
    };
    for (const deployment of tasks) this.#tasks.push(buildTask(deployment, resources));
    this.#bell.ring();
  }

  /** Gives every task one slice; whether any of them did something. */
  #runTasks(): boolean {
    let isBusy = false;
    for (const task of this.#tasks) {
      try {
        const outcome = task.run();
        if (outcome === 'done') this.#finish(task);
        else if (task.wantsSplit) this.#askForSplit(task.id);
        if (outcome !== 'idle') isBusy = true;
      } catch (error) {
        this.#fail(task.id, error);
        return true;
      }
    }
    return isBusy;
  }

  #askForSplit(taskId: string): void {
    if (this.#asked.has(taskId)) return;
    this.#asked.add(taskId);
    this.#options.post({ kind: 'wantSplit', taskId });
  }

  #finish(task: Task): void {
    const write = task.commit;
    task.close();
    this.#tasks = this.#tasks.filter((other) => other !== task);
    this.#options.post({ kind: 'taskFinished', taskId: task.id, write });
  }

  #fail(taskId: string, error: unknown): void {
    this.#closeTasks();
    this.#options.post({ kind: 'failed', taskId, error: toWire(error) });
  }

  #closeTasks(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    this.#asked.clear();
    for (const task of tasks) {
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
