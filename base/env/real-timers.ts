/**
 * Real timers. A pending one keeps the process alive, as Node's own does: a role that is stopped
 * cancels its timers, and a leaked one shows as a process that does not end.
 */
import type { CancelTimer, Timers } from './timers.ts';

/** Node fires at once what is further away than this; longer delays are cut into pieces. */
const nodeDelayMsMax = 2 ** 31 - 1;

export function createRealTimers(): Timers {
  return { after, every, sleep };
}

function after(delayMs: number, fire: () => void): CancelTimer {
  let handle: NodeJS.Timeout;
  const arm = (remainingMs: number): void => {
    const pieceMs = Math.min(remainingMs, nodeDelayMsMax);
    handle = setTimeout(() => {
      if (remainingMs > pieceMs) arm(remainingMs - pieceMs);
      else fire();
    }, pieceMs);
  };
  arm(delayMs);
  return () => clearTimeout(handle);
}

function every(intervalMs: number, fire: () => void): CancelTimer {
  const handle = setInterval(fire, Math.min(intervalMs, nodeDelayMsMax));
  return () => clearInterval(handle);
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
