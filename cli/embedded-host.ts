/**
 * Coordinator and worker roles in this process, over an in-memory net, with slot threads beside them: what jobs
 * run on. One job at a time; the next one finds the threads warm, with all that they have loaded and compiled.
 *
 * Before: cli/embedded.ts. After: coordinator/coordinator-service.ts, worker/worker.ts.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Env } from '../base/env/env.ts';
import { typedError } from '../base/typed-error.ts';
import { formatBytes } from '../base/units.ts';
import { connectors } from '../connectors/registry.ts';
import type { JobSubmission, NewSlots } from '../coordinator/coordinator.ts';
import { type CoordinatorHandle, startCoordinator } from '../coordinator/coordinator-service.ts';
import type { JobHandle } from '../coordinator/job/job-handle.ts';
import { createMemoryRegister } from '../coordinator/lease/memory-register.ts';
import { PiscinaSlotRunner } from '../worker/threads/piscina-slot-runner.ts';
import type { RingDescriptor } from '../worker/threads/slot-messages.ts';
import { startWorker, type WorkerHandle } from '../worker/worker.ts';
import { slotBytesMax, slotBytesMin } from './engine-flags.ts';

const coordinatorAddress = 'memory:coordinator';

export interface HostOptions {
  readonly parallelism: number;
  /** For all slots together. */
  readonly memoryBytes: number;
  /** Where spill files go. @defaultValue a folder of this user's below the system's for temporary files */
  readonly spillDir?: string;
}

export class EmbeddedHost {
  /** Of the threads that jobs begin with. */
  readonly runner: PiscinaSlotRunner;
  readonly #env: Env;
  readonly #options: HostOptions;
  #roles: Promise<{ readonly coordinator: CoordinatorHandle; worker: WorkerHandle }> | null = null;
  #workerCount = 0;
  #rings: Readonly<Record<string, RingDescriptor>> = {};

  /** @param runner - Has one slot per unit of parallelism; it is closed with the host. */
  constructor(env: Env, options: HostOptions, runner = new PiscinaSlotRunner(options.parallelism)) {
    this.#env = env;
    this.#options = options;
    this.runner = runner;
  }

  /** @param rings - To the program that runs the job: operator id → its ring. */
  async submit(
    submission: JobSubmission,
    rings: Readonly<Record<string, RingDescriptor>>,
  ): Promise<JobHandle> {
    this.#rings = rings;
    this.#roles ??= this.#startRoles();
    const { coordinator } = await this.#roles;
    return coordinator.submit(submission);
  }

  async close(): Promise<void> {
    try {
      const roles = await this.#roles;
      await roles?.worker.stop();
      await roles?.coordinator.stop();
    } finally {
      await this.runner.close();
    }
  }

  async #startRoles() {
    const { parallelism } = this.#options;
    const coordinator = await startCoordinator(this.#env, {
      address: coordinatorAddress,
      nodeId: 'embedded',
      register: createMemoryRegister(),
      connectors,
      newSlots: (slotCount) => this.#newSlots(slotCount),
    });
    return { coordinator, worker: await this.#startWorker(parallelism, this.runner) };
  }

  #startWorker(slotCount: number, runner: PiscinaSlotRunner): Promise<WorkerHandle> {
    const { memoryBytes, spillDir = spillDirDefault() } = this.#options;
    const name = `embedded-${++this.#workerCount}`;
    return startWorker(this.#env, {
      ...{ workerId: name, address: `memory:${name}`, coordinatorAddress, slotCount, runner },
      slotMemoryBytes: Math.min(slotBytesMax, Math.floor(memoryBytes / slotCount)),
      spillDir,
      programRings: () => this.#rings,
    });
  }

  /** Another worker, which takes over the memory and the name of the one that is there when jobs run on it. */
  async #newSlots(slotCount: number): Promise<NewSlots> {
    checkMemory(this.#options.memoryBytes, slotCount);
    const worker = await this.#startWorker(slotCount, new PiscinaSlotRunner(slotCount));
    return {
      keep: async () => {
        const roles = await this.#roles;
        const old = roles?.worker;
        if (roles !== null) roles.worker = worker;
        await old?.stop();
      },
      drop: () => worker.stop(),
    };
  }
}

/** @throws RESCALE_REFUSED */
function checkMemory(memoryBytes: number, slotCount: number): void {
  if (memoryBytes >= slotCount * slotBytesMin) return;
  const message = `the job keeps its parallelism: ${formatBytes(memoryBytes)} is too little for ${slotCount} slots`;
  throw typedError('RESCALE_REFUSED', message, {
    hint: `Each needs at least ${formatBytes(slotBytesMin)}: stop the job, and start it again with a larger --memory.`,
  });
}

/** Users of a machine share its folder for temporary files, and may not write into each other's. */
function spillDirDefault(): string {
  return join(tmpdir(), `millrace-spill-${process.getuid?.() ?? 'files'}`);
}
