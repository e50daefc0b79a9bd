/**
 * Stream elements: what flows through a channel. Rows come in batches; `end` says that no more will
 * come; `failed` says that the sender gave up, so what has come so far must not become a result.
 *
 * `waiting` is no element: nothing is there now, ask again.
 */
import type { Batch } from '../batch/batch.ts';

export type StreamElement = Batch | 'end' | 'failed';

/** Where a task reads from: a channel, or a gate over several. */
export interface ElementReader {
  /** The caller owns the batch. After `end` or `failed` it answers the same for ever. */
  read(): StreamElement | 'waiting';
  /** Releases all memory; called once, also after a failure. */
  close(): void;
}
