/**
 * What became of an attempt's checkpoints, the last ones in full: how long each took, in which task, how much it wrote,
 * and why it failed.
 *
 * Before: coordinator/checkpoint/pending-checkpoint.ts. After: coordinator/checkpoint/checkpoint-state.ts.
 */
import type { SnapshotStatistics, TaskSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { CheckpointKind, PendingCheckpoint } from './pending-checkpoint.ts';

/** `subsumed`: a later one was complete first. `abandoned`: the attempt ended before it did. */
export type CheckpointOutcome =
  | 'committed'
  | 'declined'
  | 'expired'
  | 'failed'
  | 'subsumed'
  | 'abandoned';

// Type aliases, not interfaces: only those are assignable to `Json`.
export type TaskStatistics = SnapshotStatistics & {
  readonly taskId: string;
  /** From the trigger until the answer was there; of a task that had ended before, 0. */
  readonly durationMs: number;
  /** All that it names, of earlier checkpoints, too; absent in old manifests. */
  readonly fullBytes?: number;
};

export type CheckpointStatistics = {
  readonly checkpointId: number;
  readonly kind: CheckpointKind;
  /** From the trigger until now, or the end. */
  readonly durationMs: number;
  /** Written for it. */
  readonly sizeBytes: number;
  /** Tasks that have not answered. */
  readonly missing: readonly string[];
  readonly tasks: readonly TaskStatistics[];
};

export interface EndedCheckpoint extends CheckpointStatistics {
  /** By the coordinator's clock. */
  readonly triggeredMs: number;
  readonly outcome: CheckpointOutcome;
  /** Why it failed; empty where it did not. */
  readonly reason: string;
}

export interface CheckpointHistory {
  /** The last ones, oldest first. */
  readonly ended: readonly EndedCheckpoint[];
  readonly counts: Readonly<Record<CheckpointOutcome, number>>;
}

/** 32 with 100 tasks each: half a MiB. */
export const endedMax = 32;

export const emptyHistory: CheckpointHistory = {
  ended: [],
  counts: { committed: 0, declined: 0, expired: 0, failed: 0, subsumed: 0, abandoned: 0 },
};

export function withEnded(history: CheckpointHistory, ended: EndedCheckpoint): CheckpointHistory {
  const { counts } = history;
  return {
    ended: [...history.ended, ended].slice(-endedMax),
    counts: { ...counts, [ended.outcome]: counts[ended.outcome] + 1 },
  };
}

export function statisticsOf(pending: PendingCheckpoint, nowMs: number): CheckpointStatistics {
  const { id, kind, triggeredMs, missing, answers } = pending;
  const tasks = [...answers.values()].map(({ snapshot, answeredMs }): TaskStatistics => {
    const { taskId, statistics } = snapshot;
    const hadEnded = answeredMs < triggeredMs;
    // What it wrote when it ended is counted by the checkpoint that was first to have it.
    const sizeBytes = hadEnded ? 0 : statistics.sizeBytes;
    const durationMs = Math.max(0, answeredMs - triggeredMs);
    const startDelayMs = hadEnded ? 0 : startDelayOf(statistics, durationMs);
    const own = { ...statistics, startDelayMs, sizeBytes };
    return { ...own, taskId, durationMs, fullBytes: fullBytesOf(snapshot) };
  });
  tasks.sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
  return {
    checkpointId: id,
    kind,
    durationMs: nowMs - triggeredMs,
    sizeBytes: tasks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    missing: [...missing].sort(),
    tasks,
  };
}

/** Where the task has not measured it: what is left of the whole, the way of its answer included. */
function startDelayOf(
  { startDelayMs, alignmentMs, syncMs, asyncMs }: SnapshotStatistics,
  durationMs: number,
): number {
  return startDelayMs ?? Math.max(0, durationMs - alignmentMs - syncMs - asyncMs);
}

function fullBytesOf({ operators }: TaskSnapshot): number {
  const parts = operators.flatMap((operator) => operator.parts);
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
