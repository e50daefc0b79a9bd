/**
 * Sink: gives all rows to the writer of a connector. The last of a chain, so it offers nothing.
 *
 * `commit` is what the writer says it wrote; it is there once `finish` has answered true, and makes
 * nothing visible by itself: that is the committer's part. At a barrier `prepared` is the same for what came before it.
 * Before: engine/task/operator-chain.ts. After: engine/contracts/sink.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { Json } from '../contracts/json.ts';
import type { SinkWriter } from '../contracts/sink.ts';
import type { SnapshotWriter } from '../contracts/snapshot.ts';
import type { Operator } from './operator.ts';

export class SinkOperator implements Operator {
  readonly #writer: SinkWriter;
  #commit: Json = null;
  #prepared: Json = null;
  #isBlocked = false;

  constructor(writer: SinkWriter) {
    this.#writer = writer;
  }

  /** The writer's answer; null before the end. */
  get commit(): Json {
    return this.#commit;
  }

  /** What the writer prepared at the last barrier; null where nothing. */
  get prepared(): Json {
    return this.#prepared;
  }

  /** Whether the writer has no room: only others can change that. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** A batch is written whole, or not at all. */
  get isStoppable(): boolean {
    return true;
  }

  process(batch: Batch, fromRow: number): number {
    this.#isBlocked = this.#writer.isReady?.() === false;
    if (this.#isBlocked) return fromRow;
    if (batch.rowCount > 0) this.#writer.write(batch);
    return batch.rowCount;
  }

  snapshot({ checkpointId }: SnapshotWriter): boolean {
    this.#isBlocked = this.#writer.flush?.() === false;
    if (this.#isBlocked) return false;
    assert(
      this.#writer.prepareCommit !== undefined,
      'barriers come to sinks that can commit at them',
    );
    this.#prepared = this.#writer.prepareCommit(checkpointId);
    return true;
  }

  finish(): boolean {
    this.#isBlocked = this.#writer.flush?.() === false;
    if (this.#isBlocked) return false;
    this.#commit = this.#writer.finish();
    return true;
  }

  close(): void {
    this.#writer.close();
  }
}
