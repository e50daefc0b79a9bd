/**
 * Slot threads on Piscina: one long-lived task per thread, which hosts many tasks of a job. Piscina
 * places, limits and ends the threads; it is never called once per batch, for that costs five times
 * the throughput of a ring (docs/design/001-slots-and-rings.md).
 *
 * Before: worker/executor.ts. After: worker/threads/slot-thread.ts.
 */
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { createDoorbell } from '../../base/env/doorbell.ts';
import type { Doorbell, SlotHandle, SlotRunner } from '../../base/env/slot-runner.ts';
import { typedError } from '../../base/typed-error.ts';
import { compileKernels } from '../../engine/kernels/kernels.ts';
import type { SlotStart } from './slot-messages.ts';

/** Beside this file, as a source and in the bundle. */
const slotThreadFile = new URL(
  import.meta.url.endsWith('.ts') ? './slot-thread.ts' : './slot-thread.js',
  import.meta.url,
);

export class PiscinaSlotRunner implements SlotRunner {
  readonly #pool: Piscina;
  readonly #doorbells: SharedArrayBuffer;
  readonly #slotCount: number;
  /** Compiled once, for all threads; they run the same machine code. */
  readonly #kernels = compileKernels();
  #closed: Promise<void> | null = null;

  constructor(slotCount: number) {
    this.#slotCount = slotCount;
    // One more for the thread of the program that runs the slots, and one for that of the network.
    this.#doorbells = new SharedArrayBuffer((slotCount + 2) * 4);
    this.#pool = new Piscina({
      filename: slotThreadFile.href,
      // All of them load their code at once, before the first is given its work.
      minThreads: slotCount,
      maxThreads: slotCount,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'disabled',
    });
    // A thread that dies rejects its run below; without a listener the event would end the process.
    this.#pool.on('error', () => undefined);
  }

  get slotCount(): number {
    return this.#slotCount;
  }

  /** Index of the doorbell of the program's own thread; the slots have those before it. */
  get programBell(): number {
    return this.#slotCount;
  }

  /** Index of the doorbell of the network's thread. */
  get networkBell(): number {
    return this.#slotCount + 1;
  }

  /** All of them, for a thread of its own. */
  get doorbells(): SharedArrayBuffer {
    return this.#doorbells;
  }

  /** A doorbell, rung by any thread. */
  bellOf(index: number): Doorbell {
    return createDoorbell(new Int32Array(this.#doorbells), index);
  }

  start(slotIndex: number, options: { readonly memoryBytes: number }): SlotHandle {
    const { port1: near, port2: far } = new MessageChannel();
    const start: SlotStart = {
      slotIndex,
      doorbells: this.#doorbells,
      kernels: this.#kernels,
      ...options,
    };
    const end = new AbortController();
    const { signal } = end;
    const work = { ...start, port: far };
    const run: Promise<void> = this.#pool.run(work, { transferList: [far], signal });
    const ended = run.catch((cause: unknown) => {
      if (this.#closed === null && !signal.aborted) throw threadDied(slotIndex, cause);
    });
    ended.then(
      () => near.close(),
      () => near.close(),
    );
    let receive: (message: unknown) => void = () => undefined;
    near.on('message', (message) => receive(message));
    return {
      post: (message) => near.postMessage(message),
      onMessage: (handler) => {
        receive = handler;
      },
      ended,
      terminate: () => this.#terminate(end),
    };
  }

  /** The pool drops the thread at once, and starts another one in its place. */
  async #terminate(end: AbortController): Promise<void> {
    const before = this.#pool.threads;
    end.abort();
    const after = new Set(this.#pool.threads);
    const gone = before.filter((thread) => !after.has(thread));
    const exits = gone.map((thread) => new Promise((resolve) => thread.once('exit', resolve)));
    await Promise.all(exits);
  }

  /** Ends all threads of the pool, whatever they do; calling it again waits for the same end. */
  close(): Promise<void> {
    this.#closed ??= this.#pool.destroy();
    return this.#closed;
  }
}

function threadDied(slotIndex: number, cause: unknown) {
  const { why, hint, isThrown } = reasonOf(cause);
  return typedError('THREAD_DIED', `slot thread ${slotIndex} ended before its work: ${why}`, {
    hint,
    details: { slotIndex },
    ...(isThrown && { cause }),
  });
}

/** Only the first two ways are told apart by Node; all others are errors that nobody caught. */
function reasonOf(cause: unknown) {
  const message = cause instanceof Error ? cause.message : String(cause);
  const exitCode = /exited with code: (-?\d+)/.exec(message)?.[1];
  if (exitCode !== undefined) {
    return {
      why: `process.exit(${exitCode}) was called in it`,
      hint: 'Throw an error in the user function instead: the job then ends with its message.',
      isThrown: false,
    };
  }
  if (message.includes('memory limit')) {
    return {
      why: 'user functions hold more JavaScript objects than its heap takes',
      hint: 'Keep less in variables between calls, or group with keyBy and aggregate: their state is outside of the JavaScript heap.',
      isThrown: false,
    };
  }
  return {
    why: message,
    hint: 'An error was thrown outside of the call that it belongs to: in a timer, or in a promise that nobody awaits. User functions are synchronous.',
    isThrown: true,
  };
}
