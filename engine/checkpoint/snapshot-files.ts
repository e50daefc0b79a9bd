/**
 * Where a task's snapshots go to and come from, as the task sees it. Files and their format are the worker's.
 *
 *     barrier ─▶ begin ─▶ writerOf(operator) for each ─▶ step, step, … (beside the work) ─▶ finish
 *
 * Before: engine/task/task-checkpoints.ts. After: worker/snapshot/snapshot-file-writer.ts.
 */
import type { TypedError } from '../../base/typed-error.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import type { OperatorRef } from '../plan/kept-as.ts';
import type { OperatorSnapshot } from './task-snapshot.ts';

/** What a task hands out at one barrier, on its way to disk. */
export interface SnapshotRun {
  writerOf(operator: OperatorRef): SnapshotWriter;
  /** Writes for a millisecond or two; true when all is written, or can't be. */
  step(): boolean;
  /** After `step` has answered true: makes it durable, and lets go of rows and files. */
  finish(): SnapshotOutcome;
  /** Before `finish`: lets go of rows and files; what was written is removed. */
  abort(): void;
}

/** A disk that is full or broken, and memory that is used up, fail the snapshot, and not the task. */
export type SnapshotOutcome =
  | {
      readonly kind: 'written';
      readonly operators: readonly OperatorSnapshot[];
      readonly sizeBytes: number;
    }
  | { readonly kind: 'failed'; readonly error: TypedError };

export interface SnapshotFiles {
  begin(checkpointId: number): SnapshotRun;
  /**
   * What an operator goes on from; null where it begins anew.
   * @param readsAll - Whether it reads what all tasks had, whatever their key groups. @defaultValue false
   */
  readerOf(operator: OperatorRef, readsAll?: boolean): RestoredOperator | null;
}

export interface RestoredOperator extends SnapshotReader {
  /** Lets go of files and memory. */
  close(): void;
}
