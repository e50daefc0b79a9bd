/**
 * Paced reader: gives out the rows of another reader when they are due, and not before.
 *
 *     reader ──batch──▶ ▉▉▉▉▉▉▉▉▉▉▉▉▉▉▉▉
 *                       given │ due now │ not due: `waiting` until `dueAtMs`
 *
 * The lanes of a task have readers of their own and one pace, so that they have its rate together. What can't be read
 * is no row, and has no time of its own: it passes behind the batch that it was found with. Then who goes on in the middle
 * of that batch, and reads it again, gives it out for the first time.
 *
 * In a job with checkpoints readers without a rate go through it as well, where all rows are due at once: a position may be
 * in the midst of what was read at a time, and a job may go on with another rate, or none.
 *
 * Before: engine/time/row-pace.ts. After: engine/operators/merged-source-operator.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { Json } from '../contracts/json.ts';
import type {
  DueRows,
  DynamicFilter,
  ReadResult,
  Skipped,
  Split,
  SplitReader,
} from '../contracts/source.ts';
import { rowsFrom, type SelectedBatchContext } from '../stream/selected-batch.ts';
import type { RowPace } from '../time/row-pace.ts';

export interface PacedReaderOptions extends SelectedBatchContext {
  readonly reader: SplitReader;
  readonly pace: ReaderPace;
  readonly mono: () => number;
}

/** When rows are due. */
export interface ReaderPace
  extends Pick<RowPace, 'nextDueMs' | 'dueCount' | 'hold' | 'letGo' | 'foundNothing'> {
  /** When they were due; null: when they were read. */
  take(count: number): DueRows | null;
}

/** All rows are due when they are read. */
export const noPace: ReaderPace = {
  nextDueMs: 0,
  dueCount: (_nowMs, count) => count,
  take: () => null,
  hold: () => undefined,
  letGo: () => undefined,
  foundNothing: () => undefined,
};

/** Where it is in a split: so many rows behind a place of the reader's. */
// A type alias, not an interface: only those are assignable to `Json`.
type PlaceInSplit = { readonly before: Json; readonly given: number };

export class PacedReader implements SplitReader {
  readonly #options: PacedReaderOptions;
  readonly #reader: SplitReader;
  /** Read, and not given out wholly. */
  #rows: Batch | null = null;
  /** The next row of it. */
  #at = 0;
  #due: DueRows | null = null;
  /** Where the batch begins that is in hand, or that comes next; null where the reader can't say. */
  #before: Json = null;
  /** Rows that were given out before a checkpoint, and come again. */
  #skipCount = 0;
  /** As the reader's: not there where that has none. */
  readonly snapshot?: () => Json;

  constructor(options: PacedReaderOptions) {
    const { reader } = options;
    this.#options = options;
    this.#reader = reader;
    if (reader.snapshot !== undefined) this.snapshot = () => this.#placeIn(reader);
  }

  get bytesRead(): number {
    return this.#reader.bytesRead;
  }

  get skipped(): Skipped {
    return this.#reader.skipped ?? { rows: 0, rowGroups: 0, pages: 0 };
  }

  get dueAtMs(): number {
    if (this.#rows !== null) return this.#options.pace.nextDueMs;
    return this.#reader.dueAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** As the reader's: rows that are not due yet are there. */
  get hasNothing(): boolean {
    return this.#rows === null && this.#reader.hasNothing !== false;
  }

  get due(): DueRows | null {
    return this.#due;
  }

  narrow(filters: readonly DynamicFilter[]): void {
    this.#reader.narrow?.(filters);
  }

  open(split: Split): void {
    assert(this.#rows === null, 'all rows of the split before are given out');
    const { position, ...begun } = split;
    const { before = null, given = 0 } = (position ?? {}) as Partial<PlaceInSplit>;
    this.#skipCount = given;
    this.#reader.open(before === null ? begun : { ...begun, position: before });
  }

  read(): ReadResult {
    const { pace, mono } = this.#options;
    if (this.#rows === null) {
      this.#before = this.#reader.snapshot?.() ?? null;
      const result = this.#reader.read();
      if (result === 'waiting') pace.foundNothing();
      if (typeof result === 'string' || result.rowCount === 0) return result;
      this.#rows = result;
      this.#at = Math.min(this.#skipCount, result.rowCount);
      this.#skipCount -= this.#at;
      pace.hold(mono());
    }
    if (this.#at === this.#rows.rowCount) {
      this.#letGo(this.#rows);
      return 'more';
    }
    return this.#giveDue(this.#rows);
  }

  takeDeadLetters(): Batch | null {
    return this.#rows === null ? (this.#reader.takeDeadLetters?.() ?? null) : null;
  }

  position(): string {
    return this.#reader.position();
  }

  close(): void {
    if (this.#rows !== null) this.#letGo(this.#rows);
    this.#reader.close();
  }

  #giveDue(rows: Batch): ReadResult {
    const { pace, mono } = this.#options;
    const count = pace.dueCount(mono(), rows.rowCount - this.#at);
    if (count === 0) return 'waiting';
    if (count === rows.rowCount) return this.#giveAll(rows);
    const due = rowsFrom(this.#options, rows, { from: this.#at, count });
    this.#due = pace.take(count);
    this.#at += count;
    if (this.#at === rows.rowCount) this.#letGo(rows);
    return due;
  }

  #giveAll(rows: Batch): Batch {
    this.#due = this.#options.pace.take(rows.rowCount);
    rows.retain();
    this.#letGo(rows);
    return rows;
  }

  #placeIn({ snapshot }: SplitReader): PlaceInSplit {
    if (this.#rows !== null) return { before: this.#before, given: this.#at };
    return { before: snapshot?.call(this.#reader) ?? null, given: this.#skipCount };
  }

  #letGo(rows: Batch): void {
    this.#rows = null;
    this.#options.pace.letGo();
    rows.release();
  }
}
