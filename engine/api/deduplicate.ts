/**
 * `keyBy(…).deduplicate(…)`: of the rows of a key the first, or the last. Adds its verb to `KeyedStream`, whose file has
 * no room for it; who makes streams imports this file.
 *
 *     over(by the keys, in order of the time, place = rowNumber) · where place <= 1 · select without place
 *
 * Made of other verbs, so that all that is known of those (a filter of ranks in batch, changes in streams) is known of it.
 */
import { typedError } from '../../base/typed-error.ts';
import { columnExpr, compareExpr } from '../expr/expr-factory.ts';
import { typedLiteral } from '../expr/literal.ts';
import { appendNode, type NodeContent, type VerbOptions } from '../plan/logical-node.ts';
import { int64Type } from '../schema/field-type.ts';
import { fieldIndexOf, fieldOf, freeName } from '../schema/schema.ts';
import { addMethods } from './add-methods.ts';
import type { AnyColumn } from './column.ts';
import { callLambda, describe, expressionIn } from './row.ts';
import { KeyedStream, Stream } from './stream.ts';
import { eventTimeColumn } from './window.ts';

/** Which row of a key `deduplicate` keeps. */
export interface DeduplicateOptions<C> {
  /** The first row of each key, or the last. */
  readonly keep: 'first' | 'last';
  /**
   * What is lowest in the first row and highest in the last; nulls are last either way. @defaultValue the event time
   *
   * @example `deduplicate({ keep: 'last', by: (order) => order.version })`
   */
  readonly by?: (row: C) => AnyColumn;
}

declare module './stream.ts' {
  interface KeyedStream<C, Key> {
    /**
     * Keeps one row of each key: the first, or the last, by event time, where `by` names no other column. Of rows that are
     * equal there any one is kept.
     *
     * In a stream a row may come that was before the one that was first, so it gives out changes: to sinks that take
     * them, and to operators that do. Where those take added rows only, it gives its rows at the end of the input.
     *
     * @throws JOB_ARGUMENT_INVALID, PLAN_NO_EVENT_TIME
     * @example
     * ```ts
     * import { defineJob, t } from 'millrace';
     * import { files, ndjson } from 'millrace/files';
     *
     * const Order = t.struct({ id: t.int64(), at: t.timestampMs(), state: t.utf8() });
     *
     * const job = defineJob({
     *   name: 'newest-states',
     *   build: ({ read }) =>
     *     read(files.source({ path: 'orders.jsonl', format: ndjson(Order) }))
     *       .eventTime((order) => order.at)
     *       .keyBy((order) => order.id)
     *       .deduplicate({ keep: 'last' })
     *       .writeTo(files.sink({ path: 'newest.csv' })),
     * });
     * job.name; // => 'newest-states'
     * ```
     */
    deduplicate(options: DeduplicateOptions<C>, verb?: VerbOptions): Stream<C>;
  }
}

function deduplicate<C>(
  this: KeyedStream<C, unknown>,
  options: DeduplicateOptions<C>,
  verb?: VerbOptions,
): Stream<C> {
  const { node, keys } = KeyedStream.partsOf(this as never);
  const { schema } = node.content;
  const { keep, by } = options ?? {};
  if (keep !== 'first' && keep !== 'last') throw keepInvalid(keep);
  const time = by === undefined ? eventTimeColumn(node) : null;
  const field = time === null ? undefined : schema.fields[fieldIndexOf(schema, time)];
  if (by === undefined && field === undefined) throw noEventTime();
  const expr =
    field === undefined
      ? expressionIn(
          'deduplicate',
          callLambda('by of deduplicate', schema, by as never),
          'a column',
        )
      : columnExpr(field);
  const name = freeName('place', new Set(schema.fields.map((one) => one.name)));
  const place = fieldOf(name, int64Type);
  const wide = { fields: [...schema.fields, place] };
  const contents: readonly NodeContent[] = [
    {
      kind: 'analytic',
      partition: keys,
      order: [{ expr, isDescending: keep === 'last', areNullsFirst: false }],
      functions: [{ name, kind: 'rank', function: 'rowNumber' }],
      schema: wide,
    },
    {
      kind: 'where',
      predicate: compareExpr('le', columnExpr(place), typedLiteral(1n, int64Type)),
      schema: wide,
    },
    {
      kind: 'select',
      columns: schema.fields.map((one) => ({ name: one.name, expr: columnExpr(one) })),
      schema,
    },
  ];
  const last = contents.reduce((before, content) => {
    return appendNode([before], content, content.kind === 'analytic' ? verb : undefined);
  }, node);
  return new Stream(last);
}

function keepInvalid(keep: unknown): Error {
  return typedError('JOB_ARGUMENT_INVALID', `keep of deduplicate is ${describe(keep)}`, {
    hint: "Say which row of a key stays: deduplicate({ keep: 'first' }) or deduplicate({ keep: 'last' }).",
  });
}

function noEventTime(): Error {
  return typedError('PLAN_NO_EVENT_TIME', 'deduplicate needs to know which row is the first', {
    hint: "Say which field is the event time, eventTime((row) => row.at), or what to go by: deduplicate({ keep: 'last', by: (row) => row.version }).",
  });
}

addMethods(KeyedStream, { deduplicate });
