/** `agg`: the functions of `aggregate`, one value per key and function. */
import { typedError } from '../../base/typed-error.ts';
import { exprText } from '../expr/expr-text.ts';
import {
  type AggregateFunction,
  aggregateFieldOf,
  aggregateInputs,
} from '../plan/aggregate-functions.ts';
import type { OrderedAggregateSpec } from '../plan/logical-graph.ts';
import { int64Type, typeText, utf8Type } from '../schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../schema/schema.ts';
import type { AnyColumn, Column, SortOrder } from './column.ts';
import type {
  ColumnKind,
  ListKind,
  PlainNumberKind,
  StructKind,
  TimestampKind,
} from './column-kind.ts';
import { callLambda, describe, expressionIn } from './row.ts';

declare const aggregateTypes: unique symbol;

/**
 * An aggregate of rows with the columns C; its result is a column of kind K, which may be null as N says for a
 * key, and as E says where there may be no rows at all.
 */
export class Aggregate<C, K extends ColumnKind, V, N extends boolean, E extends boolean = true> {
  /** @internal */
  declare readonly [aggregateTypes]: {
    columns: (row: C) => void;
    kind: K;
    value: V;
    nullable: N;
    nullableEmpty: E;
  };
  readonly function: AggregateFunction | 'stringAgg';
  /** Gives the column that is folded; null counts rows. */
  readonly input: ((row: never) => unknown) | null;
  /** The order of the rows; null where it does not matter. */
  readonly orderBy: ((row: never) => unknown) | null;
  /** What stands between texts. */
  readonly separator: string;
  /** Which quantile; null for what is none. */
  readonly quantile: number | null;

  constructor(
    name: AggregateFunction | 'stringAgg',
    input: ((row: never) => unknown) | null,
    { orderBy = null, separator = '', quantile = null }: AggregateRows = {},
  ) {
    this.function = name;
    this.input = input;
    this.orderBy = orderBy;
    this.separator = separator;
    this.quantile = quantile;
    Object.freeze(this);
  }
}

interface AggregateRows {
  readonly orderBy?: ((row: never) => unknown) | null;
  readonly separator?: string;
  readonly quantile?: number | null;
}

/** In which order an aggregate gets its rows. */
export interface AggregateOrder<C> {
  /** @defaultValue the order in which they arrive, which is none where several tasks read */
  readonly orderBy?: (row: C) => SortOrder | readonly SortOrder[];
}

/** All that is less or greater: every kind but lists and structs. */
export type Ordered = Exclude<ColumnKind, ListKind | StructKind>;
/** What is summed and has an average and a deviation. */
export type NumberKind = PlainNumberKind | 'int64' | 'decimal';
/** A count of nothing is 0. */
type Count<C> = Aggregate<C, 'int64', bigint, false, false>;
type Averaged<C, N extends boolean> = Aggregate<C, 'float64', number, N>;
export type SumKind<K> = K extends 'float32' | 'float64'
  ? 'float64'
  : K extends 'decimal'
    ? 'decimal'
    : 'int64';
/** What has quantiles besides numbers. */
type TimeKind = 'date' | TimestampKind;
type QuantileKind<K> = K extends TimeKind ? K : 'float64';
type QuantileValue<K, V> = K extends TimeKind ? V : number;
export type SumValue<K, V> = K extends 'int64' | 'decimal' | 'float32' | 'float64' ? V : bigint;

function count(): Count<unknown>;
function count<C>(input: (row: C) => AnyColumn): Count<C>;
function count<C>(input?: (row: C) => AnyColumn): Count<C> {
  return new Aggregate('count', input ?? null);
}

function sum<C, K extends NumberKind, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
): Aggregate<C, SumKind<K>, SumValue<K, V>, N> {
  return new Aggregate('sum', input);
}

function min<C, K extends Ordered, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
): Aggregate<C, K, V, N> {
  return new Aggregate('min', input);
}

function max<C, K extends Ordered, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
): Aggregate<C, K, V, N> {
  return new Aggregate('max', input);
}

