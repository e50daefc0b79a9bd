/** What is wrong with a value that a user's function gave for a column. */
import { type TypedError, typedError } from '../../base/typed-error.ts';
import { typeText } from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';

const shownCharactersMax = 60;

export function isNullError(field: Field): TypedError {
  return typedError('VALUE_IS_NULL', `the value of column "${field.name}" is null or missing`, {
    hint: `Give a value for "${field.name}", or declare the column as nullable.`,
    details: { column: field.name },
  });
}

export function typeMismatchError(field: Field, expected: string, value: unknown): TypedError {
  const message =
    `the value of column "${field.name}" (${typeText(field.type)}) ` +
    `should be ${expected}, and is ${describe(value)}`;
  return typedError('VALUE_TYPE_MISMATCH', message, {
    hint: 'Convert the value, or declare the column with the type that the function gives.',
    details: { column: field.name, expected, found: describe(value) },
  });
}

export function outOfRangeError(field: Field, value: number | bigint | string): TypedError {
  const type = typeText(field.type);
  return typedError(
    'VALUE_OUT_OF_RANGE',
    `the value ${value} of column "${field.name}" does not fit ${type} exactly`,
    { hint: hintFor(field, value), details: { column: field.name, value: String(value) } },
  );
}

function hintFor({ type }: Field, value: number | bigint | string): string {
  const { kind } = type;
  if (kind === 'date') return 'Give the ISO text of the day, or a Date at 00:00 UTC.';
  if (kind === 'decimal') {
    const whole = type.precision - type.scale;
    return (
      `A ${typeText(type)} has ${whole} digits before the point and ${type.scale} behind it; no digit ` +
      'is dropped. Round the value, give large ones as text or bigint, or declare more digits.'
    );
  }
  if (kind === 'float32') return 'Declare the column as float64.';
  if (typeof value === 'number' && !Number.isInteger(value)) {
    return 'Round the value, or declare the column as float64.';
  }
  if (kind !== 'int64' && kind !== 'timestamp') return 'Declare the column as int64.';
  return typeof value === 'number'
    ? 'A number is exact up to 9007199254740991 (2^53 - 1) only: give larger values as bigint.'
    : 'An int64 holds values from -2^63 to 2^63 - 1. Use float64 for larger ones.';
}

/** The value as a message shows it: `the string "abc"`, `an array`. */
function describe(value: unknown): string {
  switch (typeof value) {
    case 'string': {
      const isLong = value.length > shownCharactersMax;
      return `the string ${JSON.stringify(value.slice(0, shownCharactersMax))}${isLong ? '…' : ''}`;
    }
    case 'number':
    case 'bigint':
    case 'boolean':
      return `the ${typeof value} ${value}`;
    case 'object':
      return Array.isArray(value)
        ? 'an array'
        : `an object (${value?.constructor?.name ?? 'null'})`;
    default:
      return `a ${typeof value}`;
  }
}
