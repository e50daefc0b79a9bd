/**
 * What is known of the checkpoints of one attempt of a job, and what may happen to them: state, events and effects of
 * checkpoint-state.ts as plain data.
 *
 * Before: coordinator/checkpoint/checkpoint-options.ts. After: coordinator/checkpoint/checkpoint-state.ts.
 */
import type { TaskSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../../engine/contracts/json.ts';
import {
  type CheckpointHistory,
  type CheckpointStatistics,
  emptyHistory,
} from './checkpoint-history.ts';
import type { CheckpointOptions } from './checkpoint-options.ts';
import type {
  CheckpointKind,
  PendingCheckpoint,
  PreparedWrite,
  TaskAnswer,
} from './pending-checkpoint.ts';

export interface CheckpointsState {
  /** Of the attempt. */
  readonly epoch: number;
  readonly nextId: number;
  readonly tasks: ReadonlyMap<string, TaskProgress>;
  /** Nothing is triggered before these have ended: joins read them first, and would hold up its barrier. */
  readonly firstTaskIds: readonly string[];
  /** Those on their way, oldest first. */
  readonly checkpoints: readonly PendingCheckpoint[];
  /** Prepared, and in no complete checkpoint. */
  readonly writes: readonly PreparedWrite[];
  /** When the interval asks for the next one; Infinity where there is none. */
  readonly nextTriggerMs: number;
  readonly pausedUntilMs: number;
  /** Failures since the last success. */
  readonly failureCount: number;
  readonly history: CheckpointHistory;
  /** That it is being stopped in order; nothing else is triggered then. */
  readonly ending: Ending | null;
  /** Tasks that are being started again alone (region-tasks.ts): nothing is triggered then, and they have no say. */
  readonly restart: TasksRestart | null;
  /** The attempt has ended or has to: nothing is triggered, written or committed any more. */
  readonly isOver: boolean;
}

/**
 * `halt`: sources give out nothing behind the barrier of a savepoint, and whoever asked for it ends the attempt when it is
 * committed; it begins when no other one is under way (null till then), so that tasks have little to write. `drain`: sources end where they are, and the final checkpoint is what was asked for.
 */
export type Ending =
  | { readonly kind: 'halt'; readonly request: string; readonly checkpointId: number | null }
  | { readonly kind: 'drain'; readonly request: string };

export interface TasksRestart {
  readonly taskIds: ReadonlySet<string>;
  /** Whether it was said that no checkpoint is under way. */
  readonly isQuiet: boolean;
}

export interface TaskProgress {
  /** The last checkpoint that it has answered. */
  readonly answeredId: number;
  /** What it ended with; null while it runs. */
  readonly end: TaskAnswer | null;
}

export type CheckpointEvent = {
  readonly epoch: number;
  readonly nowMs: number;
} & (
  | { readonly kind: 'tick' }
  /** `request` comes back with the answer. `halts`: nothing comes behind it, for the attempt is to end with it. */
  | { readonly kind: 'savepoint'; readonly request: string; readonly halts: boolean }
  /** The attempt is to end with all that has been read, as if there were no more. */
  | { readonly kind: 'drain'; readonly request: string }
  /** A savepoint that halted sources is there, and the attempt is not to end after all. */
  | { readonly kind: 'goOn' }
  | { readonly kind: 'ack'; readonly checkpointId: number; readonly snapshot: TaskSnapshot }
  | DeclineEvent
  /** With what it keeps to its end: the splits that it has read, and what its sink has prepared since its last barrier. */
  | { readonly kind: 'taskFinished'; readonly snapshot: TaskSnapshot }
  | { readonly kind: 'written'; readonly checkpointId: number }
  /** `isInDoubt`: it may be in the log, so only another attempt can tell; a fence is one such case. */
  | {
      readonly kind: 'writeFailed';
      readonly checkpointId: number;
      readonly reason: string;
      readonly isInDoubt: boolean;
    }
  | { readonly kind: 'committed'; readonly checkpointId: number }
  | { readonly kind: 'commitFailed'; readonly checkpointId: number; readonly reason: string }
  /** All tasks of a region: they are stopped, and run again from the newest complete checkpoint. */
  | { readonly kind: 'tasksFailed'; readonly taskIds: readonly string[]; readonly reason: string }
  /** They run. */
  | { readonly kind: 'tasksRestarted'; readonly taskIds: readonly string[] }
  /** The attempt ends for reasons of its own. */
  | { readonly kind: 'stop'; readonly reason: string }
);

/** A task that could not keep its part; what its sink had prepared at the barrier counts all the same. */
export interface DeclineEvent {
  readonly kind: 'decline';
  readonly checkpointId: number;
  readonly taskId: string;
  readonly vertexId: string;
  readonly reason: string;
  readonly prepared: Json;
}

export type CheckpointEffect =
  | {
      readonly kind: 'trigger';
      readonly checkpointId: number;
      readonly checkpointKind: CheckpointKind;
      /** Those that run, and that it waits for. */
      readonly taskIds: readonly string[];
      /** Whether sources give out nothing behind its barrier, until they are told to go on. */
      readonly halts: boolean;
    }
  /** `goOn`: sources that have halted read on. `end`: they end where they are. */
  | { readonly kind: 'orderSources'; readonly order: SourceOrder }
  | ({ readonly kind: 'writeManifest' } & CollectedCheckpoint)
  /** Those of one checkpoint; the next such effect comes when these are committed. */
  | {
      readonly kind: 'commit';
      readonly checkpointId: number;
      readonly writes: readonly PreparedWrite[];
    }
  /** Nothing will come of it: tasks may stop working for it. Its files go when a later one is complete. */
  | { readonly kind: 'discard'; readonly checkpointId: number; readonly reason: string }
  /** To who asked for a savepoint: it is complete and committed, and can be copied; or why not. */
  | {
      readonly kind: 'answer';
      readonly request: string;
      readonly checkpointId: number;
      readonly failure: string | null;
    }
  /** No checkpoint is under way, and none will be before the tasks that have failed run again. */
  | { readonly kind: 'quiet' }
  /** All tasks have ended, and all they wrote is committed. */
  | { readonly kind: 'end' }
  | { readonly kind: 'failAttempt'; readonly reason: string };

export type SourceOrder = 'goOn' | 'end';

/** What goes into a manifest. */
export interface CollectedCheckpoint {
  readonly checkpointId: number;
  readonly checkpointKind: CheckpointKind;
  /** Of all tasks of the job, by id; without what they have prepared. */
  readonly snapshots: readonly TaskSnapshot[];
  /** All that is not known to be committed, in the order in which it has to be. */
  readonly writes: readonly PreparedWrite[];
  readonly statistics: CheckpointStatistics;
}

export interface CheckpointStep {
  readonly state: CheckpointsState;
  readonly effects: readonly CheckpointEffect[];
}

export interface AttemptStart {
  readonly epoch: number;
  /** Above that of every checkpoint that any attempt before may have begun. */
  readonly nextId: number;
  /** All of the job. */
  readonly taskIds: readonly string[];
  /** Of those that have to end before the first checkpoint. @defaultValue none */
  readonly firstTaskIds?: readonly string[];
  readonly nowMs: number;
}

export function initialCheckpoints(
  { epoch, nextId, taskIds, firstTaskIds = [], nowMs }: AttemptStart,
  { intervalMs }: CheckpointOptions,
): CheckpointsState {
  return {
    epoch,
    nextId,
    tasks: new Map(taskIds.map((taskId) => [taskId, { answeredId: 0, end: null }])),
    firstTaskIds,
    checkpoints: [],
    writes: [],
    nextTriggerMs: intervalMs === null ? Number.POSITIVE_INFINITY : nowMs + intervalMs,
    pausedUntilMs: nowMs,
    failureCount: 0,
    history: emptyHistory,
    ending: null,
    restart: null,
    isOver: false,
  };
}
