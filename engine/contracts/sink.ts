/**
 * Sinks: where records go, in two parts that live in different places.
 *
 *     coordinator   SinkCommitter   prepares before the first write, commits after the last one
 *     slot thread   SinkWriter      writes rows where nobody looks yet, and says what it wrote
 *
 * Nothing is visible before `commit`; after `abort` nothing is left. Both may be called again after
 * a crash and do no harm.
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

export interface SinkWriter {
  /** Called before `write`; false while the other side has no room: ask again. @defaultValue true */
  isReady?(): boolean;
  /** Writes all rows of the batch; the caller keeps its reference. */
  write(batch: Batch): void;
  /** Called before `finish`; false while rows wait for room: call again. @defaultValue none wait */
  flush?(): boolean;
  /** Flushes and fsyncs; answers with what `commit` is given. */
  finish(): Json;
  /** Releases files and memory; also after a failure. What was written is left to `abort`. */
  close(): void;
}
