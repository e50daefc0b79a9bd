/**
 * `millrace/memory`: rows of the program's own as a source, and rows back to it: for jobs that a program
 * runs itself (`millrace/run`), and for tests of jobs.
 */
import { typedError } from '../base/typed-error.ts';
import type { SourceOf } from '../engine/api/endpoints.ts';
import type { RowInputOf } from '../engine/api/row.ts';
import { type ColumnsOf, StructType } from '../engine/api/value-type.ts';
import type { SinkSpec } from '../engine/contracts/connector.ts';
import { sourceOptionsOf } from './program/program-options.ts';
import type { RowsInput } from './program/row-feed.ts';
import { changesOf } from './program/sink-changes.ts';

export type { GivenRow, RowsInput } from './program/row-feed.ts';

/** Rows that fit a struct, in one of the forms that a program may have them in. */
export type RowsOf<F> =
  | Iterable<RowInputOf<ColumnsOf<F>>>
  | AsyncIterable<RowInputOf<ColumnsOf<F>> | readonly RowInputOf<ColumnsOf<F>>[]>
  | Extract<RowsInput, { readonly numRows: number }>;

/** How `memory.sink` takes rows. */
export interface MemorySinkSettings {
  /**
   * Of results that change while rows come: every row that goes and comes (`retract`), or the row that comes by its
   * key (`upsert`); the first column, `change`, says which: `+I`, `-U`, `+U`, `-D`.
   * @defaultValue `retract` where the input has no end; else final rows, at the end
   */
  readonly changes?: 'retract' | 'upsert';
}

/** How `memory.source` reads rows. */
export interface MemorySourceSettings {
  /**
   * Whether the rows have no end: then the job runs as a stream, and is refused when it has an operator that gives
   * its rows at the end.
   * @defaultValue false
   */
  readonly isUnbounded?: boolean;
}

/** What rows are called when nobody gave them a name. */
const nameDefault = 'rows';

/**
 * Reads rows that the program gives: here, or under a name when the job is run.
 *
 * @param rows - Objects in an array, an iterable or an async iterable, an apache-arrow table; or the
 * name under which `run(job, { inputs })` gives them. They stay in the program's thread, and go to the
 * job as fast as it reads.
 * @param struct - Their fields; each value is checked against them.
 * @throws MEMORY_ARGUMENT_INVALID
 * @example
 * ```ts
 * import { t } from 'millrace';
 * import { memory } from 'millrace/memory';
 *
 * const Trade = t.struct({ symbol: t.utf8(), price: t.float64() });
 * memory.source([{ symbol: 'A', price: 1.5 }], Trade).schema.fields.length; // => 2
 * memory.source('trades', Trade).options; // => { name: 'trades', fields: Trade.schema.fields }
 * ```
 */
function source<F>(
  rows: RowsOf<F> | string,
  struct: StructType<F>,
  settings: MemorySourceSettings = {},
): SourceOf<ColumnsOf<F>> {
  if (!(struct instanceof StructType)) {
    throw typedError('MEMORY_ARGUMENT_INVALID', 'memory.source needs a struct', {
      hint: 'Declare the fields: memory.source(rows, t.struct({ price: t.float64() })).',
    });
  }
  const { schema } = struct;
  const end = settings.isUnbounded === true ? ({ isUnbounded: true } as const) : {};
  if (typeof rows === 'string') {
    const options = sourceOptionsOf(nameOf(rows), schema);
    return Object.freeze({ connector: 'memory', options, schema, ...end });
  }
  const isRows = typeof rows === 'object' && rows !== null;
  if (!isRows || !(Symbol.iterator in rows || Symbol.asyncIterator in rows)) {
    throw typedError('MEMORY_ARGUMENT_INVALID', 'memory.source needs rows, or a name for them', {
      hint: 'Give an array of objects, an iterable of them, an apache-arrow table, or a name.',
    });
  }
  const options = sourceOptionsOf(nameDefault, schema);
  return Object.freeze({ connector: 'memory', options, schema, feed: rows as RowsInput, ...end });
}

/**
 * Gives the rows back to the program that runs the job, in their order.
 *
 * @param name - Where `run` has them: `const { rows } = await run(job)`. @defaultValue 'rows'
 * @throws MEMORY_ARGUMENT_INVALID, CHANGES_OPTION_INVALID
 * @example
 * ```ts
 * import { memory } from 'millrace/memory';
 *
 * memory.sink().options; // => { name: 'rows' }
 * memory.sink('late').isParallel; // => false
 * memory.sink('counts', { changes: 'retract' }).changes?.column; // => 'change'
 * ```
 */
function sink(name: string = nameDefault, settings: MemorySinkSettings = {}): SinkSpec {
  const changes = changesOf('memory.sink', settings.changes);
  const options = { name: nameOf(name) };
  return Object.freeze({ connector: 'memory', options, isParallel: false, changes });
}

/** Rows in memory: see `memory.source` and `memory.sink`. */
export const memory = Object.freeze({
  /** Rows of the program as a source. */
  source,
  /** The program as a sink of rows. */
  sink,
});

function nameOf(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw typedError('MEMORY_ARGUMENT_INVALID', 'rows of memory need a name that is a text', {
    hint: 'Write memory.sink("late"), or nothing: memory.sink().',
  });
}
