/**
 * Snapshots: what an operator keeps between rows, handed out at a barrier and taken in again by the tasks that go on
 * from there, at the same parallelism or another.
 *
 *     barrier ─▶ operator.snapshot(writer)   at once: notes, and rows to be taken later
 *                beside the work             the task takes the rows, a slice at a time, and writes them to its file
 *     restart ─▶ operator.restore(reader)    the notes and rows of all tasks that the operator had; each new task
 *                                            keeps those of its own key groups
 *
 * Rows, because state is then a table that others can read, too; and because a task that takes over other key groups
 * than the one that wrote them tells by a row's key whether it is its own.
 *
 * Before: engine/operators/operator.ts. After: worker/snapshot/snapshot-file-writer.ts.
 */
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import type { Json } from './json.ts';

/** What an operator is given at a barrier. */
export interface SnapshotWriter {
  /** Which checkpoint the barrier belongs to; grows. */
  readonly checkpointId: number;
  /** Plain data, a few KiB at most; once per operator. A new task is given the notes of all old ones. */
  note(note: Json): void;
  /**
   * Rows of one part of the state. They are taken after `snapshot` has returned, between slices of the task, and must
   * be as they were when this was called.
   *
   * @param part - A name that is the operator's own, such as `panes`; each is given once.
   * @param isAdded - The rows come behind those that `written` tells of, which need not be written again. A later
   * row counts more than an earlier one. @defaultValue false: they are all
   */
  rows(part: string, schema: Schema, rows: SnapshotRows, isAdded?: boolean): void;
  /** What this task has on disk of a part: of its newest snapshot that has been written. @defaultValue null: nothing */
  written?(part: string): WrittenPart | null;
}

/** What stands for the snapshot that a task was restored from; checkpoints begin at 1. */
export const restoredCheckpointId = 0;

/** A part as a task has written it, in one snapshot or in several, one on top of the other. */
export interface WrittenPart {
  /** Of the newest snapshot; `restoredCheckpointId` where that is the one that the task goes on from. */
  readonly checkpointId: number;
  readonly snapshotCount: number;
  /** Of the first snapshot, which has all rows, and of those added since. */
  readonly firstBytes: number;
  readonly addedBytes: number;
}

/** Snapshots on top of each other: each is read when a job is restored. */
const snapshotsMax = 8;

/** Whether rows come on top of what is written: where that is their own last snapshot, and what was added since is not much. */
export function canAddTo(written: WrittenPart | null, lastCheckpointId: number | null): boolean {
  if (written === null || written.checkpointId !== lastCheckpointId) return false;
  return written.snapshotCount < snapshotsMax && written.addedBytes < written.firstBytes;
}

/** Rows of state on their way into a snapshot. */
export interface SnapshotRows {
  /** The next rows, which the caller owns; null at the end. One batch, made in a few milliseconds. */
  next(): Batch | null;
  /** Called once, at the end or before it, in whatever state: nothing is taken any more. */
  close(): void;
}

/** Key groups, `start` inclusive, `end` exclusive. */
export interface KeyGroupRange {
  readonly start: number;
  readonly end: number;
}

/** What an operator is given to go on from. */
export interface SnapshotReader {
  /** Of this task. */
  readonly keyGroups: KeyGroupRange;
  /**
   * Whether the rows are those of one earlier task with just these key groups, so that the operator's next snapshot may come
   * on top of them, as of its own. @defaultValue false
   */
  readonly isOwn?: boolean;
  /** What the operator's tasks noted, by their index at that time. */
  readonly notes: readonly Json[];
  /**
   * The next rows of a part, of all tasks that may have had rows of this task's key groups, rows of other key groups
   * among them; null at the end, and where no task had the part. Of one task they come in the order in which they were
   * written, added ones behind those before. The caller owns the batch.
   */
  read(part: string): Batch | null;
  /** The same of the first of these tasks alone, for what all of them had alike. @defaultValue `read`: there was one task */
  readOne?(part: string): Batch | null;
}

/** Where a source was at a barrier. Splits that it does not name have not been begun. */
// A type alias, not an interface: only those are assignable to `Json`.
export type SourceSnapshot = {
  /** Splits that have been read to their ends. */
  readonly finished: readonly string[];
  /** Splits that are open, and where each reader was; those that wait to be opened are not among them. */
  readonly open: readonly { readonly splitId: string; readonly position: Json }[];
};
