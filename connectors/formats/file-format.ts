/**
 * File formats: what the `files` connector asks of one. A format reads splits of files into batches,
 * or writes batches as bytes, or both; `file-formats.ts` lists all of them.
 *
 *     coordinator   planSplits   files → splits; without it, ranges of bytes
 *                   statistics   a file → counts and bounds, for the planner
 *     slot thread   reader       a split → batches        writer   batches → bytes
 *
 * Options are those that the builders of `connectors/files.ts` checked; a plan carries them.
 */
import type { Disk } from '../../base/env/disk.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type {
  Skipped,
  SourceStatistics,
  Split,
  SplitReader,
} from '../../engine/contracts/source.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import type { FormatOptions } from '../filesystem/file-options.ts';
import type { SourceFile } from '../filesystem/file-range.ts';
import type { OutputBuffer } from './output-buffer.ts';
import type { RowWriter } from './row-writer.ts';

export interface FileFormat {
  /** The name in options and plans. */
  readonly kind: string;
  /**
   * The splits of the files. Without it files are cut by bytes (filesystem/split-planner.ts), and
   * the reader finds out which records are a range's.
   */
  planSplits?(request: SplitRequest): Promise<PlannedSplits>;
  /** The files that one of these splits has rows of. Of formats with `planSplits`, but for ranges of bytes. */
  pathsOf?(payload: Json): readonly string[];
  /** What a file says of its rows. Without it nothing but its size is known. */
  statistics?(request: StatisticsRequest): Promise<SourceStatistics>;
  reader?(options: FormatOptions, context: SlotContext): SplitReader;
  writer?(options: FormatOptions, target: WriterTarget): RowWriter;
  /** How a part of a folder that is written is called: `.csv`. Of formats with a writer. */
  partEnding?(options: FormatOptions): string;
}

export interface PlannedSplits {
  readonly splits: readonly Split[];
  /** @defaultValue nothing */
  readonly skipped?: Skipped;
}

export interface SplitRequest {
  readonly options: FormatOptions;
  readonly files: readonly SourceFile[];
  /** Whether a file may be in several splits. */
  readonly isCut: boolean;
  /** Tasks that will read, 1 or more. */
  readonly parallelism: number;
  readonly disk: Disk;
  /** Rows for which it is not true need not be read; null: all are wanted. */
  readonly predicate: Expr | null;
  /** Columns that dynamic filters will ask of. @defaultValue none */
  readonly filteredColumns?: readonly string[];
}

export interface StatisticsRequest {
  readonly options: FormatOptions;
  readonly file: SourceFile;
  readonly disk: Disk;
}

/** What a writer of rows is given. */
export interface WriterTarget {
  readonly context: SlotContext;
  /** The rows' schema: the context's. */
  readonly schema: Schema;
  readonly output: OutputBuffer;
}
