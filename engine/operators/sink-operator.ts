/**
 * Sink: gives all rows to the writer of a connector. The last of a chain, so it offers nothing.
 *
 * `commit` is what the writer says it wrote; it is there once `finish` has answered true, and makes
 * nothing visible by itself: that is the committer's part.
 * Before: engine/task/operator-chain.ts. After: engine/contracts/sink.ts.
 */
import type { Batch } from '../batch/batch.ts';
import type { Json } from '../contracts/json.ts';
import type { SinkWriter } from '../contracts/sink.ts';
import type { Operator } from './operator.ts';

export class SinkOperator implements Operator {
  readonly #writer: SinkWriter;
  #commit: Json = null;
  #isBlocked = false;

  constructor(writer: SinkWriter) {
    this.#writer = writer;
  }

  /** The writer's answer; null before the end. */
  get commit(): Json {
    return this.#commit;
  }

  /** Whether the writer has no room: only others can change that. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  process(batch: Batch, fromRow: number): number {
    this.#isBlocked = this.#writer.isReady?.() === false;
    if (this.#isBlocked) return fromRow;
    if (batch.rowCount > 0) this.#writer.write(batch);
    return batch.rowCount;
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
