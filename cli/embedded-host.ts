/**
 * Coordinator and worker roles in this process, over an in-memory net, with slot threads beside them: what jobs
 * run on. One job at a time; the next one finds the threads warm, with all that they have loaded and compiled.
 *
 * Before: cli/embedded.ts. After: coordinator/coordinator-service.ts, worker/worker.ts.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Env } from '../base/env/env.ts';
import { connectors } from '../connectors/registry.ts';
import type { JobSubmission } from '../coordinator/coordinator.ts';
import { type CoordinatorHandle, startCoordinator } from '../coordinator/coordinator-service.ts';
import type { JobHandle } from '../coordinator/job/job-handle.ts';
import { createMemoryRegister } from '../coordinator/lease/memory-register.ts';
import { PiscinaSlotRunner } from '../worker/threads/piscina-slot-runner.ts';
import type { RingDescriptor } from '../worker/threads/slot-messages.ts';
import { startWorker, type WorkerHandle } from '../worker/worker.ts';

const coordinatorAddress = 'memory:coordinator';
const workerAddress = 'memory:worker';

export interface HostOptions {
  readonly parallelism: number;
  /** For all slots together. */
  readonly memoryBytes: number;
  /** Where spill files go. @defaultValue a folder of this user's below the system's for temporary files */
  readonly spillDir?: string;
}

export class EmbeddedHost {
  readonly runner: PiscinaSlotRunner;
  readonly #env: Env;
  readonly #options: HostOptions;
  #roles: Promise<{
    readonly coordinator: CoordinatorHandle;
    readonly worker: WorkerHandle;
  }> | null = null;
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
    const { parallelism, memoryBytes, spillDir = spillDirDefault() } = this.#options;
    const coordinator = await startCoordinator(this.#env, {
      address: coordinatorAddress,
      nodeId: 'embedded',
      register: createMemoryRegister(),
      connectors,
    });
    const worker = await startWorker(this.#env, {
      workerId: 'embedded',
      address: workerAddress,
      coordinatorAddress,
      slotCount: parallelism,
      slotMemoryBytes: Math.floor(memoryBytes / parallelism),
      spillDir,
      runner: this.runner,
      programRings: () => this.#rings,
    });
    return { coordinator, worker };
  }
}

/** Users of a machine share its folder for temporary files, and may not write into each other's. */
function spillDirDefault(): string {
  return join(tmpdir(), `millrace-spill-${process.getuid?.() ?? 'files'}`);
}
