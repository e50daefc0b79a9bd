/**
 * The launcher seam: how a supervisor gets processes. The real one spawns Node (cli/cluster/process-launcher.ts); tests
 * give one that runs nothing.
 *
 * Before: worker/supervisor/supervisor.ts. After: worker/supervisor/executor-end.ts.
 */
import type { Address } from '../../base/env/net.ts';

/** All that an executor has to know. It is sent as JSON. */
export interface ExecutorSpec {
  readonly executorId: string;
  /** Of the worker that it belongs to. */
  readonly workerId: string;
  readonly jobId: string;
  readonly epoch: number;
  readonly slots: number;
  readonly slotMemoryBytes: number;
  /** The job's module: its name, as the coordinator has it, and where it lies. */
  readonly bundle: { readonly hash: string; readonly path: string };
  /** Where it registers. */
  readonly coordinator: Address;
  /** Where it listens: for the coordinator, and for the executors that it sends rows to. */
  readonly address: Address;
  readonly exchangeAddress: Address;
  readonly spillDir: string;
}

/** How a process ended. */
export interface ProcessEnd {
  /** Null when a signal ended it, or it never ran. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The end of what it said on stderr. */
  readonly lastWords: string;
}

export interface ExecutorProcess {
  /** Resolves when the process is gone and all that it said has been handed on; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** `asked`: it may clean up, for a while; `now`: it is killed. */
  kill(how: 'asked' | 'now'): void;
}

export interface ExecutorLauncher {
  /** Jobs may come: what takes long is done now. */
  prepare(): void;
  /** @param onOutput - What it prints; no more is read before that is done. */
  launch(spec: ExecutorSpec, onOutput: (bytes: Uint8Array) => Promise<void>): ExecutorProcess;
  /** Ends what was started ahead; processes that run are their caller's. */
  close(): Promise<void>;
}
