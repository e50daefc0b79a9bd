/**
 * Snapshot of an as-of join: rows that wait for event time, and versions, as they came; and back.
 *
 *     waiting     columns of the left side
 *     versions    columns of the right side; some that nobody can find any more may be among them
 *
 * Rows come back as they came first: their times and keys are columns of theirs.
 */
import type { Batch } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { FrozenBatches } from '../frozen-batches.ts';
import type { OperatorContext } from '../operator.ts';
import { OwnRows } from '../own-rows.ts';
import type { AsOfJoinOptions } from './as-of-options.ts';
import type { PendingRows } from './pending-rows.ts';
import type { VersionTable } from './version-table.ts';

/** Takes in rows, which are the caller's; false asks to be called again with the same ones. */
export interface AsOfRestore {
  waiting(batch: Batch): boolean;
  version(batch: Batch): boolean;
}

export class AsOfJoinSnapshot {
  readonly #context: OperatorContext;
  readonly #options: AsOfJoinOptions;
  /** The part that is read; null behind the last. */
  #part: 'waiting' | 'versions' | null = 'waiting';
  #own: OwnRows | null = null;
  #batch: Batch | null = null;

  constructor(context: OperatorContext, options: AsOfJoinOptions) {
    this.#context = context;
    this.#options = options;
  }

  write(writer: SnapshotWriter, pending: PendingRows, versions: VersionTable): void {
    const { left, right } = this.#options;
    writer.rows('waiting', left.schema, new FrozenBatches(pending.frozen()));
    writer.rows('versions', right.schema, new FrozenBatches(versions.frozen()));
  }

  /** Hands over the rows of this task's keys; false asks to be called again. */
  restore(reader: SnapshotReader, into: AsOfRestore): boolean {
    while (this.#part !== null) {
      if (this.#batch !== null) {
        const isWaiting = this.#part === 'waiting';
        const isIn = isWaiting ? into.waiting(this.#batch) : into.version(this.#batch);
        if (!isIn) return false;
        this.#batch.release();
        this.#batch = null;
      }
      const { schema, keys } = this.#part === 'waiting' ? this.#options.left : this.#options.right;
      this.#own ??= new OwnRows(this.#context, { part: this.#part, schema, keys });
      const next = this.#own.next(reader);
      if (next === 'end') {
        this.#own.close();
        this.#own = null;
        this.#part = this.#part === 'waiting' ? 'versions' : null;
      } else this.#batch = next;
      if (this.#context.shouldYield() && this.#part !== null) return false;
    }
    return true;
  }

  close(): void {
    this.#batch?.release();
    this.#batch = null;
    this.#own?.close();
    this.#own = null;
  }
}
