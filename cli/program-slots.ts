/**
 * Slot threads that stay: a program that runs many jobs pays for their start once, and for what they load and
 * compile. Jobs run one after the other, in the order in which they were asked for.
 *
 * A job that fails or is cancelled may leave threads behind that do not answer: the next one gets new threads.
 *
 * Before: the user's program. After: cli/program-job.ts, cli/embedded-host.ts.
 */
import { createRealEnv } from '../base/env/real-env.ts';
import { typedError } from '../base/typed-error.ts';
import type { JobDefinition } from '../engine/api/define-job.ts';
import { startOn } from './embedded.ts';
import { EmbeddedHost } from './embedded-host.ts';
import {
  type JobSettings,
  type RunResult,
  runWith,
  type SlotSettings,
  slotsOf,
} from './program-job.ts';

/** Slot threads of a program, for any number of jobs. */
export interface Slots {
  /**
   * Runs a job to its end, behind those that were asked for before.
   *
   * @throws as `run` does; PROGRAM_SLOTS_CLOSED
   */
  run(job: JobDefinition | URL | string, settings?: JobSettings): Promise<RunResult>;
  /** Waits for the jobs that were asked for, and ends the threads. */
  close(): Promise<void>;
}

/**
 * Starts slot threads that stay until they are closed. `run` does for one job what this does for many.
 *
 * @example
 * ```ts
 * import { defineJob, t } from 'millrace';
 * import { memory } from 'millrace/memory';
 * import { openSlots } from 'millrace/run';
 *
 * const Item = t.struct({ price: t.int32() });
 * const job = defineJob({
 *   name: 'dear',
 *   params: { least: t.int32() },
 *   build: ({ read, params }) =>
 *     read(memory.source([{ price: 3 }, { price: 9 }], Item))
 *       .where((item) => item.price.ge(params.least))
 *       .writeTo(memory.sink()),
 * });
 * const slots = openSlots({ parallelism: 1, memory: '64MB' });
 * const some = await slots.run(job, { params: { least: 4 } });
 * const all = await slots.run(job, { params: { least: 0 } });
 * await slots.close();
 * [some.rows.length, all.rows.length].join(); // => '1,2'
 * ```
 */
export function openSlots(settings: SlotSettings = {}): Slots {
  return new ProgramSlots(settings);
}

class ProgramSlots implements Slots {
  readonly #options: ReturnType<typeof slotsOf>;
  #host: EmbeddedHost | null;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(settings: SlotSettings) {
    this.#options = slotsOf(settings);
    this.#host = this.#newHost();
  }

  run(job: JobDefinition | URL | string, settings: JobSettings = {}): Promise<RunResult> {
    if (this.#isClosed) return Promise.reject(closedError());
    return this.#next(() => this.#run(job, settings));
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#next(() => this.#closeHost());
  }

  async #run(job: JobDefinition | URL | string, settings: JobSettings): Promise<RunResult> {
    this.#host ??= this.#newHost();
    const host = this.#host;
    const { parallelism } = this.#options;
    try {
      return await runWith((options) => startOn(host, options), job, { ...settings, parallelism });
    } catch (error) {
      await this.#closeHost();
      throw error;
    }
  }

  async #closeHost(): Promise<void> {
    const host = this.#host;
    this.#host = null;
    await host?.close();
  }

  #newHost(): EmbeddedHost {
    return new EmbeddedHost(createRealEnv(), this.#options);
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    // Whoever asked for a job hears of its failure; the next one runs all the same.
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function closedError(): Error {
  return typedError('PROGRAM_SLOTS_CLOSED', 'the slots were closed before this job was asked for', {
    hint: 'Close them behind the last job, or open others.',
  });
}
