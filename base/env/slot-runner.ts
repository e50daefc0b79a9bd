/**
 * The slot-runner seam: starts a named program in a slot thread and talks to it; and the doorbell,
 * how threads wake each other. The real adapter (Piscina) is in `worker/threads`, the simulated one
 * runs the program inline on clones.
 */

/** A running slot: one thread with one private memory, hosting many tasks. */
export interface SlotHandle {
  /** Sends a control message; it is cloned. */
  post(message: unknown): void;
  /** From now on messages go to this handler, and to no other. */
  onMessage(handler: (message: unknown) => void): void;
  /** Resolves when the program ended by itself, rejects when the thread died. */
  readonly ended: Promise<void>;
  /**
   * Ends this thread, and no other, whatever it does: a busy loop can only be ended so. It takes effect at once,
   * so that a slot with the same index may be started; resolves when the thread is gone.
   */
  terminate(): Promise<void>;
}

export interface SlotRunner {
  start(slotIndex: number, options: { readonly memoryBytes: number }): SlotHandle;
  close(): Promise<void>;
}

/** One word of shared memory per thread; ringing it wakes the thread that waits on it. */
export interface Doorbell {
  ring(): void;
  /** The count of rings so far; take it before looking for work, pass it to `wait`. */
  count(): number;
  /** Resolves when the bell has rung since `seen` was taken; at once if it already has. */
  wait(seen: number): Promise<void>;
}
