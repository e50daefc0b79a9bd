/** The format `parquet`. */
import type { Field } from '../../engine/schema/field-type.ts';
import type { FormatOptions } from '../filesystem/file-options.ts';
import type { FileFormat } from '../formats/file-format.ts';
import { ParquetReader } from './parquet-reader.ts';
import { planParquetSplits } from './parquet-split-planner.ts';

export const parquetFormat: FileFormat = {
  kind: 'parquet',
  planSplits: (request) => planParquetSplits(request, declaredOf(request.options)),
  reader: (_options, context) => new ParquetReader(context),
};

/** The fields of the struct that the job gave to `parquet`. */
function declaredOf({ fields }: FormatOptions): readonly Field[] {
  return fields as unknown as readonly Field[];
}
