/**
 * How a simulation runs real `async` code step by step: after each event all promise jobs that it
 * made are run to the end, so that the next event finds the world at rest.
 *
 * `process._tickCallback()` does that from inside one macrotask (8 times faster than a macrotask
 * per event). V8 refuses to do it from within a promise job, so a run starts in a macrotask of its
 * own: `inMacrotask`. A promise that rejects with nobody listening is a failure of the run.
 */
import { assert } from '../base/assert.ts';

type TickingProcess = typeof process & { _tickCallback?: () => void };

/** Runs all promise jobs there are, and those that they make. */
export function drainPromiseJobs(): void {
  (process as TickingProcess)._tickCallback?.();
}

/** Runs `work` in a macrotask of its own, where promise jobs can be drained. */
export function inMacrotask<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** Runs `work` with unhandled rejections going to `onRejection` and nowhere else. */
export function withRejectionsTo<T>(onRejection: (reason: unknown) => void, work: () => T): T {
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', onRejection);
  try {
    return work();
  } finally {
    process.off('unhandledRejection', onRejection);
    for (const listener of others) process.on('unhandledRejection', listener);
  }
}

/** Fails when promise jobs cannot be drained here, as inside an async function after an await. */
export function assertCanDrain(): void {
  let isDrained = false;
  void Promise.resolve().then(() => {
    isDrained = true;
  });
  drainPromiseJobs();
  assert(isDrained, 'a simulation runs inside inMacrotask, outside any promise job');
}
