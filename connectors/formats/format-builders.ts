/**
 * The builders of formats, `text()`, `csv()`, `ndjson()` and so on: what a user's job names a format with. Only
 * descriptions are made here, so a job that is loaded loads no reader or writer.
 */
import { withoutCompression } from '../../base/compression.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Column } from '../../engine/api/column.ts';
import { type ColumnsOf, StructType } from '../../engine/api/value-type.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { utf8Type } from '../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../engine/schema/schema.ts';
import type { FormatOptions } from '../filesystem/file-options.ts';
import { type CsvOptions, type CsvStyle, plainCsvStyle } from './csv-options.ts';

declare const formatColumns: unique symbol;

/** A format of input files, with the columns C that it gives. */
export interface SourceFormat<C> {
  readonly [formatColumns]?: C;
  /** What the plan carries. */
  readonly options: FormatOptions;
  readonly schema: Schema;
  /** Whether files say enough of their rows to leave some unread. @defaultValue false */
  readonly usesPredicate?: true;
}

/** A format of output files. */
export interface SinkFormat {
  /** What the plan carries. */
  readonly options: FormatOptions;
}

/** The formats that a sink may be given by name, with the endings of paths that mean them. */
const sinkFormats: readonly {
  readonly name: string;
  readonly endings: readonly string[];
  readonly build: () => SinkFormat;
}[] = [
  { name: 'csv', endings: ['.csv'], build: csv },
  { name: 'ndjson', endings: ['.ndjson', '.jsonl'], build: ndjson },
  { name: 'text', endings: [], build: text },
  { name: 'arrow', endings: ['.arrow', '.feather'], build: () => arrow() },
  { name: 'arrows', endings: ['.arrows'], build: () => arrow({ stream: true }) },
  { name: 'parquet', endings: ['.parquet'], build: () => parquet() },
];

/** Names that `--format` takes. */
export const sinkFormatNames: readonly string[] = sinkFormats.map(({ name }) => name);

export interface TextSettings<P extends string> {
  /**
   * What to do with bytes that are not UTF-8: `fail` ends the job with file and byte offset, `replace` reads U+FFFD in
   * their place. @defaultValue fail
   */
  readonly invalidUtf8?: 'fail' | 'replace';
  /** The name of a second column, with the path of the file that the line is in. @defaultValue there is none */
  readonly pathColumn?: P;
}

/**
 * Lines of text: a row per line, in the column `text`, without the line's end (LF or CRLF). As a format
 * of output files: the one column of text that the stream has, a line per row.
 *
 * @throws FILES_OPTION_INVALID
 * @example
 * ```ts
 * import { text } from 'millrace/files';
 *
 * text().options.invalidUtf8; // => 'fail'
 * text({ invalidUtf8: 'replace' }).schema.fields[0]?.name; // => 'text'
 * text({ pathColumn: 'file' }).schema.fields[1]?.name; // => 'file'
 * ```
 */
export function text<P extends string = never>(
  settings: TextSettings<P> = {},
): SourceFormat<{ readonly [Name in 'text' | P]: Column<'utf8', string, false, Name> }> {
  const { pathColumn } = settings;
  const invalidUtf8 = choiceOf(settings.invalidUtf8 ?? 'fail', ['fail', 'replace']);
  const names = ['text', ...(pathColumn === undefined ? [] : [pathColumn])];
  if (names[1] === 'text' || names[1] === '') {
    throw typedError('FILES_OPTION_INVALID', `text has no pathColumn "${pathColumn}"`, {
      hint: 'Give the column another name than that of the line: text({ pathColumn: "path" }).',
    });
  }
  return Object.freeze({
    options: { kind: 'text', invalidUtf8, ...(pathColumn !== undefined && { pathColumn }) },
    schema: schemaOf(...names.map((name) => fieldOf(name, utf8Type))),
  });
}

/** How a CSV file is written. */
export interface CsvSettings {
  /** Whether the first line names the columns. @defaultValue true */
  readonly header?: boolean;
  /** What stands between fields: one ASCII character. @defaultValue a comma */
  readonly delimiter?: string;
  /** What fields stand in that have a delimiter in them; null when none may. @defaultValue `"` */
  readonly quote?: string | null;
  /** The field that stands for null, without quotes. @defaultValue the empty field */
  readonly nullText?: string;
}

