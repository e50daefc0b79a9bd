/**
 * The layout of fixed records: field after field without gaps, numbers little-endian as columns have them.
 * A plan carries it with a source; a sink finds it out from the rows' schema.
 */
import { typedError } from '../../base/typed-error.ts';
import { layoutOf, valueSizeOf } from '../../engine/schema/field-type.ts';
import type { Field } from '../../engine/schema/schema.ts';
import type { FormatOptions } from '../filesystem/file-options.ts';

/** Longer records would not fit the buffers that they are read and written through. */
const recordBytesMax = 1 << 20;

// Type aliases, not interfaces: only those are assignable to `Json`.

export type FixedField = {
  readonly name: string;
  /** Where in the record the field begins. */
  readonly offset: number;
  readonly bytes: number;
};

/** The options of a source. */
export type FixedSourceOptions = FormatOptions & {
  readonly kind: 'fixedRecords';
  readonly fields: readonly FixedField[];
  readonly recordBytes: number;
  /** Names of columns that say where a record is from; null where the job has none. */
  readonly path: string | null;
  readonly byte: string | null;
  /** Whether the last field of a file's last record may be shorter. */
  readonly isLastShort: boolean;
};

/** The options of a sink: bytes of columns of binary, by name. */
export type FixedSinkOptions = FormatOptions & {
  readonly kind: 'fixedRecords';
  readonly bytes: Readonly<Record<string, number>>;
};

/** The fields in their places. @throws FILES_OPTION_INVALID */
export function fixedFieldsOf(
  fields: readonly Field[],
  bytes: Readonly<Record<string, number>>,
): FixedField[] {
  const other = Object.keys(bytes).find((name) => !fields.some((field) => field.name === name));
  if (other !== undefined) {
    throw fixedError(`no field "${other}"`, 'Give the bytes of fields of the record only.');
  }
  let offset = 0;
  const placed = fields.map((field): FixedField => {
    const size = bytesOf(field, bytes[field.name]);
    offset += size;
    return { name: field.name, offset: offset - size, bytes: size };
  });
  if (offset === 0 || offset > recordBytesMax) {
    throw fixedError(`records of ${offset} bytes`, 'A record has 1 to 1,048,576 bytes.');
  }
  return placed;
}

export function recordBytesOf(fields: readonly FixedField[]): number {
  return fields.reduce((sum, { bytes }) => sum + bytes, 0);
}

function bytesOf({ name, type, nullable }: Field, given: number | undefined): number {
  if (nullable) {
    const hint = 'Replace nulls first, with coalesce for example: a record has no place for them.';
    throw fixedError(`a nullable field "${name}"`, hint);
  }
  if (type.kind === 'binary') {
    if (given !== undefined && Number.isSafeInteger(given) && given >= 1) return given;
    const hint = `Say how many bytes it has: fixedRecords(…, { bytes: { ${name}: 10 } }).`;
    throw fixedError(`a binary field "${name}" of ${given ?? 'unsaid'} bytes`, hint);
  }
  if (layoutOf(type) === 'fixed' && given === undefined) return valueSizeOf(type);
  const hint =
    'A field is binary, with its bytes, or a number, date or timestamp, whose type says them.';
  throw fixedError(
    `a field "${name}" of ${type.kind}${given === undefined ? '' : ' with bytes'}`,
    hint,
  );
}

export function fixedError(what: string, hint: string) {
  return typedError('FILES_OPTION_INVALID', `fixedRecords has ${what}`, { hint });
}
