/** The process seam: the life of the process that a role lives in. "Die" is a legal answer. */

export interface MemoryUse {
  /** Resident set now, in bytes. */
  readonly residentBytes: number;
  /** Largest resident set so far, in bytes. */
  readonly residentPeakBytes: number;
}

/** Of all processors of the host together, since it started. */
export interface ProcessorTimes {
  readonly busyMs: number;
  readonly idleMs: number;
}

export interface HostProcess {
  /** Ends the process. In a simulation it ends the node, and never returns. */
  exit(code: number): never;
  /** Calls `handler` at each interrupt or terminate signal; returns what ends the subscription. */
  onSignal(handler: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
  memory(): MemoryUse;
  processorTimes(): ProcessorTimes;
  /** Names this process among all that may share a disk with it: letters, digits and `.-_`. */
  readonly identity: string;
  /** Whether the process of that identity has surely ended; false where that can't be known here. */
  hasEnded(identity: string): boolean;
  /** Processors that this process may use, 1 or more. */
  readonly cores: number;
}
