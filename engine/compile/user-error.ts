/**
 * What goes wrong in a user's function, as errors that a person at the terminal can act on: which
 * operator and function, which row, and the lines of the user's own file.
 *
 *     user function "flatMap" of operator "words" failed: cannot read properties of undefined
 *     details: row {"line":"..."}
 *     cause:   the user's error, its stack cut to the frames above the driver
 *
 * A typed error of the engine that passes through a user's function (an expired row, no memory left)
 * already says all this and is passed on as it is.
 */
import { isOwnPlace } from '../../base/own-places.ts';
import { codeOf, TypedError, typedError } from '../../base/typed-error.ts';

/** Names the generated code in stack traces, so that its frames can be cut away. */
export const driverFile = 'millrace-driver';

const rowTextMax = 500; // Characters of a row in an error; enough to find it, and it fits a terminal.

export interface FunctionName {
  readonly operator: string;
  /** The verb or the part of mapReduce: `flatMap`, `map`, `filter`, `combine`, `partition`, `reduce`. */
  readonly function: string;
}

/** Wraps what a user's function threw; `subject` is the row, or the key, it was called with. */
export function userFunctionFailed(name: FunctionName, error: unknown, subject: unknown): Error {
  if (error instanceof TypedError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return typedError(
    'USER_FUNCTION_FAILED',
    `user function "${name.function}" of operator "${name.operator}" failed: ${message}`,
    {
      details: { operator: name.operator, function: name.function, row: rowText(subject) },
      cause: withUserStack(error),
      hint: 'Correct the function, or keep such rows out with a where in front of it.',
    },
  );
}

/** Whether what a function threw may be due to its record: the engine's own errors are not, but for its values. */
export function isOfRecord(error: unknown): boolean {
  return !(error instanceof TypedError) || error.info.code === 'VALUE_OUT_OF_RANGE';
}

/** What is wrong with a value that a user's function gave out. */
export interface ResultProblem {
  /** Goes on from "user function … of operator …". */
  readonly problem: string;
  /** The row, or the key, that the function was called with. */
  readonly subject: unknown;
  readonly cause?: unknown;
}

export function userFunctionResult(name: FunctionName, found: ResultProblem): Error {
  const isNull = codeOf(found.cause) === 'VALUE_IS_NULL';
  const spread = ' A row that was spread has no fields: write ...row.copy().';
  return typedError(
    'USER_FUNCTION_RESULT',
    `user function "${name.function}" of operator "${name.operator}" ${found.problem}`,
    {
      details: {
        operator: name.operator,
        function: name.function,
        row: rowText(found.subject),
        ...fieldOf(found.cause),
      },
      hint: `Give out one value of the declared type for every field.${isNull ? spread : ''}`,
      cause: found.cause,
    },
  );
}

function fieldOf(cause: unknown): { field?: string | number } {
  const field = cause instanceof TypedError ? cause.info.details?.column : undefined;
  return field === undefined ? {} : { field };
}

export function rowExpired(name: FunctionName, field: string): Error {
  return typedError(
    'ROW_EXPIRED',
    `field "${field}" was read after the call that the row belongs to (user function ` +
      `"${name.function}" of operator "${name.operator}")`,
    {
      details: { operator: name.operator, function: name.function, field },
      hint: 'A row is valid during its call only. Keep row.copy() instead of the row.',
    },
  );
}

export function int64NotSafe(name: FunctionName, field: string, value: bigint): Error {
  return typedError(
    'VALUE_OUT_OF_RANGE',
    `value ${value} of field "${field}" does not fit a number (user function "${name.function}" ` +
      `of operator "${name.operator}")`,
    {
      details: { operator: name.operator, field, value: String(value) },
      hint: 'Declare the field as an int64 that is read as a bigint.',
    },
  );
}

/** A row or key as JSON, cut at 500 characters; never throws. */
export function rowText(subject: unknown): string {
  let text: string;
  try {
    const plain = (_: string, value: unknown) =>
      typeof value === 'bigint' ? String(value) : cutString(value);
    text = JSON.stringify(subject, plain) ?? String(subject);
  } catch {
    text = '(a row that cannot be shown)';
  }
  return text.length <= rowTextMax ? text : `${text.slice(0, rowTextMax)}…`;
}

/** A row as JSON, whole; null where it can't be told so. */
export function rowJson(row: unknown): string | null {
  try {
    const plain = (_: string, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value;
    return JSON.stringify(row, plain) ?? null;
  } catch {
    return null;
  }
}

/** A value as an error message shows it: short, strings quoted. */
export function valueText(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') {
    return typeof value === 'string' ? JSON.stringify(cutString(value)) : String(value);
  }
  return Array.isArray(value) ? 'an array' : 'an object';
}

/** A line of 60 MB must not be turned into JSON only to be cut. */
function cutString(value: unknown): unknown {
  const isLong = typeof value === 'string' && value.length > rowTextMax;
  return isLong ? `${value.slice(0, rowTextMax)}…` : value;
}

/** The same error with the engine's frames, and all below the driver, cut off its stack. */
function withUserStack(error: unknown): unknown {
  if (!(error instanceof Error) || error.stack === undefined) return error;
  const lines = error.stack.split('\n');
  const driverLine = lines.findLastIndex((line) => line.includes(driverFile));
  const above = driverLine === -1 ? lines : lines.slice(0, driverLine);
  const kept = above.filter((line, index) => index === 0 || !isEngineFrame(line));
  try {
    error.stack = kept.join('\n');
  } catch {
    // A frozen error keeps its whole stack: too much is better than nothing.
  }
  return error;
}

function isEngineFrame(line: string): boolean {
  if (line.includes(driverFile)) return true;
  const place = /\(?((?:file:|\/|[A-Za-z]:\\)[^()]*)\)?$/.exec(line)?.[1];
  return place !== undefined && isOwnPlace(place);
}
