/**
 * One run of a job on a simulated node: coordinator, worker and slots, wired together as the command
 * line does it, from submission to the job's outcome. The node may go down in the middle of it.
 */

import { assert } from '../base/assert.ts';
import type { Disk } from '../base/env/disk.ts';
import type { Env } from '../base/env/env.ts';
import type { AdaptiveOptions } from '../coordinator/adaptive/adaptive-options.ts';
import { type CoordinatorHandle, startCoordinator } from '../coordinator/coordinator-service.ts';
import type { JobHandle } from '../coordinator/job/job-handle.ts';
import type { JobOutcome } from '../coordinator/job/job-outcome.ts';
import type { stepJob } from '../coordinator/job/job-state.ts';
import { createMemoryRegister } from '../coordinator/lease/memory-register.ts';
import type { Shuffle } from '../coordinator/planner/plan-step.ts';
import { planJob } from '../coordinator/planner/planner.ts';
import { buildJob, fingerprintOf } from '../engine/api/build-job.ts';
import type { Connector } from '../engine/contracts/connector.ts';
import type { SlotMemory } from '../engine/memory/slot-memory.ts';
import { startWorker, type WorkerHandle } from '../worker/worker.ts';
import type { SimNode } from './sim-node.ts';
import { SimSlots, type SlotPlant } from './sim-slots.ts';
import { giveSlotMemory, takeSlotMemory } from './slot-memory-pool.ts';
import { type TaskFault, TaskFaults } from './task-faults.ts';
import type { WordJob } from './word-job.ts';

/** Wrong parts in place of right ones: how tests show that the judges would notice. */
export interface JobPlant extends SlotPlant {
  readonly disk?: (disk: Disk) => Disk;
  readonly connector?: (connector: Connector) => Connector;
  readonly step?: typeof stepJob;
}

export interface JobRunOptions {
  readonly node: SimNode;
  readonly job: Pick<WordJob, 'definition' | 'connectors'>;
  readonly slotCount: number;
  readonly parallelism: number;
  readonly shuffle: Shuffle;
  readonly adaptive: AdaptiveOptions | null;
  /** Of tasks; those that come true are taken out. */
  readonly faults: Set<TaskFault>;
  readonly plant: JobPlant;
  readonly onState: (state: string) => void;
}

/** What a job needs at most; a run that needs more fails with MEMORY_EXHAUSTED. */
const slotMemoryBytes = 24 << 20;
/** The smallest rings there are: they fill up, and a thousand seeds fit in memory. */
const exchangeBytes = 1;
/** Where spill files and map outputs go. */
export const spillFolder = '/node/spill';
const noFlags = Object.freeze({ overwrite: false });

export class JobRun {
  /** States of the job as it went through them. */
  readonly states: string[] = [];
  /** Disk calls that had failed when the job began to stop, and when its clean-up gave up. */
  failuresAtStop = 0;
  failuresAtGivenUp: number | null = null;
  leak: string | null = null;
  hasDeadSlot = false;
  /** Whether spill files could not be removed. */
  hasLeftSpill = false;
  wasCancelled = false;
  readonly #options: JobRunOptions;
  readonly #env: Env;
  readonly #slots: SimSlots;
  readonly #faults: TaskFaults;
  readonly #memories: SlotMemory[] = [];
  #coordinator: CoordinatorHandle | null = null;
  #worker: WorkerHandle | null = null;
  #job: JobHandle | null = null;