export interface CsvSourceSettings extends CsvSettings {
  /**
   * Whether a large file is cut and read by several tasks. Line breaks in quotes are no hindrance;
   * a job over a file whose quotes are not as RFC 4180 has them may say that it wants `false` here.
   * @defaultValue true
   */
  readonly split?: boolean;
}

/**
 * Comma-separated values as RFC 4180 has them. Without a struct a format of output files; with one of
 * input files too, whose fields become the columns of the struct, by the names in the header and in any
 * order, or by their places where there is no header.
 *
 * @param struct - The columns. An empty field without quotes is null, which a nullable column takes; so
 * are fields that a record lacks at its end. Columns of the file that the struct lacks are passed over.
 * @throws FILES_OPTION_INVALID.
 * @example
 * ```ts
 * import { t } from 'millrace';
 * import { csv, files } from 'millrace/files';
 *
 * const Row = t.struct({ name: t.utf8(), population: t.int64().nullable() });
 * const format = csv(Row, { delimiter: ';', nullText: 'NA' });
 * files.source({ path: 'towns.csv', format }).schema.fields[0]?.name; // => 'name'
 * ```
 */
export function csv<F>(
  struct: StructType<F>,
  settings?: CsvSourceSettings,
): SourceFormat<ColumnsOf<F>>;
export function csv(settings?: CsvSettings): SinkFormat;
export function csv<F>(
  given: StructType<F> | CsvSettings = {},
  settings: CsvSourceSettings = {},
): SinkFormat | SourceFormat<ColumnsOf<F>> {
  if (given instanceof StructType) {
    const { schema } = given;
    const columns = schema.fields.map(({ name }) => name);
    const { split = true } = settings;
    const options: CsvOptions = { kind: 'csv', columns, ...csvStyleOf(settings), split };
    return Object.freeze({ options, schema });
  }
  // A plan shows what is not as usual only.
  const isUsual = Object.keys(given).length === 0;
  return Object.freeze({ options: { kind: 'csv', ...(!isUsual && csvStyleOf(given)) } });
}

/**
 * A JSON object per line. Without a struct a format of output files; with one of input files too, whose
 * members become the columns of the struct, by name and in any order.
 *
 * @param struct - The columns. A member that is missing is null, which a nullable column takes; members
 * that the struct lacks are passed over.
 * @example
 * ```ts
 * import { t } from 'millrace';
 * import { files, ndjson } from 'millrace/files';
 *
 * const Bid = t.struct({ auction: t.int64(), price: t.float64().nullable() });
 * files.source({ path: 'bids', format: ndjson(Bid) }).schema.fields[1]?.name; // => 'price'
 * ```
 */
export function ndjson<F>(struct: StructType<F>): SourceFormat<ColumnsOf<F>>;
export function ndjson(): SinkFormat;
export function ndjson<F>(struct?: StructType<F>): SinkFormat | SourceFormat<ColumnsOf<F>> {
  const options = { kind: 'ndjson' };
  return Object.freeze(struct === undefined ? { options } : { options, schema: struct.schema });
}

/** How an Arrow file is written. */
export interface ArrowSinkSettings {
  /** A stream, without a footer, as paths that end in `.arrows` are. @defaultValue false */
  readonly stream?: boolean;
  /** How buffers are compressed: LZ4 is fast, Zstandard makes smaller files. @defaultValue none */
  readonly compression?: 'lz4' | 'zstd' | 'none';
}

/**
 * Arrow IPC: tables in the binary columns that Arrow's libraries share (pyarrow, Polars, DuckDB, R).
 * Files with a footer and streams are both read, whatever their names.
 *
 * @param struct - The columns to read, by name; each file is checked to have them. A file may have more,
 * and in another order; columns that the job does not use are not read. A sink needs none; it may be
 * told to write a stream, and how to compress.
 * @example
 * ```ts
 * import { t } from 'millrace';
 * import { arrow, files } from 'millrace/files';
 *
 * const Bid = t.struct({ auction: t.int64(), price: t.float64(), channel: t.utf8().nullable() });
 * const bids = files.source({ path: 'bids', format: arrow(Bid), extensions: ['.arrow'] });
 * bids.schema.fields.length; // => 3
 * files.sink({ path: 'small.arrow', format: arrow({ compression: 'zstd' }) });
 * ```
 */
