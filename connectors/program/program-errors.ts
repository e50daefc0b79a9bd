/** The errors of rows that go between a job and the program that runs it. */
import { type TypedError, typedError } from '../../base/typed-error.ts';

/** @param what - `source "trades"`, `sink "rows"`. */
export function notAttachedError(what: string): TypedError {
  return typedError('PROGRAM_NOT_ATTACHED', `the ${what} of memory has no program to talk to`, {
    hint:
      'Jobs with rows in memory are run from a program: import { run } from "millrace/run". ' +
      'With "millrace run" read and write files, or print with console.sink().',
  });
}

/** Rows that a program was to give, and did not. */
export function noRowsError(what: string, names: readonly string[]): TypedError {
  const given = names.map((name) => `"${name}"`).join(', ');
  const were = given === '' ? 'no inputs were given' : `the inputs given are ${given}`;
  return typedError('PROGRAM_NO_ROWS', `the ${what} of memory has no rows: ${were}`, {
    hint: 'Give them with the job: run(job, { inputs: { trades: rows } }), or memory.source(rows, struct).',
  });
}

/** An error of the program's own code: of an iterator of rows, or of what takes them. */
export function programFailedError(name: string, cause: unknown): TypedError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return typedError('PROGRAM_FAILED', `the program failed at the rows of "${name}": ${reason}`, {
    hint: 'Look at the code that gives these rows, or takes them.',
    cause,
  });
}

export function inputFailedError(name: string): TypedError {
  return typedError('TASK_INPUT_FAILED', `the rows of "${name}" ended with an error`, {
    hint: 'The error of the program that gives the rows is the reason.',
  });
}

/** @param row - Counted from 0. */
export function notARowError(name: string, row: number, value: unknown): TypedError {
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  return typedError('VALUE_TYPE_MISMATCH', `row ${row} of the rows of "${name}" is ${found}`, {
    hint: 'Each row is an object with a property for each field of the struct.',
    details: { row },
  });
}