function countDistinct<C>(input: (row: C) => AnyColumn): Count<C> {
  return new Aggregate('countDistinct', input);
}

function approxDistinct<C>(input: (row: C) => AnyColumn): Count<C> {
  return new Aggregate('approxDistinct', input);
}

function approxQuantile<C, K extends NumberKind | TimeKind, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
  quantile: number,
): Aggregate<C, QuantileKind<K>, QuantileValue<K, V>, N> {
  if (typeof quantile !== 'number' || !(quantile >= 0 && quantile <= 1)) {
    throw typedError('JOB_ARGUMENT_INVALID', `agg.approxQuantile of ${describe(quantile)}`, {
      hint: 'Give a number from 0, the least value, to 1, the greatest; 0.5 is the median.',
    });
  }
  return new Aggregate('approxQuantile', input, { quantile });
}

function avg<C, N extends boolean>(
  input: (row: C) => Column<NumberKind, unknown, N>,
): Averaged<C, N> {
  return new Aggregate('avg', input);
}

function first<C, K extends ColumnKind, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
  order: AggregateOrder<C> = {},
): Aggregate<C, K, V, N> {
  return new Aggregate('first', input, order as AggregateRows);
}

function last<C, K extends ColumnKind, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
  order: AggregateOrder<C> = {},
): Aggregate<C, K, V, N> {
  return new Aggregate('last', input, order as AggregateRows);
}

function stringAgg<C, N extends boolean>(
  input: (row: C) => Column<'utf8', string, N>,
  separator: string,
  order: AggregateOrder<C> = {},
): Aggregate<C, 'utf8', string, N> {
  return new Aggregate('stringAgg', input, { ...(order as AggregateRows), separator });
}

function stddev<C>(input: (row: C) => Column<NumberKind, unknown, boolean>): Averaged<C, true> {
  return new Aggregate('stddev', input);
}

function stddevPop<C, N extends boolean>(
  input: (row: C) => Column<NumberKind, unknown, N>,
): Averaged<C, N> {
  return new Aggregate('stddevPop', input);
}

function variance<C>(input: (row: C) => Column<NumberKind, unknown, boolean>): Averaged<C, true> {
  return new Aggregate('variance', input);
}

function variancePop<C, N extends boolean>(
  input: (row: C) => Column<NumberKind, unknown, N>,
): Averaged<C, N> {
  return new Aggregate('variancePop', input);
}

/**
 * The aggregate functions, as SQL has them: nulls are left out, and what is made of nothing but nulls
 * is null.
 *
 * - `count()` counts rows, `count((row) => row.user)` the values that are not null, `countDistinct`
 *   the different ones: an int64.
 * - `approxDistinct` is an estimate of `countDistinct` in bounded memory: a HyperLogLog of 4,096 registers, whose
 *   standard error is 1.6 %. It is the same in every run.
 * - `approxQuantile` is an estimate in bounded memory of the value that a share of all values lies below, 0.5 for the median:
 *   a t-digest of at most 400 centroids. Of up to 250 values it is exact, by a straight line between two neighbours as
 *   SQL's `percentile_cont`; of more, its rank is off by some thousandths in the middle, by less near the ends, and 0
 *   and 1 give the least and the greatest value. Numbers and decimals give a float64, dates and timestamps their own type,
 *   rounded; NaN is above all numbers. Within that error it may differ from run to run. Several quantiles of one column are
 *   one digest.
 * - `sum` of whole numbers is an exact int64, of decimals an exact decimal of 38 digits (an overflow
 *   ends the job), of floats a float64.
 * - `avg` is a float64; of whole numbers and decimals it is made of their exact sum.
 * - `min` and `max` have the type of their column. NaN is above all numbers; texts are ordered by
 *   their bytes.
 * - `first` and `last` are by `orderBy`, or by the order in which rows arrive. Several tasks read in no fixed
 *   order, so then they are some value. By windows, `stringAgg` without `orderBy` is in the order of event time.
 * - `stringAgg` joins texts in the order of `orderBy`: `agg.stringAgg((bid) => bid.url, ', ', { orderBy: (bid) =>
 *   bid.at.asc() })`. Each different order of an `aggregate` is a sort.
 * - `stddev` and `variance` are of a sample (divided by n - 1), null for a single value; `stddevPop`
 *   and `variancePop` of all there is (divided by n).
 *
 * @example
 * ```ts
 * import { agg, defineJob, when } from 'millrace';
 * import { files, text } from 'millrace/files';
 *
 * defineJob({
 *   name: 'lines',
 *   build: ({ read }) =>
 *     read(files.source({ path: 'in.txt', format: text() }))
 *       .derive((line) => ({ level: line.text.left(5) }))
 *       .keyBy((line) => line.level)
 *       .aggregate({
 *         count: agg.count(),
 *         // A pivot: a column for each case.
 *         ofDisks: agg.count((line) => when(line.text.contains('disk'), true).otherwise(null)),
 *         first: agg.first((line) => line.text, { orderBy: (line) => line.text.asc() }),
 *       })
 *       // What SQL calls having.
 *       .where((row) => row.count.gt(1))
 *       .writeTo(files.sink({ path: 'out.csv' })),
 * }).kind; // => 'millrace.job'
 * ```
 */
