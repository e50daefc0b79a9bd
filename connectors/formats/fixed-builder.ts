/** The builder of the format of fixed records; see format-builders.ts. */
import { type ColumnsOf, StructType } from '../../engine/api/value-type.ts';
import type { Field } from '../../engine/schema/schema.ts';
import {
  type FixedSourceOptions,
  fixedError,
  fixedFieldsOf,
  recordBytesOf,
} from './fixed-fields.ts';
import type { SinkFormat, SourceFormat } from './format-builders.ts';

/** How wide fields of bytes are. */
export interface FixedRecordsSettings {
  /** Bytes of each column of binary, by its name. @defaultValue none: there is no such column */
  readonly bytes?: Readonly<Record<string, number>>;
}

export interface FixedRecordsSourceSettings extends FixedRecordsSettings {
  /** Columns of the struct that are no fields: which file a record is from, and its first byte there. */
  readonly origin?: { readonly path?: string; readonly byte?: string };
  /** Whether the last field of a file's last record, of binary, may be shorter. @defaultValue false */
  readonly isLastShort?: boolean;
}

/**
 * Binary records of a fixed number of bytes, one behind the other: field after field in the order of the
 * columns, without gaps. Numbers, dates and timestamps are little-endian, as wide as their types; columns of
 * binary are as wide as `bytes` says. There are no nulls.
 *
 * @param struct - The columns, of input files. A sink needs none.
 * @throws FILES_OPTION_INVALID.
 * @example
 * ```ts
 * import { t } from 'millrace';
 * import { files, fixedRecords } from 'millrace/files';
 *
 * const Sample = t.struct({ id: t.int32(), signature: t.binary() });
 * const format = fixedRecords(Sample, { bytes: { signature: 12 } }); // 16 bytes a record
 * files.source({ path: 'samples.bin', format }).schema.fields.length; // => 2
 * files.sink({ path: 'copy.bin', format: fixedRecords({ bytes: { signature: 12 } }) });
 * ```
 */
export function fixedRecords<F>(
  struct: StructType<F>,
  settings?: FixedRecordsSourceSettings,
): SourceFormat<ColumnsOf<F>>;
export function fixedRecords(settings?: FixedRecordsSettings): SinkFormat;
export function fixedRecords<F>(
  given: StructType<F> | FixedRecordsSettings = {},
  settings: FixedRecordsSourceSettings = {},
): SinkFormat | SourceFormat<ColumnsOf<F>> {
  if (!(given instanceof StructType)) {
    return Object.freeze({ options: { kind: 'fixedRecords', bytes: given.bytes ?? {} } });
  }
  const { bytes = {}, origin = {}, isLastShort = false } = settings;
  const { path = null, byte = null } = origin;
  const { schema } = given;
  checkOrigin(schema.fields, path, 'utf8');
  checkOrigin(schema.fields, byte, 'int64');
  const inRecord = schema.fields.filter(({ name }) => name !== path && name !== byte);
  const fields = fixedFieldsOf(inRecord, bytes);
  if (isLastShort && inRecord.at(-1)?.type.kind !== 'binary') {
    throw fixedError('a last record that may be short', 'Its last field must be binary then.');
  }
  const recordBytes = recordBytesOf(fields);
  const options: FixedSourceOptions = {
    ...{ kind: 'fixedRecords', fields, recordBytes, path, byte, isLastShort },
  };
  return Object.freeze({ options, schema });
}

function checkOrigin(fields: readonly Field[], name: string | null, kind: 'utf8' | 'int64'): void {
  if (name === null || fields.some((field) => field.name === name && field.type.kind === kind))
    return;
  throw fixedError(`no column "${name}" of ${kind}`, `Declare it: ${name}: t.${kind}().`);
}
