/**
 * Snapshot of a table whose rows are added up: groups as parts, values with their counts, keys.
 *
 *     first snapshot    all of the table, copied in slices before the barrier passes
 *     note ─▶           copies of the rows that are added to it, for as long as they are fewer than the table has
 *     next snapshot     those rows on top of the one before, if that is on disk; else all again
 *     restore           rows of this task's keys, added in the order in which they were written
 *
 * Why rows that are added, and not groups that have changed: what adds a row to a group makes the group again, and nobody
 * has to look for what has changed. So of a large table that changes little, little is copied and written.
 *
 * Before: engine/operators/frozen-rows.ts, engine/operators/own-rows.ts
 */
import type { Batch } from '../batch/batch.ts';
import { canAddTo, type SnapshotReader, type SnapshotWriter } from '../contracts/snapshot.ts';
import type { Schema } from '../schema/schema.ts';
import { FrozenRows, type FrozenRun } from './frozen-rows.ts';
import type { OperatorContext } from './operator.ts';
import { OwnRows } from './own-rows.ts';

export interface TableSnapshotOptions {
  readonly part: string;
  /** Of rows, as they are read, noted and added. */
  readonly schema: Schema;
  /** The columns that rows are sent by, in the order in which exchanges hash them. */
  readonly keys: readonly string[];
  /** Rows of the table. */
  readonly count: () => number;
  /** Ends what the table has begun; false asks to be called again. */
  readonly settle: () => boolean;
  /** Rows from a place on, the first of which is 0; `next` is null at the end. Batches are the caller's. */
  readonly read: (place: number) => { readonly batch: Batch | null; readonly next: number | null };
  /** Behind `settle`, rows on disk that `read` does not give. @defaultValue none */
  readonly frozen?: () => readonly FrozenRun[];
  /** Adds rows of a snapshot from a row on; answers the next row, short of the end where it is to be called again. */
  readonly add: (batch: Batch, fromRow: number) => number;
  /** Whether only snapshots of everything will do. @defaultValue false */
  readonly isAlwaysWhole?: boolean;
}

/** Rows that are noted of a small table, too. */
const notedMin = 8192;

export class TableSnapshot {
  readonly #context: OperatorContext;
  readonly #options: TableSnapshotOptions;
  /** Rows since the last snapshot; null where all are to be written. */
  #noted: FrozenRows | null = null;
  #notedCount = 0;
  #notedMax = 0;
  #sinceId: number | null = null;
  /** What is copied, and the place that comes next; null: nothing is left. */
  #copy: FrozenRows | null = null;
  #place: number | null = 0;
  #isAdded = false;
  #own: OwnRows | null = null;
  #batch: Batch | null = null;
  #row = 0;

  constructor(context: OperatorContext, options: TableSnapshotOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Rows have been added to the table; they are still the caller's. `make` is called where somebody needs them. */
  note(make: () => Batch): void {
    if (this.#noted === null) return;
    const batch = make();
    try {
      this.#notedCount += batch.rowCount;
      if (this.#notedCount > this.#notedMax) this.forget();
      else this.#noted.append(batch);
    } finally {
      batch.release();
    }
  }

  /** The table has changed in another way: all is to be written next time. */
  forget(): void {
    this.#noted?.close();
    this.#noted = null;
  }

  /** Copies what is to be handed out; false asks to be called again, before anything changes. */
  prepare(writer: SnapshotWriter): boolean {
    const { part, schema, settle, read } = this.#options;
    if (this.#copy === null) {
      this.#isAdded =
        this.#noted !== null && canAddTo(writer.written?.(part) ?? null, this.#sinceId);
      this.#place = this.#isAdded ? null : 0;
      this.#copy = this.#isAdded ? this.#noted : new FrozenRows(this.#context, schema);
      if (this.#isAdded) this.#noted = null;
    }
    if (this.#place !== null && !settle()) return false;
    while (this.#place !== null) {
      const { batch, next } = read(this.#place);
      if (batch !== null) {
        try {
          this.#copy?.append(batch);
        } finally {
          batch.release();
        }
      }
      this.#place = next;
      if (next !== null && this.#context.shouldYield()) return false;
    }
    return true;
  }

  /** Hands it out. */
  hand(writer: SnapshotWriter): void {
    const { part, schema, count, frozen, isAlwaysWhole = false } = this.#options;
    const copy = this.#copy ?? new FrozenRows(this.#context, schema);
    if (!this.#isAdded) for (const run of frozen?.() ?? []) copy.appendRun(run);
    this.#copy = null;
    writer.rows(part, schema, copy.seal(), this.#isAdded);
    this.forget();
    if (isAlwaysWhole) return;
    this.#noted = new FrozenRows(this.#context, schema);
    this.#notedCount = 0;
    this.#notedMax = Math.max(notedMin, count());
    this.#sinceId = writer.checkpointId;
  }

  /** Adds the rows of this task's keys; false asks to be called again. */
  restore(reader: SnapshotReader): boolean {
    this.#own ??= new OwnRows(this.#context, this.#options);
    for (;;) {
      if (this.#batch === null) {
        const next = this.#own.next(reader);
        if (next === 'end') break;
        this.#batch = next;
        this.#row = 0;
      } else this.#add(this.#batch);
      if (this.#context.shouldYield()) return false;
    }
    this.#own.close();
    this.#own = null;
    return true;
  }

  close(): void {
    this.forget();
    this.#copy?.close();
    this.#copy = null;
    this.#own?.close();
    this.#own = null;
    this.#batch?.release();
    this.#batch = null;
  }

  #add(batch: Batch): void {
    this.#row = this.#options.add(batch, this.#row);
    if (this.#row < batch.rowCount) return;
    batch.release();
    this.#batch = null;
  }
}
