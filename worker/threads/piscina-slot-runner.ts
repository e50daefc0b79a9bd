/**
 * Slot threads on Piscina: one long-lived task per thread, which hosts many tasks of a job. Piscina
 * places, limits and ends the threads; it is never called once per batch, for that costs five times
 * the throughput of a ring (docs/design/001).
 *
 * Before: worker/executor.ts. After: worker/threads/slot-thread.ts.
 */
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { SlotHandle, SlotRunner } from '../../base/env/slot-runner.ts';
import { typedError } from '../../base/typed-error.ts';
import type { SlotStart } from './slot-messages.ts';

export class PiscinaSlotRunner implements SlotRunner {
  readonly #pool: Piscina;
  readonly #doorbells: SharedArrayBuffer;
  #isClosing = false;

  constructor(slotCount: number) {
    this.#doorbells = new SharedArrayBuffer(Math.max(slotCount, 1) * 4);
    this.#pool = new Piscina({
      filename: new URL('./slot-thread.ts', import.meta.url).href,
      minThreads: 1,
      maxThreads: slotCount,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'disabled',
    });
    // A thread that dies rejects its run below; without a listener the event would end the process.
    this.#pool.on('error', () => undefined);
  }

  start(slotIndex: number, options: { readonly memoryBytes: number }): SlotHandle {
    const { port1: near, port2: far } = new MessageChannel();
    const start: SlotStart = { slotIndex, doorbells: this.#doorbells, ...options };
    const run: Promise<void> = this.#pool.run({ ...start, port: far }, { transferList: [far] });
    const ended = run.catch((cause: unknown) => {
      if (!this.#isClosing) throw threadDied(slotIndex, cause);
    });
    ended.then(
      () => near.close(),
      () => near.close(),
    );
    return {
      post: (message) => near.postMessage(message),
      onMessage: (handler) => {
        near.on('message', handler);
      },
      ended,
      terminate: () => this.close(),
    };
  }

  /** Ends all threads of the pool, whatever they do. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#pool.destroy();
  }
}

function threadDied(slotIndex: number, cause: unknown) {
  const why = cause instanceof Error ? cause.message : String(cause);
  return typedError('THREAD_DIED', `slot thread ${slotIndex} ended without finishing: ${why}`, {
    hint: 'A user function may have called process.exit or run out of memory. Give the job more memory with --memory, or fewer rows at a time.',
    details: { slotIndex },
    cause,
  });
}