export function arrow<F>(struct: StructType<F>): SourceFormat<ColumnsOf<F>>;
export function arrow(settings?: ArrowSinkSettings): SinkFormat;
export function arrow<F>(
  given: StructType<F> | ArrowSinkSettings = {},
): SinkFormat | SourceFormat<ColumnsOf<F>> {
  if (given instanceof StructType) {
    const fields = given.schema.fields as unknown as Json;
    return Object.freeze({ options: { kind: 'arrow', fields }, schema: given.schema });
  }
  const settings = {
    container: given.stream === true ? 'stream' : 'file',
    compression: choiceOf(given.compression ?? 'none', ['none', 'lz4', 'zstd']),
  };
  return Object.freeze({ options: { kind: 'arrow', settings } });
}

/** How a Parquet file is written. */
export interface ParquetSinkSettings {
  /** @defaultValue snappy */
  readonly compression?: 'snappy' | 'zstd' | 'gzip' | 'none';
  /** Rows of a row group, the unit that tasks read and readers pass over. @defaultValue 1,048,576 */
  readonly rowGroupRows?: number;
  /** Bytes of a row group before they are compressed. @defaultValue 128 MiB */
  readonly rowGroupBytes?: number;
  /**
   * Rows of a page, the unit that readers uncompress, and pass over where its values can't match. Smaller
   * pages let them pass over more of a sorted column; each costs some 50 bytes. @defaultValue 16,384
   */
  readonly pageRows?: number;
  /**
   * Columns that get a Bloom filter in each row group: readers pass over those that surely don't have a value
   * that is asked for. Worth it where a column has many different values in no order. Parts of structs and
   * lists are named by their paths, `user.id` and `tags.list.element`. @defaultValue none
   */
  readonly bloomFilters?: BloomFilterSettings;
}

export interface BloomFilterSettings {
  readonly columns: readonly string[];
  /**
   * The share of other values that a filter doesn't tell from its own, between 0 and 1, both excluded. A value
   * takes 10 bits at 0.01. Filters have 4 MiB at most. @defaultValue 0.01
   */
  readonly falsePositiveRate?: number;
}

/**
 * Parquet: tables in compressed columns, as pyarrow, DuckDB, Spark and most others write them.
 *
 * @param struct - The columns to read, by name; each file is checked to have them, as these types or
 * as narrower ones that they hold exactly. A file may have more, and in another order; columns that the
 * job does not use are not read. A sink needs none; it may be told how to compress, and how many rows to
 * put together.
 * @example
 * ```ts
 * import { t } from 'millrace';
 * import { files, parquet } from 'millrace/files';
 *
 * const Order = t.struct({ o_orderkey: t.int64(), o_comment: t.utf8() });
 * const orders = files.source({ path: 'orders.parquet', format: parquet(Order) });
 * orders.schema.fields.length; // => 2
 * files.sink({ path: 'small.parquet', format: parquet({ compression: 'zstd' }) });
 * ```
 */
export function parquet<F>(struct: StructType<F>): SourceFormat<ColumnsOf<F>>;
export function parquet(settings?: ParquetSinkSettings): SinkFormat;
export function parquet<F>(
  given: StructType<F> | ParquetSinkSettings = {},
): SinkFormat | SourceFormat<ColumnsOf<F>> {
  if (given instanceof StructType) {
    const fields = given.schema.fields as unknown as Json;
    const options = { kind: 'parquet', fields };
    return Object.freeze({ options, schema: given.schema, usesPredicate: true });
  }
  const { compression = 'snappy', rowGroupRows = 1 << 20, rowGroupBytes = 128 << 20 } = given;
  const { pageRows = 16_384 } = given;
  for (const [name, value] of Object.entries({ rowGroupRows, rowGroupBytes, pageRows })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw typedError('FILES_OPTION_INVALID', `parquet has no ${name} of ${value}`, {
      hint: 'Give a whole number of 1 or more.',
    });
  }
  const settings = {
    compression: choiceOf(compression, ['snappy', 'zstd', 'gzip', 'none']),
    rowGroupRows,
    rowGroupBytes,
    pageRows,
    ...(given.bloomFilters !== undefined && { bloomFilters: bloomsOf(given.bloomFilters) }),
  };
  return Object.freeze({ options: { kind: 'parquet', settings } });
}

