/**
 * What the supervisor of a worker and the coordinator of a cluster say to each other. Small JSON objects over `base/rpc`.
 *
 *     supervisor ──join───────────▶ coordinator    a life begins: slots, memory, what runs there
 *     supervisor ──heartbeat──────▶ coordinator    every `heartbeatMs`; its answer renews the lease
 *     supervisor ──executorEnded──▶ coordinator    a process of a job has ended, and how
 *     supervisor ──readBundle─────▶ coordinator    a part of a job's module
 *     supervisor ──leave──────────▶ coordinator    it takes no more, and ends all
 *     supervisor ◀──reserve, confirm, release─────  slots: try, confirm, cancel
 *     supervisor ◀──startExecutor, stopExecutor──   a process for a job attempt
 *     supervisor ◀──readLog───────────────────────  what such a process has printed
 *
 * The executor itself speaks as a worker does (coordinator/protocol.ts), and registers with its `executorId`.
 * Calls to a supervisor name the life they are meant for: another one refuses them.
 */
import type { WireError } from '../../base/typed-error.ts';

/** Greater when an older one would not understand: a mixed cluster is refused at `join` and `hello`. */
export const clusterVersion = 1;

/** Both sides count with the same: how often a heartbeat comes, how long a worker goes on without an answer, how wrong clocks run. */
export const memberTiming = { heartbeatMs: 500, leaseMs: 120_000, driftMax: 0.01 } as const;

export const memberMethods = {
  join: 'member.join',
  heartbeat: 'member.heartbeat',
  leave: 'member.leave',
  executorEnded: 'member.executor-ended',
  readBundle: 'member.read-bundle',
  reserve: 'slots.reserve',
  confirm: 'slots.confirm',
  release: 'slots.release',
  startExecutor: 'executor.start',
  stopExecutor: 'executor.stop',
  readLog: 'executor.read-log',
} as const;

export interface JoinRequest {
  readonly version: number;
  readonly workerId: string;
  /** Of this life: new with each start. */
  readonly instance: string;
  /** Where its supervisor listens. */
  readonly address: string;
  readonly slots: number;
  /** For all slots together. */
  readonly memoryBytes: number;
  /** Ids of executors that run there. */
  readonly executors: readonly string[];
  /** Slots that somebody has there. */
  readonly reserved: readonly Pick<OfSlots, 'jobId' | 'attempt'>[];
}

export type JoinAnswer =
  | {
      readonly kind: 'registered';
      readonly incarnation: number;
      /** The leader's fencing token. */
      readonly term: number;
    }
  | { readonly kind: 'refused' };

export interface HeartbeatRequest {
  readonly workerId: string;
  readonly incarnation: number;
  /** How late its event loop was. */
  readonly senderDelayMs: number;
  /** Share of its processors in use, 0 to 1. */
  readonly load: number;
}

export interface HeartbeatAnswer {
  /** `rejoin`: it is known, and has not joined this coordinator, which leads since; what runs there goes on meanwhile. */
  readonly kind: 'answered' | 'fenced' | 'rejoin';
}

/** One life of a worker. */
export interface OfLife {
  readonly workerId: string;
  readonly incarnation: number;
}

export interface OfSlots extends OfLife {
  /** Who the slots are for: a job, or a part of one that lost some. */
  readonly jobId: string;
  /** The how manyeth try. */
  readonly attempt: number;
}

export interface ReserveRequest extends OfSlots {
  readonly slots: number;
  readonly memoryBytes: number;
  /** They come back by themselves when they are not confirmed within this. */
  readonly keepMs: number;
}

export interface SlotsAnswer {
  readonly answer: 'granted' | 'refused' | 'confirmed' | 'released';
}

export interface StartExecutorRequest extends OfLife {
  /** That no other executor ever had. */
  readonly executorId: string;
  readonly jobId: string;
  readonly epoch: number;
  readonly slots: number;
  readonly slotMemoryBytes: number;
  /** Hash of the bundle that the job's module is in. */
  readonly bundle: string;
  /** Where it registers. */
  readonly coordinator: string;
}

export interface StopExecutorRequest extends OfLife {
  readonly executorId: string;
}

export interface ExecutorEnded extends OfLife {
  readonly executorId: string;
  /** Why: its exit code, its signal, what kept it from starting. */
  readonly error: WireError;
}

export interface ReadLogRequest {
  readonly jobId: string;
  /** Bytes of the log to leave out; negative: so many bytes before its end. */
  readonly from: number;
}

export interface LogPart {
  readonly text: string;
  /** Where the next part begins. */
  readonly next: number;
  /** Whether the log has no more now. */
  readonly isEnd: boolean;
}

export interface ReadBundleRequest {
  readonly hash: string;
  /** From 0 on. */
  readonly part: number;
}

/** Parts of bundles, so that a frame stays small. */
export const bundlePartBytes = 4 * 1024 * 1024;

export interface BundlePart {
  /** Base64. */
  readonly data: string;
  readonly isLast: boolean;
}
