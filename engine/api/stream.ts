/**
 * Streams: what a job is written with. A verb makes a new stream and changes none; nothing runs.
 *
 *     expressions   where  select  derive  keyBy  aggregate  over  orderBy    a tree that the planner compiles
 *     functions     filter  map  flatMap  reduce  mapReduce              any JavaScript, called per row
 *
 * A stream may be used twice: each use reads all of its rows. `union` puts streams together.
 * Each verb checks what it is given at once, so an error points at the line of the job.
 * Verbs of several streams are in stream-joins.ts and stream-sets.ts, those with state in keyed-process.ts,
 * functions over windows in window-process.ts.
 * Before: engine/api/define-job.ts · After: engine/plan/logical-graph.ts
 */
import type { NamedExpr } from '../expr/expr.ts';
import {
  appendNode,
  type NodeContent,
  type NodeDraft,
  type VerbOptions,
} from '../plan/logical-node.ts';
import type { UserFunctions } from '../plan/user-functions.ts';
import { aggregateNode } from './aggregate-node.ts';
import {
  type AnalyticFunctions,
  type AnalyticsOf,
  type Analyzed,
  type OverOptions,
  overContent,
} from './analytic.ts';
import type { AnyColumn, Column, SortOrder } from './column.ts';
import type { ColumnKind } from './column-kind.ts';
import { type SinkOf, WrittenStream, withAside } from './endpoints.ts';
import type {
  Aggregated,
  AggregatedAll,
  AggregatesOf,
  Grouping,
  Named,
  Together,
} from './grouping.ts';
import { keysOf } from './grouping.ts';
import { type MapReduceOptions, mapReduceParts, type PairType } from './map-reduce.ts';
import type { Columns, RowInputOf, RowOf, Shown, ValuesOf } from './row.ts';
import { callLambda, conditionIn } from './row.ts';
import { deriveContent, type Selected, selectContent } from './select.ts';
import { appendSort, ordersIn } from './sort-order.ts';
import type { AggregateOptions } from './updates.ts';
import type { ColumnsOf, StructType } from './value-type.ts';
import { functionIn, noStream, type VerbOfStreams, wholeCount } from './verb-arguments.ts';
import type { BoundsOf, EventTimeOptions, TimeColumn } from './window.ts';
import { eventTimeContent, windowGrouping } from './window.ts';
import type { WindowOptions } from './window-firing.ts';
import type { Window } from './windows.ts';

/**
 * Rows with the columns C.
 *
 * @example
 * ```ts
 * import { defineJob, explode, words } from 'millrace';
 * import { files, text } from 'millrace/files';
 *
 * const job = defineJob({
 *   name: 'long-words',
 *   build: ({ read }) =>
 *     read(files.source({ path: 'in.txt', format: text() }))
 *       .select((line) => ({ word: explode(words(line.text)) }))
 *       .where((row) => row.word.ge('m'))
 *       .writeTo(files.sink({ path: 'out.csv' })),
 * });
 * job.name; // => 'long-words'
 * ```
 */
export class Stream<C> {
  readonly #node: NodeDraft;

  /** Made by `read` and by verbs only. */
  constructor(node: NodeDraft) {
    this.#node = node;
  }

  /** For verbs of files beside this one (stream-joins.ts). Not part of the public API. */
  static nodeIn(verb: VerbOfStreams, given: unknown): NodeDraft {
    return given instanceof Stream ? given.#node : noStream(verb, given);
  }

