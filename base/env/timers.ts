/** The timer seam: the only way to wait for time to pass. */

/** Ends a pending timer; calling it again does nothing. */
export type CancelTimer = () => void;

export interface Timers {
  /** Calls `fire` once, `delayMs` from now (0 or more). */
  after(delayMs: number, fire: () => void): CancelTimer;
  /** Calls `fire` every `intervalMs` until cancelled. */
  every(intervalMs: number, fire: () => void): CancelTimer;
  /** Resolves after `delayMs`; rejects with the signal's reason when it is aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
