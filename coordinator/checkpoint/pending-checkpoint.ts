/**
 * One checkpoint on its way, as plain data:
 *
 *     collecting ──last answer──▶ collected ──▶ writing ──logged──▶ complete ──▶ committing ──▶ committed
 *         │ declined, expired        │ another      │ failed        another one is
 *         ▼                          ▼ completes    ▼               committed first
 *       ended, and what its sinks have prepared waits for the next one
 *
 * It waits for the tasks that ran when it was triggered. A task that ends meanwhile has answered by that: whatever it
 * has read and written came before the barrier that it never saw.
 *
 * Before: coordinator/checkpoint/checkpoint-state.ts. After: coordinator/checkpoint/checkpoint-history.ts.
 */
import type { TaskSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../../engine/contracts/json.ts';

/** `final`: of a job that has read all of its input, made of what its tasks ended with. */
export type CheckpointKind = 'checkpoint' | 'savepoint' | 'final';

/** `collected`: all tasks have answered, and another one is being written. */
export type CheckpointPhase = 'collecting' | 'collected' | 'writing' | 'complete' | 'committing';

/** What the sink of a task has made durable and nobody sees yet. */
// A type alias, not an interface: only those are assignable to `Json`.
export type PreparedWrite = {
  /** The checkpoint at whose barrier it was prepared. */
  readonly checkpointId: number;
  readonly taskId: string;
  readonly vertexId: string;
  readonly write: Json;
};

export interface TaskAnswer {
  readonly snapshot: TaskSnapshot;
  readonly answeredMs: number;
}

export interface PendingCheckpoint {
  readonly id: number;
  readonly kind: CheckpointKind;
  readonly phase: CheckpointPhase;
  /** Whose savepoint it is; null for one that nobody asked for. */
  readonly request: string | null;
  readonly triggeredMs: number;
  /** Tasks that have not answered. */
  readonly missing: ReadonlySet<string>;
  /** By task; of one that had ended before, what it ended with. */
  readonly answers: ReadonlyMap<string, TaskAnswer>;
  /** From `writing` on: what becomes visible when it is complete. */
  readonly writes: readonly PreparedWrite[];
}

export function isCollectingFrom({ phase, missing }: PendingCheckpoint, taskId: string): boolean {
  return phase === 'collecting' && missing.has(taskId);
}

/** The checkpoint with the answer of a task that it waits for. */
export function withAnswer(pending: PendingCheckpoint, answer: TaskAnswer): PendingCheckpoint {
  const { taskId } = answer.snapshot;
  const missing = new Set(pending.missing);
  missing.delete(taskId);
  return {
    ...pending,
    phase: missing.size === 0 ? 'collected' : 'collecting',
    missing,
    answers: new Map(pending.answers).set(taskId, answer),
  };
}

/** In the order of barriers, and of tasks within one: each sink commits in it. */
export function inOrder(writes: readonly PreparedWrite[]): PreparedWrite[] {
  return [...writes].sort(
    (a, b) => a.checkpointId - b.checkpointId || (a.taskId < b.taskId ? -1 : 1),
  );
}
