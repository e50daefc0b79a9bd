/**
 * `millrace/console`: rows as a table on the terminal, to look at. Only a description is made here; the
 * program that runs the job prints (connectors/program/table-printer.ts).
 */
import { typedError } from '../base/typed-error.ts';
import type { SinkSpec } from '../engine/contracts/connector.ts';
import { changesOf } from './program/sink-changes.ts';

/** How much `console.sink` prints. */
export interface ConsoleSinkSettings {
  /** Rows to print at most; of the others only the count is told. @defaultValue 100 */
  readonly limit?: number;
  /**
   * Of results that change while rows come: every row that goes and comes (`retract`), or the row that comes by its
   * key (`upsert`); the first column says which: `+I`, `-U`, `+U`, `-D`.
   * @defaultValue `retract` where the input has no end; else final rows are printed, at the end
   */
  readonly changes?: 'retract' | 'upsert';
}

const limitDefault = 100;

/**
 * Prints rows as an aligned table: numbers to the right, nulls as `null`, texts that are too wide for the
 * terminal cut with `…`. It goes to the standard output; with `--json`, whose object is printed there,
 * to the standard error. Columns get their widths from the rows of a page, 200 of them.
 *
 * What is printed stays, also when the job fails later.
 *
 * @throws CONSOLE_OPTION_INVALID
 * @example
 * ```ts
 * import { console } from 'millrace/console';
 *
 * console.sink({ limit: 20 }).options; // => { name: 'console', limit: 20 }
 * ```
 */
function sink({ limit = limitDefault, changes }: ConsoleSinkSettings = {}): SinkSpec {
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw typedError('CONSOLE_OPTION_INVALID', `limit of console.sink can't be ${limit}`, {
      hint: 'Give a whole number from 0 on, or Infinity for all rows.',
    });
  }
  // JSON has no infinity.
  const options = { name: 'console', limit: limit === Number.POSITIVE_INFINITY ? null : limit };
  const mode = changesOf('console.sink', changes);
  return Object.freeze({ connector: 'console', options, isParallel: false, changes: mode });
}

/** The terminal: see `console.sink`. */
export const console = Object.freeze({
  /** The terminal as a sink of rows, which prints a table. */
  sink,
});