  constructor(env: Env, options: JobRunOptions) {
    const { node, job, parallelism, shuffle, plant } = options;
    assert(node.incarnation !== null, 'a run is made by the program of a node that is up');
    this.#options = options;
    this.#env = this.#observed({ ...env, disk: plant.disk?.(env.disk) ?? env.disk });
    const { graph } = buildJob(job.definition, {}, noFlags);
    this.#faults = new TaskFaults({
      faults: options.faults,
      graph: planJob(graph, { parallelism, shuffle }),
      diskState: node.diskState,
      slowSlot: (slotIndex, by) => this.#slots.slowDown(slotIndex, by),
      killSlot: (slotIndex) => this.killSlot(slotIndex),
      freezeSlot: (slotIndex) => this.#slots.freeze(slotIndex),
    });
    this.#slots = new SimSlots({
      faults: this.#faults,
      life: node.incarnation,
      env: this.#env,
      diskState: node.diskState,
      connectors: this.#connectors(),
      importModule: () => Promise.resolve({ default: job.definition }),
      memoryOf: (slotIndex, memoryBytes) => {
        const memory = takeSlotMemory(memoryBytes);
        this.#memories[slotIndex] = memory;
        return memory;
      },
      plant,
    });
  }

  async outcome(): Promise<JobOutcome> {
    const { node, job, parallelism, shuffle, adaptive, slotCount, plant } = this.#options;
    const coordinatorAddress = `${node.name}:7000`;
    this.#coordinator = await startCoordinator(this.#env, {
      address: coordinatorAddress,
      nodeId: node.name,
      register: createMemoryRegister(),
      connectors: this.#connectors(),
      ...(plant.step !== undefined && { step: plant.step }),
    });
    this.#worker = await startWorker(this.#env, {
      workerId: node.name,
      address: `${node.name}:7001`,
      coordinatorAddress,
      slotCount,
      slotMemoryBytes,
      spillDir: spillFolder,
      runner: this.#slots.runner,
      exchangeBytes,
    });
    const { graph } = buildJob(job.definition, {}, noFlags);
    const fingerprint = fingerprintOf(graph);
    const module = { file: 'job.ts', params: {}, flags: noFlags, fingerprint };
    this.#job = await this.#coordinator.submit({ graph, parallelism, shuffle, adaptive, module });
    if (this.wasCancelled) this.#job.cancel('a fault');
    return await this.#job.done;
  }

  /** How many faults of tasks have come true. */
  get faultCount(): number {
    return this.#faults.hitCount;
  }

  async stop(): Promise<void> {
    await this.#worker?.stop();
    await this.#coordinator?.stop();
  }

  cancel(): void {
    this.wasCancelled = true;
    this.#job?.cancel('a fault');
  }

  killSlot(slotIndex: number): void {
    if (this.#slots.kill(slotIndex)) this.hasDeadSlot = true;
  }

  slowSlot(slotIndex: number, by: number): void {
    this.#slots.slowDown(slotIndex, by);
  }

  /** Who holds memory in slots that live; null when it is all released. */
  heldMemory(): string | null {
    for (const [slotIndex, memory] of this.#memories.entries()) {
      if (memory === undefined || !this.#slots.isAlive(slotIndex) || memory.usedBytes === 0)
        continue;
      const holders = memory.holders().map(({ owner, bytes }) => `${owner}: ${bytes} bytes`);
      return `slot ${slotIndex}: ${holders.join(', ')}`;
    }
    return this.leak;
  }

  /** Once the node's life is over: takes apart what is left of it, and gives the memories back. */
  release(): void {
    this.#slots.release();
    for (const memory of this.#memories.splice(0)) if (memory !== undefined) giveSlotMemory(memory);
  }

  #connectors(): ReadonlyMap<string, Connector> {
    const { job, plant } = this.#options;
    if (plant.connector === undefined) return job.connectors;
    const { connector: replace } = plant;
    return new Map([...job.connectors].map(([name, connector]) => [name, replace(connector)]));
  }

  #enter(state: string): void {
    this.states.push(state);
    if (state === 'stopping') this.failuresAtStop = this.#options.node.diskState.failures.length;
    this.#options.onState(state);
  }

  /** The environment with an ear for what the roles report about themselves. */
  #observed(env: Env): Env {
    const { diskState } = this.#options.node;
    return {
      ...env,
      observe: {
        event: (name, fields) => {
          env.observe.event(name, fields);
          if (name === 'job.state') this.#enter(String(fields?.state));
          if (name === 'slot.memory-leak') this.leak = String(fields?.leak);
          if (name === 'job.cleanup-failed') this.failuresAtGivenUp = diskState.failures.length;
          if (name === 'spill.cleanup-failed') this.hasLeftSpill = true;
        },
      },
    };
  }
}
