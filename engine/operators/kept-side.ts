/**
 * The side of a join that has ended, in snapshots. Its rows change no more: the first snapshot has all of them, and those
 * behind it name what that one has written.
 *
 *     write      rows as they lie ─▶ part      then: the part of before, and nothing on top
 *     restore    rows of this task's key groups; all rows of one task where every task had all (broadcast)
 *
 * Who was restored has all rows: what comes at the build side then is of operators that see no rows any more.
 *
 * Before: engine/operators/hash-join-operator.ts. After: engine/contracts/snapshot.ts.
 */
import type { Batch } from '../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import type { Schema } from '../schema/schema.ts';
import type { OwnedRows } from '../stream/owned-rows.ts';
import { FrozenBatches } from './frozen-batches.ts';
import type { OperatorContext } from './operator.ts';
import { OwnRows } from './own-rows.ts';

export interface KeptSideOptions {
  readonly schema: Schema;
  /** The columns of the key, in the order in which exchanges hash them; none for a join without equality. */
  readonly keys: readonly string[];
  /** Whether every task has all rows. */
  readonly isBroadcast: boolean;
}

const part = 'side';

export class KeptSide {
  readonly #context: OperatorContext;
  readonly #schema: Schema;
  readonly #own: OwnRows;
  /** What was read and not taken yet. */
  #batch: Batch | null = null;
  #isRestored = false;

  constructor(context: OperatorContext, { schema, keys, isBroadcast }: KeptSideOptions) {
    this.#context = context;
    this.#schema = schema;
    const own = { schema, keys: isBroadcast ? [] : keys, isOfOne: isBroadcast };
    this.#own = new OwnRows(context, { part, ...own });
  }

  /** Whether all rows came from a snapshot. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** @param rows - Complete. */
  write(writer: SnapshotWriter, rows: OwnedRows): void {
    writer.note({ rowCount: rows.rowCount });
    const isWritten = (writer.written?.(part) ?? null) !== null;
    const batches = isWritten ? [] : rows.frozen();
    writer.rows(part, this.#schema, new FrozenBatches(batches), isWritten);
  }

  /**
   * Hands over the rows of this task; false asks to be called again.
   * @param take - Takes a batch in, which is not its; false asks to be given it again.
   */
  restore(reader: SnapshotReader, take: (batch: Batch) => boolean): boolean {
    for (;;) {
      if (this.#batch !== null) {
        if (!take(this.#batch)) return false;
        this.#batch.release();
        this.#batch = null;
        if (this.#context.shouldYield()) return false;
      }
      const next = this.#own.next(reader);
      if (next === 'end') {
        this.#isRestored = true;
        return true;
      }
      this.#batch = next;
    }
  }

  close(): void {
    this.#batch?.release();
    this.#batch = null;
    this.#own.close();
  }
}
