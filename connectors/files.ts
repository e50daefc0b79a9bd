/**
 * `millrace/files`: files, folders and globs as sources and sinks. Only descriptions are made here;
 * connectors/filesystem carries them out.
 */
import { type Compression, compressionOf } from '../base/compression.ts';
import { typedError } from '../base/typed-error.ts';
import type { RunFlags, SourceOf } from '../engine/api/endpoints.ts';
import type { SinkSpec } from '../engine/contracts/connector.ts';
import type {
  FileSinkOptions,
  FileSourceOptions,
  FormatOptions,
} from './filesystem/file-options.ts';
import {
  choiceOf,
  type SinkFormat,
  type SourceFormat,
  sinkFormatNamed,
  sinkFormatOfPath,
} from './formats/format-builders.ts';

export { fixedRecords } from './formats/fixed-builder.ts';
export {
  arrow,
  columnar,
  csv,
  ndjson,
  parquet,
  type SinkFormat,
  type SourceFormat,
  text,
} from './formats/format-builders.ts';

/** Which files `files.source` reads, and how. */
export interface FilesSourceSettings<C> {
  /**
   * A file, a folder (read with all folders below it) or a glob such as `logs/*.log`. Files that end in
   * `.gz` or `.zst` are decompressed, each of them by one task.
   */
  readonly path: string;
  readonly format: SourceFormat<C>;
  /** Endings that files found in a folder or by a glob must have. @defaultValue all files */
  readonly extensions?: readonly string[];
  /**
   * Whether a large file may be cut, so that several tasks read it side by side. With `false` each file is read by one task
   * from front to back, and the rows of a key that is in one file only come to `process`, or any other keyed operator of a
   * stream, in the file's order.
   * @defaultValue true
   */
  readonly split?: boolean;
  /**
   * Looks so often for files that were not there before, in milliseconds, and reads them as they come: the source has no
   * end, and the job is a stream that runs until it is cancelled. A file is read once, as it is when it is found: write
   * it under a name that begins with a dot, then rename it. @defaultValue the files are those that are there at first
   */
  readonly discoveryIntervalMs?: number;
}

/** Where `files.sink` writes, and how. */
export interface FilesSinkSettings {
  /**
   * The file to write. It appears, or is replaced, when the job has finished, and not before. One that
   * ends in `.gz` or `.zst` is compressed: `out.csv.gz`.
   */
  readonly path: string;
  /**
   * @defaultValue the flag `--format`; else the ending of `path`: .ndjson, .jsonl, .parquet, .arrow, .feather, .arrows
   * (a stream of Arrow); csv for all others
   */
  readonly format?: 'csv' | 'ndjson' | 'text' | 'parquet' | 'arrow' | 'arrows' | SinkFormat;
  /**
   * How text, CSV and NDJSON are compressed: the parts of a folder (`part-00000.csv.zst`). Of a file its
   * name says it.
   * @defaultValue not compressed
   */
  readonly compression?: 'gzip' | 'zstd';
  /** Whether a folder that exists is replaced. @defaultValue the flag `--overwrite` */
  readonly overwrite?: boolean;
  /**
   * Writes changes of results while rows come, in place of final rows: every row that goes and comes. The first
   * column, of this name, says which: `+I`, `-U`, `+U` or `-D`. As batch all rows are final, and there is no such column.
   * @defaultValue final rows; a job whose results have no end is refused
   */
  readonly changes?: string;
}

/**
 * Reads files. A large file is read by all threads at once, each a range of its lines.
 *
 * @example
 * ```ts
 * import { files, text } from 'millrace/files';
 *
 * const notes = files.source({ path: 'notes', format: text(), extensions: ['.md', '.txt'] });
 * notes.schema.fields[0]?.name; // => 'text'
 * ```
 */