  /**
   * Keeps the rows for which the condition is true; neither false nor null is.
   *
   * @throws EXPR_JAVASCRIPT_OPERATOR, EXPR_NO_COLUMN, EXPR_TYPE_MISMATCH
   */
  where(condition: (row: C) => Column<'bool', boolean, boolean>, options?: VerbOptions): Stream<C> {
    const predicate = conditionIn('where', this.#call('where', condition), {
      needed: 'a condition',
      example: 'Compare the column with something: row.count.gt(1).',
    });
    return this.#append({ kind: 'where', predicate, schema: this.#schema }, options);
  }

  /**
   * Makes new rows: one column for each property of the object, in its order. A property is a column,
   * a literal, or one `explode(words(column))`, which makes a row per word.
   *
   * @throws PLAN_EMPTY_SELECT, PLAN_ONE_EXPLODE, EXPR_JAVASCRIPT_OPERATOR, EXPR_NO_COLUMN
   */
  select<const S extends object>(
    columns: (row: C) => S,
    options?: VerbOptions,
  ): Stream<Shown<Selected<S>>> {
    return this.#append(selectContent(this.#call('select', columns)), options);
  }

  /**
   * Adds columns to the row, or replaces those of the same name. A property is a column or a literal;
   * all see the row as it comes in.
   *
   * @throws PLAN_EMPTY_SELECT, EXPR_JAVASCRIPT_OPERATOR, EXPR_NO_COLUMN
   * @example `derive((bid) => ({ total: bid.price.mul(bid.quantity) }))`
   */
  derive<const S extends object>(
    columns: (row: C) => S,
    options?: VerbOptions,
  ): Stream<Shown<Together<Selected<S>, C>>> {
    return this.#append(deriveContent(this.#call('derive', columns), this.#schema), options);
  }

  /**
   * Keeps the rows for which a function answers true. Where an expression can say it, `where` is
   * faster: the planner sees what it reads.
   *
   * @param filter - Must answer true or false. The row is valid during the call.
   */
  filter(filter: (row: RowOf<C>) => boolean, options?: VerbOptions): Stream<C> {
    const functions = { kind: 'filter', filter: functionIn('filter', filter) };
    return this.#append({ kind: 'filter', schema: this.#schema }, options, functions as never);
  }

  /**
   * Calls a function for each row; what it returns is the new row.
   *
   * @param output - The fields of the new rows; each value is checked against them.
   * @param map - The row is valid during the call.
   * @example `map(t.struct({ host: t.utf8() }), (row) => ({ host: new URL(row.url).host }))`
   */
  map<F>(
    output: StructType<F>,
    map: (row: RowOf<C>) => RowInputOf<ColumnsOf<F>>,
    options?: VerbOptions,
  ): Stream<Shown<ColumnsOf<F>>> {
    const functions = { kind: 'map', map: functionIn('map', map, output) };
    return this.#append({ kind: 'map', schema: output.schema }, options, functions as never);
  }

  /**
   * Calls a function for each row; what it returns are the new rows, none or many.
   *
   * @param output - The fields of the new rows; each value is checked against them.
   * @param flatMap - Called in the order of the rows of a batch. The row is valid during the call.
   */
  flatMap<F>(
    output: StructType<F>,
    flatMap: (row: RowOf<C>) => Iterable<RowInputOf<ColumnsOf<F>>>,
    options?: VerbOptions,
  ): Stream<Shown<ColumnsOf<F>>> {
    const functions = { kind: 'flatMap', flatMap: functionIn('flatMap', flatMap, output) };
    return this.#append({ kind: 'flatMap', schema: output.schema }, options, functions as never);
  }

  /**
   * Groups by one key or several: a column, a list of columns, or `{ name: expression }`. An expression
   * without a name becomes the column "key". A null is a key like others, as in SQL.
   *
   * @throws PLAN_DUPLICATE_NAME, EXPR_TYPE_MISMATCH
   * @example `keyBy((bid) => ({ user: bid.user, isLate: bid.at.gt(limit) }))`
   */
  keyBy<K extends ColumnKind, V, N extends boolean, Name extends string>(
    key: (row: Selected<C>) => Column<K, V, N, Name>,
  ): KeyedStream<C, { readonly [P in Name]: Column<K, V, N, P> }>;
  keyBy<const S extends readonly AnyColumn[]>(
    keys: (row: Selected<C>) => S,
  ): KeyedStream<C, Selected<Named<S>>>;
  keyBy<const S extends Columns>(keys: (row: Selected<C>) => S): KeyedStream<C, Selected<S>>;
  keyBy(keys: (row: never) => unknown): unknown {
    return new KeyedStream(this.#node, keysOf(this.#call('keyBy', keys)));
  }

  /**
   * Says which field is the event time: when what a row is about happened. Windows go by it.
   *
   * The field is followed through `where`, `derive`, `select` and other verbs that hand it on. Functions
   * and aggregates make new rows: say it again behind them.
   *
   * @param time - A field with a timestamp.
   * @throws EXPR_TYPE_MISMATCH
   */
  eventTime(
    time: (row: C) => TimeColumn,
    options: EventTimeOptions<C> = {},
    verb?: VerbOptions,
  ): Stream<C> {
    const node = appendNode([this.#node], eventTimeContent(this.#schema, time, options), verb);
    return new Stream(withAside(node, options.untimely));
  }

  /**
   * Groups all rows by windows of event time.
   *
   * @throws PLAN_NO_EVENT_TIME
   * @example `window(tumbling({ sizeMs: 60_000 })).aggregate({ bids: agg.count() })`
   */
  window<B extends boolean>(by: Window<B>, options?: WindowOptions): WindowedStream<C, unknown, B> {
    return new WindowedStream(this.#node, windowGrouping([], by, this.#node, options));
  }

  /**
   * One row: aggregates of all rows. It is there even when they are none: then counts are 0, and all else is
   * null. Beside each row of another stream (`crossJoin`) it is what SQL calls a scalar subquery.
   *
   * @example `aggregate({ bids: agg.count(), top: agg.max((bid) => bid.price) })`
   */
  aggregate<A extends AggregatesOf<C>>(
    aggregates: A,
    options?: AggregateOptions,
  ): Stream<Shown<AggregatedAll<A>>> {
    return new Stream(aggregateNode(this.#node, { keys: [], window: null }, aggregates, options));
  }

  /** Keeps one of the rows whose columns are all equal; nulls are equal to nulls, NaN to NaN. */
  distinct(options?: VerbOptions): Stream<C> {
    return this.#append({ kind: 'distinct', schema: this.#schema }, options);
  }

  /**
   * Sorts all rows; the job's output is in this order. Followed by `limit` it keeps the first rows
   * only and never sorts the others.
   *
   * @param order - `row.count.desc()`, or a list: `[row.price.mul(row.quantity).desc(), row.word.asc()]`.
   */
  orderBy(order: (row: C) => SortOrder | readonly SortOrder[], options?: VerbOptions): Stream<C> {
    const orders = ordersIn('orderBy', this.#call('orderBy', order));
    return new Stream(appendSort(this.#node, orders, options));
  }

  /**
   * Keeps the first `count` rows; which ones is defined after `orderBy` only.
   *
   * @param count - A whole number from 0 on; undefined or null keep all rows.
   */
  limit(count: number | bigint | null | undefined, options?: VerbOptions): Stream<C> {
    if (count === undefined || count === null) return this;
    const rows = wholeCount('limit', count);
    return this.#append({ kind: 'limit', count: rows, schema: this.#schema }, options);
  }

  /**
   * Adds columns with values of other rows of a partition, SQL's window functions; rows come out in any order.
   *
   * @throws PLAN_DUPLICATE_NAME, EXPR_TYPE_MISMATCH
   * @example `over({ partitionBy: (bid) => bid.user, orderBy: (bid) => bid.at.asc() }, (w) => ({ place: w.rowNumber() }))`
   */
  over<const A extends AnalyticsOf>(
    rows: OverOptions<C>,
    functions: (analytic: AnalyticFunctions, row: C) => A,
    options?: VerbOptions,
  ): Stream<Shown<Together<Analyzed<A>, C>>> {
    return this.#append(overContent(this.#schema, rows, functions), options);
  }

  /**
   * MapReduce: `map` emits pairs, `reduce` is called once per key with all values of that key.
   * `combine` folds values early, where they were made, and so saves most of the traffic.
   */
  mapReduce<K extends PairType, W extends PairType, F>(
    options: MapReduceOptions<C, K, W, F>,
    verb?: VerbOptions,
  ): Stream<Shown<ColumnsOf<F>>> {
    const { content, functions } = mapReduceParts(options);
    return this.#append(content, verb, functions);
  }

  /** Ends the stream: `build` returns what this returns, or a list of such ends. */
  writeTo(sink: SinkOf, options: VerbOptions = {}): WrittenStream {
    return new WrittenStream(this.#node, sink, options);
  }

  get #schema() {
    return this.#node.content.schema;
  }

  #call(verb: string, lambda: (row: never) => unknown): unknown {
    return callLambda(verb, this.#schema, lambda);
  }

  #append<D>(
    content: NodeContent,
    options?: VerbOptions,
    functions: UserFunctions | null = null,
  ): Stream<D> {
    return new Stream(appendNode([this.#node], content, options, functions));
  }
}

/** A stream grouped by one key or several: `aggregate` makes one row per combination. */
export class KeyedStream<C, Key> {
  readonly #node: NodeDraft;
  readonly #keys: readonly NamedExpr[];

  /** Made by `keyBy` only. */
  constructor(node: NodeDraft, keys: readonly NamedExpr[]) {
    this.#node = node;
    this.#keys = keys;
  }

  /** For verbs of files beside this one (keyed-process.ts). Not part of the public API. */
  static partsOf = (of: KeyedStream<never, never>) => ({ node: of.#node, keys: of.#keys });

  /**
   * One row per key: the keys, and each aggregate under its name.
   *
   * @throws PLAN_DUPLICATE_NAME when an aggregate is named as a key is
   * @example `aggregate({ bids: agg.count(), top: agg.max((bid) => bid.price) })`
   */
  aggregate<A extends AggregatesOf<C>>(
    aggregates: A,
    options?: AggregateOptions,
  ): Stream<Shown<Together<Key, Aggregated<A>>>> {
    const grouping = { keys: this.#keys, window: null };
    return new Stream(aggregateNode(this.#node, grouping, aggregates, options));
  }

  /**
   * Groups by windows of event time as well: one row per key and window.
   *
   * @throws PLAN_NO_EVENT_TIME
   * @example `keyBy((bid) => bid.auction).window(tumbling({ sizeMs: 60_000 })).aggregate({ bids: agg.count() })`
   */
  window<B extends boolean>(by: Window<B>, options?: WindowOptions): WindowedStream<C, Key, B> {
    return new WindowedStream(this.#node, windowGrouping(this.#keys, by, this.#node, options));
  }

  /**
   * One row per key: a function folds the rows of the key, two at a time. Where an aggregate can say
   * it, `aggregate` is faster.
   *
   * The function must give the same whatever rows it is given first, for rows are folded where they are
   * read and again where they meet: `reduce(reduce(a, b), c)` is `reduce(a, reduce(b, c))`.
   *
   * @param reduce - `left` is what was folded so far, `right` a row that is valid during the call; it may
   * answer either, or a new row with the same key. It is not called for a key with one row.
   * @example `keyBy((bid) => bid.auction).reduce((best, bid) => (bid.price > best.price ? bid : best))`
   */
  reduce(
    reduce: (left: ValuesOf<C>, right: RowOf<C>) => ValuesOf<C>,
    options?: VerbOptions,
  ): Stream<C> {
    const { schema } = this.#node.content;
    const content = { kind: 'reduce', keys: this.#keys, schema } as const;
    const functions = { kind: 'reduce', reduce: functionIn('reduce', reduce) };
    return new Stream(appendNode([this.#node], content, options, functions as never));
  }
}

/** A stream grouped by windows, and by keys: `aggregate` makes one row per window and combination. */
export class WindowedStream<C, Key, Bounded extends boolean = true> {
  readonly #node: NodeDraft;
  readonly #grouping: Grouping;

  /** Made by `window` only. */
  constructor(node: NodeDraft, grouping: Grouping) {
    this.#node = node;
    this.#grouping = grouping;
  }

  /** For verbs of files beside this one (window-process.ts). Not part of the public API. */
  static partsOf = (of: WindowedStream<never, never, boolean>) => ({
    node: of.#node,
    grouping: of.#grouping,
  });

  /**
   * One row per window and key: `windowStart` and `windowEnd` (timestamps in milliseconds, where windows have bounds),
   * the keys, and each aggregate. A row without event time ends the job (EVENT_TIME_MISSING) unless it is to be late.
   *
   * @throws PLAN_DUPLICATE_NAME
   */
  aggregate<A extends AggregatesOf<C>>(
    aggregates: A,
    options?: VerbOptions,
  ): Stream<Shown<Together<BoundsOf<Bounded>, Together<Key, Aggregated<A>>>>> {
    return new Stream(aggregateNode(this.#node, this.#grouping, aggregates, options));
  }
}
