/**
 * The slots of a simulated worker: the real slot program, run inline, with a clock, a doorbell, a disk
 * and a memory for each slot.
 *
 *     executor ◀── clones, later ──▶ SlotProgram ──rings──▶ SlotProgram      one thread in truth: a
 *                                       │ bell ──the world's queue──▶ wake   slot runs until it waits
 *
 * Work takes virtual time: each look at the clock costs some, and the slot pays when it lets others
 * run. So slices end in the middle of work, slots overtake each other, and one can be slow. A slot
 * that dies is silent from then on, as a dead node is; its `ended` rejects.
 */
import type { Clock } from '../base/env/clock.ts';
import type { SyncDisk } from '../base/env/disk.ts';
import type { Env } from '../base/env/env.ts';
import type { Rng } from '../base/env/rng.ts';
import type { Doorbell, SlotRunner } from '../base/env/slot-runner.ts';
import { typedError } from '../base/typed-error.ts';
import type { Connector } from '../engine/contracts/connector.ts';
import { compileKernels } from '../engine/kernels/kernels.ts';
import type { SlotMemory } from '../engine/memory/slot-memory.ts';
import type { Task } from '../engine/task/task.ts';
import type { FromSlot, ToSlot } from '../worker/threads/slot-messages.ts';
import { SlotProgram } from '../worker/threads/slot-program.ts';
import type { TaskMaker } from '../worker/threads/task-factory.ts';
import type { CrashCause, Life } from './life.ts';
import type { SimDiskState } from './sim-disk-state.ts';
import { createSimSlotRunner, type SlotPort } from './sim-slot-runner.ts';
import { SimSyncDisk } from './sim-sync-disk.ts';
import { kernelsOf } from './slot-memory-pool.ts';
import type { World } from './world.ts';

/** No look at the clock costs more: a slice of the slowest slot takes seconds, its job minutes. */
const costMsMax = 100;
/** One that ends a slice at each look. */
const lookMsMaxDefault = 10;

export interface SimSlotsOptions {
  /** Of the life that the worker has. */
  readonly life: Life;
  readonly env: Env;
  readonly diskState: SimDiskState;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly importModule: (file: string) => Promise<unknown>;
  readonly memoryOf: (slotIndex: number, memoryBytes: number) => SlotMemory;
  /** Milliseconds that a look at the clock costs in the slowest slot, before one is slowed down. @defaultValue 10 */
  readonly lookMsMax?: number;
  /** What befalls tasks. @defaultValue nothing */
  readonly faults?: SlotFaults;
  /** As of the slot program; it is told in which slot. @defaultValue `new Task` */
  readonly makeTask?: (...task: [...Parameters<TaskMaker>, slotIndex: number]) => Task;
  /** Wrong parts in place of right ones, for tests of the judges. */
  readonly plant?: SlotPlant;
}

/** Stands between the executor and its slots (simulation/task-faults.ts). */
export interface SlotFaults {
  toSlot(message: ToSlot, slotIndex: number, answer: (message: FromSlot) => void): ToSlot;
  fromSlot(message: FromSlot, slotIndex: number): FromSlot;
}

export interface SlotPlant {
  readonly slotDisk?: (disk: SyncDisk) => SyncDisk;
  /** What the executor hears instead of a slot's message. */
  readonly fromSlot?: (message: FromSlot) => FromSlot;
}

export class SimSlots {
  readonly runner: SlotRunner;
  readonly #options: SimSlotsOptions;
  readonly #bells: SimDoorbell[] = [];
  readonly #slots: SimSlot[] = [];

  constructor(options: SimSlotsOptions) {
    this.#options = options;
    const chance = options.env.rng.stream('message ports');
    this.runner = createSimSlotRunner(options.env.timers, {
      program: (port) => this.#start(port).run(port),
      // One port may be much slower than another: what happened first need not be heard first.
      messageMsOf: () => 10 ** (chance.float() * 3 - 2),
    });
  }

  /** The thread of a slot is gone, from one moment to the next; false when it was gone already. */
  kill(slotIndex: number): boolean {
    return this.#slots[slotIndex]?.die() ?? false;
  }

  /** The thread of a slot does nothing from now on, and answers nothing; nobody is told. */
  freeze(slotIndex: number): void {
    this.#slots[slotIndex]?.freeze();
  }

  isAlive(slotIndex: number): boolean {
    return this.#slots[slotIndex]?.isAlive ?? false;
  }

  /** Work of the slot takes so many times as long from now on. */
  slowDown(slotIndex: number, by: number): void {
    this.#slots[slotIndex]?.clock.slowDown(by);
  }

  /** Takes all programs apart after the run, so that nothing holds memory any more. */
  release(): void {
    for (const slot of this.#slots) slot?.program.receive({ kind: 'stop' });
  }

  /** A doorbell, rung by any slot, or by a network beside them. */
  bellOf(index: number): Doorbell {
    this.#bells[index] ??= new SimDoorbell(this.#options.env);
    return this.#bells[index];
  }

  #start(port: SlotPort): SimSlot {
    const slot = new SimSlot(this.#options, port, (index) => this.bellOf(index));
    this.#slots[port.slotIndex] = slot;
    return slot;
  }
}

class SimSlot {
  readonly clock: WorkClock;
  readonly program: SlotProgram;
  readonly #env: Env;
  readonly #life: SlotLife;
  readonly #faults: SlotFaults | undefined;
  readonly #died = Promise.withResolvers<never>();