export const agg = Object.freeze({
  /** Rows, or with a column its values that are not null. */
  count,
  /** Different values of a column that are not null. */
  countDistinct,
  /** About how many different values a column has that are not null. */
  approxDistinct,
  /** About the value that a share of all values lies below, from 0 to 1: `agg.approxQuantile((row) => row.ms, 0.99)`. */
  approxQuantile,
  /** The sum of a column: exact for whole numbers and decimals, an overflow ends the job. */
  sum,
  /** The mean of a column. */
  avg,
  /** The smallest value of a column. */
  min,
  /** The largest value of a column. */
  max,
  /** The first value in an order, or the one that arrives first, in no fixed order where several tasks read. */
  first,
  /** The last value in an order, or the one that arrives last, in no fixed order where several tasks read. */
  last,
  /** Texts, one after the other, with a separator between. */
  stringAgg,
  /** The standard deviation of a sample; null for a single value. */
  stddev,
  /** The standard deviation of all there is. */
  stddevPop,
  /** The variance of a sample; null for a single value. */
  variance,
  /** The variance of all there is. */
  variancePop,
});

/** An aggregate as the plan has it, and the field of its result. */
export function planAggregate(
  name: string,
  aggregate: unknown,
  schema: Schema,
): { spec: OrderedAggregateSpec; field: Field } {
  if (!(aggregate instanceof Aggregate)) {
    throw typedError('JOB_ARGUMENT_INVALID', `"${name}" of aggregate is no aggregate`, {
      hint: 'Write agg.count(), or agg.sum, agg.min, agg.max with a lambda: agg.max((row) => row.price).',
    });
  }
  const kind = aggregate.function;
  if (aggregate.input === null && kind === 'count') {
    return { spec: { name, function: kind, input: null }, field: fieldOf(name, int64Type) };
  }
  const verb = `agg.${kind}`;
  const input = expressionIn(
    verb,
    callLambda(verb, schema, aggregate.input as (row: never) => unknown),
    'a column',
  );
  if (kind === 'stringAgg') {
    if (input.type.kind === 'utf8' && typeof aggregate.separator === 'string') {
      const { separator } = aggregate;
      const spec = { name, function: kind, input, separator } as const;
      return { spec, field: fieldOf(name, utf8Type, input.nullable) };
    }
    const message = `${verb} needs a text and a separator, "${exprText(input)}" is ${typeText(input.type)}`;
    throw typedError('EXPR_TYPE_MISMATCH', message, { hint: 'Cast the column to utf8.' });
  }
  const field = aggregateFieldOf(name, kind, input);
  if (field === null) {
    const message = `${verb} needs ${aggregateInputs[kind]}, "${exprText(input)}" is ${typeText(input.type)}`;
    throw typedError('EXPR_TYPE_MISMATCH', message, { hint: 'Give another field of the row.' });
  }
  const { quantile } = aggregate;
  return { spec: { name, function: kind, input, ...(quantile !== null && { quantile }) }, field };
}
