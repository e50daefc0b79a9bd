/**
 * Sinks: where records go, in two parts that live in different places.
 *
 *     coordinator   SinkCommitter   prepares before the first write, commits after the last one
 *     slot thread   SinkWriter      writes rows where nobody looks yet, and says what it wrote
 *
 * Nothing is visible before `commit`; after `abort` nothing is left. Both may be called again after
 * a crash and do no harm.
 *
 * With checkpoints a job commits again and again: at each barrier writers make durable what came before it, and once
 * the checkpoint is complete the committer makes that visible.
 *
 *     barrier n ─▶ SinkWriter.prepareCommit(n) ─▶ in the checkpoint ─▶ complete ─▶ CheckpointCommitter.commit
 *
 * What is committed is in the checkpoint, so that a job that goes on from it can commit once more; what was written
 * behind it is nobody's, and removed.
 */
import type { Batch } from '../batch/batch.ts';
import type { Json } from './json.ts';

export interface SinkCommitter {
  /** Checks the target and makes room; answers with what every writer is given. */
  prepare(): Promise<Json>;
  /** Makes the writers' work visible, all at once. */
  commit(writes: readonly Json[]): Promise<void>;
  /** Removes what the writers left behind, whether or not they ran. */
  abort(): Promise<void>;
}

/** What makes a sink's work visible in a job with checkpoints. */
export interface CheckpointCommitter {
  /**
   * Checks the target, and removes what attempts before this one have written behind the checkpoint.
   *
   * @param pending - What writers had prepared up to the checkpoint that the job goes on from, which may have been
   * committed already: it is committed now. Null: the job begins anew.
   * @returns What every writer is given.
   */
  prepare(pending: readonly Json[] | null): Promise<Json>;
  /** Makes visible what writers have prepared up to a complete checkpoint; called again with the same it does no harm. */
  commit(prepared: readonly Json[]): Promise<void>;
  /**
   * Some of the tasks that write are gone, and others take their places, which begin behind the newest complete checkpoint:
   * all up to there has been committed. Removes what those have written behind it; the other tasks write on meanwhile.
   *
   * @returns What the new writers are given.
   * @defaultValue none of them is ever started again alone: where one fails, the whole job goes on from its checkpoint
   */
  restart?(taskIndexes: readonly number[]): Promise<Json>;
  /** The job has ended for good: removes what was written and is in no complete checkpoint; what `commit` was given stays. */
  abort(): Promise<void>;
}

export interface SinkWriter {
  /** Called before `write`; false while the other side has no room: ask again. @defaultValue true */
  isReady?(): boolean;
  /** Writes all rows of the batch; the caller keeps its reference. */
  write(batch: Batch): void;
  /** Called before `finish`; false while rows wait for room: call again. @defaultValue none wait */
  flush?(): boolean;
  /**
   * A barrier, in a job with checkpoints: makes durable what was written since the last one, where nobody looks yet, and
   * begins anew. Called when `flush` has answered true.
   *
   * @returns What the committer is given when the checkpoint is complete; null where nothing was written.
   */
  prepareCommit?(checkpointId: number): Json;
  /** Flushes and fsyncs; answers with what `commit` is given. */
  finish(): Json;
  /** Releases files and memory; also after a failure. What was written is left to `abort`. */
  close(): void;
}