function bloomsOf({ columns, falsePositiveRate = 0.01 }: BloomFilterSettings) {
  if (falsePositiveRate > 0 && falsePositiveRate < 1) return { columns, falsePositiveRate };
  const message = `parquet has no falsePositiveRate of ${falsePositiveRate}`;
  throw typedError('FILES_OPTION_INVALID', message, {
    hint: 'Give a number between 0 and 1, such as 0.01.',
  });
}

/**
 * Tables in columns, Parquet or Arrow: a file whose name ends in `.parquet` is read as `parquet` does, any other
 * as `arrow` does. For jobs that take either.
 *
 * @param struct - The columns to read, by name; see `parquet` and `arrow`.
 * @example
 * ```ts
 * import { t } from 'millrace';
 * import { columnar, files } from 'millrace/files';
 *
 * const Order = t.struct({ o_orderkey: t.int64(), o_comment: t.utf8() });
 * const orders = files.source({ path: 'data/orders.{parquet,arrow}', format: columnar(Order) });
 * orders.schema.fields.length; // => 2
 * ```
 */
export function columnar<F>(struct: StructType<F>): SourceFormat<ColumnsOf<F>> {
  const fields = struct.schema.fields as unknown as Json;
  const options = { kind: 'columnar', fields };
  return Object.freeze({ options, schema: struct.schema, usesPredicate: true });
}

function csvStyleOf(settings: CsvSettings): CsvStyle {
  const { header, delimiter, quote, nullText } = { ...plainCsvStyle, ...settings };
  const isOne = (text: string) => /^[\t -~]$/.test(text);
  if (!isOne(delimiter) || /[\dA-Za-z.+"-]/.test(delimiter) || delimiter === quote) {
    throw csvOptionError(`CSV has no delimiter ${JSON.stringify(delimiter)}`);
  }
  if (quote !== null && (!isOne(quote) || /[\dA-Za-z.+-]/.test(quote))) {
    throw csvOptionError(`CSV has no quote ${JSON.stringify(quote)}`);
  }
  return { header, delimiter, quote, nullText };
}

function csvOptionError(message: string): Error {
  return typedError('FILES_OPTION_INVALID', message, {
    hint: 'Give one ASCII character that no number has in it, such as "," ";" "\t" or "|".',
  });
}

/** @throws FILES_OPTION_INVALID when no format that can be written has the name. */
export function sinkFormatNamed(name: string): SinkFormat {
  const chosen = choiceOf(name, sinkFormatNames);
  return (sinkFormats.find((format) => format.name === chosen)?.build ?? csv)();
}

/** The format that the ending of a path means; CSV for all that mean none. */
export function sinkFormatOfPath(path: string): SinkFormat {
  const lower = withoutCompression(path).toLowerCase();
  const meant = sinkFormats.find(({ endings }) => endings.some((ending) => lower.endsWith(ending)));
  return (meant?.build ?? csv)();
}

/** @throws FILES_OPTION_INVALID when the value is none of the choices. */
export function choiceOf<T extends string>(given: string, choices: readonly T[]): T {
  const choice = choices.find((one) => one === given);
  if (choice !== undefined) return choice;
  const nearest = nearestName(given, choices);
  const meant = nearest === null ? '' : ` Did you mean "${nearest}"?`;
  throw typedError('FILES_OPTION_INVALID', `files has no option "${given}"`, {
    hint: `Choose one of ${choices.map((one) => `"${one}"`).join(', ')}.${meant}`,
  });
}