function source<C>(settings: FilesSourceSettings<C>): SourceOf<C> {
  const { path, format, extensions, split, discoveryIntervalMs } = settings;
  if (format?.schema === undefined) {
    throw typedError('FILES_OPTION_INVALID', 'files.source needs a format that can be read', {
      hint: 'Give what text() makes: files.source({ path: "notes", format: text() }).',
    });
  }
  const options: FileSourceOptions = {
    path: pathOf(path),
    format: format.options,
    extensions:
      extensions?.map((ending) => (ending.startsWith('.') ? ending : `.${ending}`)) ?? null,
    ...(split === false && { split }),
    ...(discoveryIntervalMs !== undefined && {
      discoveryIntervalMs: intervalOf(discoveryIntervalMs),
    }),
  };
  const { schema, usesPredicate } = format;
  return Object.freeze({
    connector: 'files',
    options,
    schema,
    ...(discoveryIntervalMs === undefined ? { canSample: true } : { isUnbounded: true }),
    ...(usesPredicate && { usesPredicate }),
  });
}

/**
 * Writes a file. What the settings leave open, the flags of the command line decide.
 *
 * @example
 * ```ts
 * import { files } from 'millrace/files';
 *
 * files.sink({ path: 'out.jsonl' })({ overwrite: false }).options;
 * // => { path: 'out.jsonl', format: { kind: 'ndjson' }, overwrite: false }
 * files.sink({ path: 'out/', format: 'csv', compression: 'zstd' }); // out/part-00000.csv.zst
 * ```
 * @throws FILES_OPTION_INVALID.
 */
function sink(settings: FilesSinkSettings): (flags: RunFlags) => SinkSpec {
  const path = pathOf(settings.path);
  return (flags) => {
    const { options: format } = formatOf(settings, flags);
    const compression = compressionFor(settings, format);
    const options: FileSinkOptions = {
      path,
      format,
      ...(compression !== undefined && { compression }),
      overwrite: settings.overwrite ?? flags.overwrite,
    };
    // What ends in a slash is surely a folder; whether another path is one is known when the job starts.
    const isParallel = /[/\\]$/.test(path);
    const { changes } = settings;
    if (changes === undefined) return { connector: 'files', options, isParallel };
    const kind = { mode: 'retract', column: changesColumn(changes), isAsked: true } as const;
    return { connector: 'files', options, isParallel, changes: kind };
  };
}

/** Files, folders and globs: see `files.source` and `files.sink`. */
export const files = Object.freeze({
  /** Files as a source of rows. */
  source,
  /** A file or a folder as a sink of rows. */
  sink,
});

function formatOf({ format, path }: FilesSinkSettings, flags: RunFlags): SinkFormat {
  if (typeof format === 'object') return format;
  const name = format ?? flags.format;
  return name === undefined ? sinkFormatOfPath(path) : sinkFormatNamed(name);
}

function compressionFor(
  { path, compression }: FilesSinkSettings,
  { kind }: FormatOptions,
): Compression | undefined {
  const hasOwn = kind === 'arrow' || kind === 'parquet';
  if (hasOwn && (compression !== undefined || compressionOf(path) !== null)) {
    throw typedError('FILES_OPTION_INVALID', `${kind} is not compressed as a whole`, {
      hint: `Its columns are: give format: ${kind}({ compression: "zstd" }), and a path without .gz or .zst.`,
    });
  }
  return compression === undefined
    ? undefined
    : choiceOf<Compression>(compression, ['gzip', 'zstd']);
}

function changesColumn(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw typedError('FILES_OPTION_INVALID', 'changes of files.sink is the name of a column', {
    hint: 'Write files.sink({ path: "counts.csv", changes: "change" }).',
  });
}

function intervalOf(ms: unknown): number {
  if (Number.isSafeInteger(ms) && Number(ms) >= 1) return Number(ms);
  throw typedError('FILES_OPTION_INVALID', `discoveryIntervalMs of files can't be ${ms}`, {
    hint: 'Give whole milliseconds from 1 on, such as 1_000; leave it out for files that are there.',
  });
}

function pathOf(path: unknown): string {
  if (typeof path === 'string' && path !== '') return path;
  throw typedError('FILES_OPTION_INVALID', 'files needs a path', {
    hint: 'Give a file, a folder or a glob: files.source({ path: "notes", format: text() }).',
  });
}
