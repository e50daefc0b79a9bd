/**
 * Limit: the first rows only. Rows are cut by shortening a batch, nothing is copied. Once it has them
 * it says so, and a source in the same task stops reading.
 */
import type { Batch } from '../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import type { Operator, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';
import { leastCountOf } from './snapshot-notes.ts';

export class LimitOperator implements Operator {
  readonly #count: number;
  #left: number;
  readonly #pending = new PendingBatch();

  /** @param count - Rows that pass, 0 or more; the others are dropped. */
  constructor(count: number) {
    this.#count = count;
    this.#left = count;
  }

  get hasEnough(): boolean {
    return this.#left === 0;
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    const rowCount = Math.min(batch.rowCount, this.#left);
    const make = () => (rowCount === 0 ? null : firstRows(batch, rowCount));
    if (!this.#pending.offer(outbox, make)) return fromRow;
    this.#left -= rowCount;
    return batch.rowCount;
  }

  snapshot(writer: SnapshotWriter): boolean {
    writer.note({ passed: this.#count - this.#left });
    return true;
  }

  /** Of several limits beside each other each may pass more than it would have: the one behind them counts. */
  restore(reader: SnapshotReader): boolean {
    this.#left = this.#count - leastCountOf(reader, 'passed');
    return true;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending.close();
  }
}

/** The first `count` rows of the batch; the caller owns the answer. */
function firstRows(batch: Batch, count: number): Batch {
  if (count >= batch.rowCount) return batch.retain();
  return batch.selection === 0
    ? batch.derive({ rowCount: count, storedRows: count })
    : batch.derive({ rowCount: count });
}
