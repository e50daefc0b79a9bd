/** The format `parquet`. */
import type { Field } from '../../engine/schema/field-type.ts';
import type { FormatOptions } from '../filesystem/file-options.ts';
import type { FileFormat } from '../formats/file-format.ts';
import { partsOf } from './plan/parquet-split.ts';
import { planParquetSplits } from './plan/parquet-split-planner.ts';
import { parquetStatistics } from './plan/parquet-statistics.ts';
import { createParquetReader } from './read/parquet-reader.ts';
import { ParquetWriter, type ParquetWriterOptions } from './write/parquet-writer.ts';

export const parquetFormat: FileFormat = {
  kind: 'parquet',
  planSplits: (request) => planParquetSplits(request, declaredOf(request.options)),
  pathsOf: (payload) => partsOf(payload).map(({ path }) => path),
  statistics: ({ options, ...request }) => parquetStatistics(request, declaredOf(options)),
  reader: (_options, context) => createParquetReader(context),
  partEnding: () => '.parquet',
  writer: ({ settings }, target) =>
    new ParquetWriter(settings as unknown as ParquetWriterOptions, target),
};

/** The fields of the struct that the job gave to `parquet`. */
function declaredOf({ fields }: FormatOptions): readonly Field[] {
  return fields as unknown as readonly Field[];
}
