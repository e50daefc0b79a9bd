/**
 * Sources: where records come from, in two parts that live in different places.
 *
 *     coordinator   SplitEnumerator   finds splits, once per job (later: again and again)
 *     slot thread   SplitReader       reads one split at a time into batches
 *
 * Splits are handed out one by one to whichever task asks, so a slow task gets fewer of them.
 */
import type { Batch } from '../batch/batch.ts';
import type { SelectedRows } from '../expr/evaluate.ts';
import type { Expr } from '../expr/expr.ts';
import type { Field } from '../schema/schema.ts';
import type { Json } from './json.ts';

/** A unit of reading. `payload` is for the reader of the same connector only. */
export interface Split {
  readonly id: string;
  readonly sizeBytes: number;
  readonly payload: Json;
  /**
   * Splits of the same sequence come in the order of their rows' times, one behind the other; asked for by
   * `RoleContext.isOrdered`, and where they are to be read side by side in any case. @defaultValue all splits of the source are one sequence
   */
  readonly sequence?: string;
  /** Whether it has no end: it gets a lane of its own, and nothing is read behind it. @defaultValue false */
  readonly isEndless?: boolean;
  /**
   * Which lane of its task the split belongs to, and how many there are; the coordinator decides.
   * @defaultValue the only one
   */
  readonly lane?: { readonly number: number; readonly count: number };
  /** Where to go on in it, as `SplitReader.snapshot` has said. @defaultValue at its beginning */
  readonly position?: Json;
}

export interface SplitDiscovery {
  readonly splits: readonly Split[];
  readonly sizeBytes: number;
  /** Files, topics, tables: what a person counts as inputs. */
  readonly inputCount: number;
  /** What is in none of the splits, for the predicate holds for none of it. @defaultValue nothing */
  readonly skipped?: Skipped;
}

/** What was left out because the source's predicate holds for none of its rows. */
export interface Skipped {
  /** Those of which only the predicate's columns were read, too. */
  readonly rows: number;
  /** Parts of files, such as Parquet's row groups. */
  readonly rowGroups: number;
  /** Parts of these. */
  readonly pages: number;
}

export function sumOfSkipped(all: readonly Skipped[]): Skipped {
  const sum = (of: (one: Skipped) => number) => all.reduce((total, one) => total + of(one), 0);
  return {
    rows: sum(({ rows }) => rows),
    rowGroups: sum(({ rowGroups }) => rowGroups),
    pages: sum(({ pages }) => pages),
  };
}

/**
 * What a source knows of its rows before they are read: for choices of the planner, which no result depends
 * on. A count that nobody knows is null.
 */
export interface SourceStatistics {
  /** Rows, at least roughly. */
  readonly rowCount: number | null;
  /** Bytes as they are stored, of all columns. */
  readonly sizeBytes: number | null;
  /** By the name of the column; those that nothing is known of are left out. */
  readonly columns: Readonly<Record<string, ColumnStatistics>>;
}

export interface ColumnStatistics {
  /** Bytes as they are stored. */
  readonly sizeBytes: number | null;
  readonly nullCount: number | null;
  /**
   * Bounds of numbers, decimals, dates (days since 1970) and timestamps (in their unit), as the nearest
   * float64; null of other types.
   */
  readonly min: number | null;
  readonly max: number | null;
  /** Different values. */
  readonly distinctCount: number | null;
}

export interface SplitEnumerator {
  /** @param parallelism - Tasks that will read; enough splits are made for all of them. */
  discover(parallelism: number): Promise<SplitDiscovery>;
  /**
   * Of a source with `discoverMore`, in place of `discover` in a job that goes on from a checkpoint.
   *
   * @param known - All splits that were found before, whether or not they have been read: what is in them is not found
   * again.
   */
  restore?(known: readonly Split[]): void;
  /** Of a source without an end: what has come since. @defaultValue nothing comes but in the splits that are there */
  discoverMore?(): Promise<SplitDiscovery>;
  /** How often that is asked. @defaultValue once a second */
  readonly discoveryIntervalMs?: number;
  /** What is known without reading much; rejects as `discover` does. @defaultValue nothing is known */
  statistics?(): Promise<SourceStatistics>;
}

/** When the rows of a batch were due by the clock: the first one, the last one, the others evenly between them. */
export interface DueRows {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * `more`: no rows this time, call again; `waiting`: nothing there now, ask later; `end`: the split is
 * read to its end.
 */
export type ReadResult = Batch | 'more' | 'waiting' | 'end';

/**
 * What a join behind the source knows of the rows that it wants, once its build side is complete: those whose
 * keys are there. A source may leave out all others.
 */
export interface DynamicFilter {
  /** The columns that it asks of, in the order of the source's schema. */
  readonly fields: readonly Field[];
  /** True for all wanted rows: bounds of the keys, or, of few, these themselves. Null: nothing is known. */
  readonly predicate: Expr | null;
  /** The rows of a batch of `fields`, without a selection, that may be wanted; as `selectRows` has them. */
  select(batch: Batch): SelectedRows;
}

export interface SplitReader {
  /**
   * Called before the first split, if at all: rows that one of the filters does not select need not be given
   * out. The filters last as long as the reader.
   */
  narrow?(filters: readonly DynamicFilter[]): void;
  /** Starts a split; the one before has ended. */
  open(split: Split): void;
  /** The next rows; the caller owns the batch. Synchronous, and at most a few milliseconds. */
  read(): ReadResult;
  /**
   * Records that could not be read, as rows of `deadLetterSchema`; the caller owns the batch. To be
   * called after every `read` until it answers null, where the context has dead letters.
   */
  takeDeadLetters?(): Batch | null;
  /**
   * After `waiting`: when there is something to read, by the context's clock. @defaultValue nobody knows: somebody
   * rings, or all readers are asked again and again
   */
  readonly dueAtMs?: number;
  /**
   * After `waiting`: whether it is known that nothing is there, as of now. Where it is not, because the other side does not
   * answer, the split holds event time, however long that takes. @defaultValue true
   */
  readonly hasNothing?: boolean;
  /** When the rows that it read last were due, by the context's clock. @defaultValue null: when they were read */
  readonly due?: DueRows | null;
  /** Bytes of input used up so far, over all splits; for progress. */
  readonly bytesRead: number;
  /** What was left out so far, over all splits. @defaultValue nothing */
  readonly skipped?: Skipped;
  /** Where the reader is, for error messages: file and byte offset. */
  position(): string;
  /**
   * Where the rows end that it has given out of the open split: to open the split again with this as its `position`
   * goes on right behind them. Called between two `read`s.
   * @defaultValue nobody can go on within its splits: a job with checkpoints is refused
   */
  snapshot?(): Json;
  /** Releases files and memory; also after a failure. */
  close(): void;
}
