/** The errors of Arrow files, each with the file: damage, what can't be read, and other columns than declared. */
import { nearestNames } from '../../base/nearest-name.ts';
import { TypedError, typedError } from '../../base/typed-error.ts';
import { type FieldType, typeText } from '../../engine/schema/field-type.ts';
import type { ArrowField } from './arrow-fields.ts';

/** Columns that a message names at most, the nearest first. */
const namesMax = 8;

/** @param what - `ends in the middle of its footer`. */
export function corruptError(path: string, what: string, cause?: unknown): TypedError {
  return typedError('ARROW_CORRUPT', `Arrow file "${path}" ${what}`, {
    hint: 'Write the file anew, or leave it out of the input; what is here was cut off or damaged.',
    details: { path },
    ...(cause !== undefined && { cause }),
  });
}

export function notArrowError(path: string): TypedError {
  return typedError('ARROW_CORRUPT', `"${path}" is no Arrow IPC file or stream`, {
    hint:
      'Arrow files begin with "ARROW1", streams with the bytes ff ff ff ff. Check the path, or name ' +
      'the endings of the right files: extensions: [".arrow"].',
    details: { path },
  });
}

export function unsupportedError(path: string, what: string, hint: string): TypedError {
  return typedError('ARROW_FEATURE_UNSUPPORTED', `Arrow file "${path}" ${what}`, {
    hint,
    details: { path },
  });
}

export function missingColumnError(path: string, name: string, fields: readonly ArrowField[]) {
  const names = fields.map((field) => field.name);
  const list = nearestNames(name, names)
    .slice(0, namesMax)
    .map((one) => `"${one}"`)
    .join(', ');
  return typedError(
    'SCHEMA_MISMATCH',
    `Arrow file "${path}" has no column "${name}"; its columns are ${list}`,
    {
      hint: 'Declare the columns that the file has: arrow(t.struct({ … })) with their names.',
      details: { path, column: name },
    },
  );
}

export function typeMismatchError(path: string, declared: FieldType, field: ArrowField) {
  const types = `${field.typeName}, not ${typeText(declared)}`;
  return typedError(
    'SCHEMA_MISMATCH',
    `column "${field.name}" of Arrow file "${path}" is ${types}`,
    {
      hint:
        field.type === null
          ? 'This type can not be read: write the column as another one, or leave it out of the struct.'
          : `Declare the column as what it is, and cast it in the job where you need ${typeText(declared)}.`,
      details: { path, column: field.name, declared: typeText(declared), found: field.typeName },
    },
  );
}

export function nullError(path: string, column: string, row: number): TypedError {
  return typedError(
    'VALUE_IS_NULL',
    `column "${column}" of Arrow file "${path}" has a null, in row ${row} of a record batch`,
    {
      hint: `Declare that it may be null: ${column}: t.….nullable().`,
      details: { path, column },
    },
  );
}

export function invalidTextError(path: string, column: string, row: number): TypedError {
  return typedError(
    'TEXT_INVALID_UTF8',
    `column "${column}" of Arrow file "${path}" has bytes that are not UTF-8, in row ${row} of a record batch`,
    {
      hint: 'Write the column as binary, or convert the text to UTF-8 before it is written.',
      details: { path, column },
    },
  );
}

/** Runs a parser of metadata; what leads out of the bytes means that the file is damaged. */
export function parsing<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TypedError) throw error;
    throw corruptError(path, `has damaged ${what}`, error);
  }
}
