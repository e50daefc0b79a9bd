/** The errors of Parquet files, each with the file: damage, what can't be read, other columns than declared. */
import { nearestNames } from '../../base/nearest-name.ts';
import { type TypedError, typedError } from '../../base/typed-error.ts';
import { type FieldType, typeText } from '../../engine/schema/field-type.ts';

/** Columns that a message names at most, the nearest first. */
const namesMax = 8;

/** @param what - `ends in the middle of its footer`. */
export function corruptError(path: string, what: string, cause?: unknown): TypedError {
  return typedError('PARQUET_CORRUPT', `Parquet file "${path}" ${what}`, {
    hint: 'Write the file anew, or leave it out of the input; what is here was cut off or damaged.',
    details: { path },
    ...(cause !== undefined && { cause }),
  });
}

export function notParquetError(path: string): TypedError {
  return typedError('PARQUET_CORRUPT', `"${path}" is no Parquet file`, {
    hint:
      'Parquet files begin and end with "PAR1". Check the path, or name the endings of the right ' +
      'files: extensions: [".parquet"].',
    details: { path },
  });
}

export function unsupportedError(path: string, what: string, hint: string): TypedError {
  return typedError('PARQUET_FEATURE_UNSUPPORTED', `Parquet file "${path}" ${what}`, {
    hint,
    details: { path },
  });
}

export function missingColumnError(path: string, name: string, names: readonly string[]) {
  const list = nearestNames(name, names)
    .slice(0, namesMax)
    .map((one) => `"${one}"`)
    .join(', ');
  const others = names.length > namesMax ? ` and ${names.length - namesMax} more` : '';
  return typedError(
    'SCHEMA_MISMATCH',
    `Parquet file "${path}" has no column "${name}"; its columns are ${list}${others}`,
    {
      hint: 'Declare the columns that the file has: parquet(t.struct({ … })) with their names.',
      details: { path, column: name },
    },
  );
}

/** @param found - The file's type as people write it. */
export function typeMismatchError(
  path: string,
  column: string,
  { found, declared }: { readonly found: string; readonly declared: FieldType },
): TypedError {
  const wanted = typeText(declared);
  return typedError(
    'SCHEMA_MISMATCH',
    `column "${column}" of Parquet file "${path}" is ${found}, not ${wanted}`,
    {
      hint:
        'Declare the column as what it is, or as a type that holds all its values, and cast it in ' +
        `the job where you need ${wanted}.`,
      details: { path, column, declared: wanted, found },
    },
  );
}

/** @param rows - `row 99`. */
export function nullError(path: string, column: string, rows: string): TypedError {
  return typedError(
    'VALUE_IS_NULL',
    `column "${column}" of Parquet file "${path}" has a null in ${rows}`,
    {
      hint: `Declare that it may be null: ${column}: t.….nullable().`,
      details: { path, column },
    },
  );
}

/** @param rows - `rows 0 to 99`. */
export function invalidTextError(path: string, column: string, rows: string): TypedError {
  return typedError(
    'TEXT_INVALID_UTF8',
    `column "${column}" of Parquet file "${path}" has bytes that are not UTF-8, in ${rows}`,
    {
      hint: 'Read the column as t.binary(), or convert the text to UTF-8 before it is written.',
      details: { path, column },
    },
  );
}

/** A value that the declared type can't hold exactly. */
export function inexactError(
  path: string,
  column: string,
  { declared, rows }: { readonly declared: FieldType; readonly rows: string },
): TypedError {
  return typedError(
    'VALUE_OUT_OF_RANGE',
    `column "${column}" of Parquet file "${path}" has a value that is no ${typeText(declared)}, in ${rows}`,
    {
      hint:
        'Values are never rounded. Timestamps in nanoseconds can be read as t.int64(), whole numbers ' +
        'as a wider type.',
      details: { path, column },
    },
  );
}

/** Runs a parser of metadata; what leads out of the bytes means that the file is damaged. */
export function parsing<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) {
      throw corruptError(path, `has ${what} that is damaged`, error);
    }
    throw error;
  }
}
