/** The formats of files by name: where the options of a plan find code again. */
import { assert } from '../../base/assert.ts';
import { arrowFormat } from '../arrow/arrow-format.ts';
import type { FormatOptions } from '../filesystem/file-options.ts';
import { planSplits } from '../filesystem/split-planner.ts';
import { parquetFormat } from '../parquet/parquet-format.ts';
import { columnarFormat } from './columnar-format.ts';
import { type CsvOptions, plainCsvStyle } from './csv-options.ts';
import { createCsvReader } from './csv-records.ts';
import { CsvWriter } from './csv-writer.ts';
import type { FileFormat } from './file-format.ts';
import type { FixedSinkOptions, FixedSourceOptions } from './fixed-fields.ts';
import { createFixedReader } from './fixed-records.ts';
import { FixedWriter } from './fixed-writer.ts';
import { createNdjsonReader } from './ndjson-records.ts';
import { NdjsonWriter } from './ndjson-writer.ts';
import type { InvalidUtf8 } from './text-lines.ts';
import { createTextReader } from './text-reader.ts';
import { TextWriter } from './text-writer.ts';

const text: FileFormat = {
  kind: 'text',
  reader: ({ invalidUtf8, pathColumn }, context) =>
    createTextReader(
      { invalidUtf8: invalidUtf8 as InvalidUtf8, pathColumn: pathColumn as string | undefined },
      context,
    ),
  partEnding: () => '.txt',
  writer: (_options, { schema, output }) => new TextWriter(schema, output),
};

const csv: FileFormat = {
  kind: 'csv',
  planSplits: async ({ options, files, parallelism, isCut }) => {
    const { split, header: namesEndFiles } = options as CsvOptions;
    return { splits: planSplits(files, parallelism, { isCut: isCut && split, namesEndFiles }) };
  },
  reader: (options, context) => createCsvReader(options as CsvOptions, context),
  partEnding: () => '.csv',
  writer: (options, { schema, output }) =>
    new CsvWriter(schema, { ...plainCsvStyle, ...options }, output),
};

const ndjson: FileFormat = {
  kind: 'ndjson',
  reader: (_options, context) => createNdjsonReader(context),
  partEnding: () => '.ndjson',
  writer: (_options, { schema, output }) => new NdjsonWriter(schema, output),
};

const fixedRecords: FileFormat = {
  kind: 'fixedRecords',
  reader: (options, context) => createFixedReader(options as FixedSourceOptions, context),
  partEnding: () => '.bin',
  writer: (options, target) => new FixedWriter(options as FixedSinkOptions, target),
};

const formats: ReadonlyMap<string, FileFormat> = new Map(
  [text, csv, ndjson, fixedRecords, arrowFormat, parquetFormat, columnarFormat].map((format) => [
    format.kind,
    format,
  ]),
);

/** The format of the options, which `connectors/files.ts` has checked. */
export function fileFormatOf({ kind }: FormatOptions): FileFormat {
  const format = formats.get(kind);
  assert(format !== undefined, 'a plan names a format of this version');
  return format;
}