  constructor(options: SimSlotsOptions, port: SlotPort, bellOf: (index: number) => Doorbell) {
    const { env, diskState, plant = {}, makeTask } = options;
    const { slotIndex, memoryBytes } = port;
    this.#env = env;
    this.#faults = options.faults;
    this.#life = new SlotLife(options.life, slotIndex);
    const chance = env.rng.stream(`work of slot ${slotIndex}`);
    this.clock = new WorkClock(env.clock, chance, options.lookMsMax ?? lookMsMaxDefault);
    const disk = new SimSyncDisk(this.#life, diskState);
    const memory = options.memoryOf(slotIndex, memoryBytes);
    this.program = new SlotProgram({
      slotIndex,
      memoryBytes,
      kernels: compileKernels(),
      memory,
      kernelsOfMemory: kernelsOf(memory),
      clock: this.clock,
      disk: plant.slotDisk?.(disk) ?? disk,
      bellOf: (index) => (index === slotIndex ? this.#own(bellOf(index)) : bellOf(index)),
      connectors: options.connectors,
      importModule: options.importModule,
      timers: env.timers,
      ...(makeTask && { makeTask: (task, deployment) => makeTask(task, deployment, slotIndex) }),
      yieldToEvents: () => this.#letTimePass(),
      post: (message) => {
        if (!this.#life.isAlive) return;
        const told = this.#faults?.fromSlot(message, slotIndex) ?? message;
        if (this.#life.isAlive) port.post(plant.fromSlot?.(told) ?? told);
      },
    });
  }

  async run(port: SlotPort): Promise<void> {
    port.onMessage((message) => {
      if (!this.#life.isAlive) return;
      const told = message as ToSlot;
      const answer = (instead: FromSlot) => port.post(instead);
      const heard = this.#faults?.toSlot(told, port.slotIndex, answer) ?? told;
      if (this.#life.isAlive) this.program.receive(heard);
    });
    port.onTerminate(() => this.#life.end());
    try {
      await Promise.race([this.program.run(), this.#died.promise]);
    } catch (cause) {
      throw typedError('THREAD_DIED', `simulated slot ${port.slotIndex} died`, { cause });
    }
  }

  get isAlive(): boolean {
    return this.#life.isAlive;
  }

  die(): boolean {
    if (!this.#life.isAlive) return false;
    this.#life.end();
    this.#died.reject(new Error('a fault ended the slot'));
    return true;
  }

  freeze(): void {
    this.#life.end();
  }

  /** The slot's own bell, as the one who waits: what was worked is paid before the wait ends. */
  #own(bell: Doorbell): Doorbell {
    return {
      ring: () => bell.ring(),
      count: () => bell.count(),
      wait: async (seen) => {
        await bell.wait(seen);
        await this.#letTimePass();
      },
    };
  }

  /** Never resolves in a dead slot. */
  #letTimePass(): Promise<void> {
    return new Promise((resolve) => {
      this.#env.timers.after(this.clock.pay(), () => {
        if (this.#life.isAlive) resolve();
      });
    });
  }
}

/** The life of a slot: within its node's, and maybe shorter. */
class SlotLife implements Life {
  readonly slotIndex: number;
  readonly #life: Life;
  #hasEnded = false;

  constructor(life: Life, slotIndex: number) {
    this.#life = life;
    this.slotIndex = slotIndex;
  }

  get isAlive(): boolean {
    return !this.#hasEnded && this.#life.isAlive;
  }

  get world(): World {
    return this.#life.world;
  }

  get nodeName(): string {
    return this.#life.nodeName;
  }

  get pausedUntilMs(): number {
    return this.#life.pausedUntilMs;
  }

  end(): void {
    this.#hasEnded = true;
  }

  after(trueMs: number, fire: () => void): () => void {
    return this.#life.after(trueMs, () => {
      if (this.isAlive) fire();
    });
  }

  crashFor(downMs: number, reason: string, cause: CrashCause): void {
    this.#life.crashFor(downMs, reason, cause);
  }
}

/** The slot's clock: ahead of the node's by the work that is not paid yet. */
class WorkClock implements Clock {
  readonly #clock: Clock;
  readonly #chance: Rng;
  #costMs: number;
  #unpaidMs = 0;
  #latestMs = 0;

  constructor(clock: Clock, chance: Rng, lookMsMax: number) {
    this.#clock = clock;
    this.#chance = chance;
    // Between a look every microsecond, so that a slice is long, and a slice that ends at each look.
    this.#costMs = 10 ** (chance.float() * (Math.log10(lookMsMax) + 3) - 3);
  }

  slowDown(by: number): void {
    this.#costMs = Math.min(this.#costMs * by, costMsMax);
  }

  mono(): number {
    this.#unpaidMs += this.#chance.float() * this.#costMs;
    this.#latestMs = Math.max(this.#latestMs, this.#clock.mono() + this.#unpaidMs);
    return this.#latestMs;
  }

  wall(): number {
    return this.#clock.wall();
  }

  /** Milliseconds of work since the last time. */
  pay(): number {
    const unpaidMs = this.#unpaidMs;
    this.#unpaidMs = 0;
    return unpaidMs;
  }
}

/** A doorbell whose waiters wake through the world's queue, a little later. */
class SimDoorbell implements Doorbell {
  readonly #env: Env;
  #count = 0;
  #waiting: (() => void)[] = [];

  constructor(env: Env) {
    this.#env = env;
  }

  ring(): void {
    this.#count++;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) this.#env.timers.after(0, wake);
  }

  count(): number {
    return this.#count;
  }

  wait(seen: number): Promise<void> {
    if (seen !== this.#count) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
