/**
 * `millrace/files`: files, folders and globs as sources and sinks. Only descriptions are made here;
 * connectors/filesystem carries them out.
 */
import { nearestName } from '../base/nearest-name.ts';
import { typedError } from '../base/typed-error.ts';
import type { Column } from '../engine/api/column.ts';
import type { RunFlags, SourceOf } from '../engine/api/endpoints.ts';
import type { SinkSpec } from '../engine/contracts/connector.ts';
import { utf8Type } from '../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../engine/schema/schema.ts';
import type {
  FileFormat,
  FileSinkOptions,
  FileSourceOptions,
  InvalidUtf8,
  TextFormat,
} from './filesystem/file-options.ts';

/** A format of output files, made by `csv()` or `ndjson()`. */
export interface SinkFormat {
  readonly kind: FileFormat;
}

export interface FilesSourceSettings {
  /** A file, a folder (read with all folders below it) or a glob such as `logs/*.log`. */
  readonly path: string;
  readonly format: TextFormat;
  /** Endings that files found in a folder or by a glob must have. @defaultValue all files */
  readonly extensions?: readonly string[];
}

export interface FilesSinkSettings {
  /** The file to write. It appears, or is replaced, when the job has finished, and not before. */
  readonly path: string;
  /** @defaultValue the flag `--format`; else the ending of `path`: ndjson for .ndjson and .jsonl, csv for all others */
  readonly format?: FileFormat | SinkFormat;
  /** Whether a folder that exists is replaced. @defaultValue the flag `--overwrite` */
  readonly overwrite?: boolean;
}

/**
 * Lines of text: a row per line, in the column `text`, without the line's end (LF or CRLF).
 *
 * @param options - `invalidUtf8`: what to do with bytes that are not UTF-8: `fail` (the default)
 * ends the job with file and byte offset, `replace` reads U+FFFD in their place.
 * @example
 * ```ts
 * import { text } from 'millrace/files';
 *
 * text().invalidUtf8; // => 'fail'
 * text({ invalidUtf8: 'replace' }).kind; // => 'text'
 * ```
 */
export function text(options: { readonly invalidUtf8?: InvalidUtf8 } = {}): TextFormat {
  const { invalidUtf8 = 'fail' } = options;
  return Object.freeze({ kind: 'text', invalidUtf8: choiceOf(invalidUtf8, ['fail', 'replace']) });
}

/** Comma-separated values with a header line, quoted where needed (RFC 4180); null is empty. */
export function csv(): SinkFormat {
  return Object.freeze({ kind: 'csv' });
}

/** A JSON object per line. */
export function ndjson(): SinkFormat {
  return Object.freeze({ kind: 'ndjson' });
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
function source(
  settings: FilesSourceSettings,
): SourceOf<{ text: Column<'utf8', string, false, 'text'> }> {
  const { path, format, extensions } = settings;
  const options: FileSourceOptions = {
    path: pathOf(path),
    format: text(format),
    extensions:
      extensions?.map((ending) => (ending.startsWith('.') ? ending : `.${ending}`)) ?? null,
  };
  return Object.freeze({
    connector: 'files',
    options,
    schema: schemaOf(fieldOf('text', utf8Type)),
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
 * // => { path: 'out.jsonl', format: 'ndjson', overwrite: false }
 * ```
 */
function sink(settings: FilesSinkSettings): (flags: RunFlags) => SinkSpec {
  const path = pathOf(settings.path);
  return (flags) => {
    const options: FileSinkOptions = {
      path,
      format: formatOf(settings, flags),
      overwrite: settings.overwrite ?? flags.overwrite,
    };
    return { connector: 'files', options, isParallel: false };
  };
}

/** Files, folders and globs: see `files.source` and `files.sink`. */
export const files = Object.freeze({ source, sink });

function formatOf({ format, path }: FilesSinkSettings, flags: RunFlags): FileFormat {
  const given = typeof format === 'object' ? format.kind : (format ?? flags.format);
  if (given !== undefined) return choiceOf(given, ['csv', 'ndjson']);
  return /\.(ndjson|jsonl)$/i.test(path) ? 'ndjson' : 'csv';
}

function choiceOf<T extends string>(given: string, choices: readonly T[]): T {
  const choice = choices.find((one) => one === given);
  if (choice !== undefined) return choice;
  const nearest = nearestName(given, choices);
  const meant = nearest === null ? '' : ` Did you mean "${nearest}"?`;
  throw typedError('FILES_OPTION_INVALID', `files has no option "${given}"`, {
    hint: `Choose one of ${choices.map((one) => `"${one}"`).join(', ')}.${meant}`,
  });
}

function pathOf(path: unknown): string {
  if (typeof path === 'string' && path !== '') return path;
  throw typedError('FILES_OPTION_INVALID', 'files needs a path', {
    hint: 'Give a file, a folder or a glob: files.source({ path: "notes", format: text() }).',
  });
}
