/** `agg`: the functions of `aggregate`, one value per key and function. */
import { typedError } from '../../base/typed-error.ts';
import { exprText } from '../expr/expr-text.ts';
import {
  type AggregateFunction,
  aggregateFieldOf,
  aggregateInputs,
} from '../plan/aggregate-functions.ts';
import type { AggregateSpec } from '../plan/logical-graph.ts';
import { int64Type, typeText } from '../schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../schema/schema.ts';
import type { AnyColumn, Column } from './column.ts';
import type { ColumnKind, ListKind, PlainNumberKind, StructKind } from './column-kind.ts';
import { callLambda, expressionIn } from './row.ts';

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
  readonly function: AggregateFunction;
  /** Gives the column that is folded; null counts rows. */
  readonly input: ((row: never) => unknown) | null;

  constructor(name: AggregateFunction, input: ((row: never) => unknown) | null) {
    this.function = name;
    this.input = input;
    Object.freeze(this);
  }
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

function avg<C, N extends boolean>(
  input: (row: C) => Column<NumberKind, unknown, N>,
): Averaged<C, N> {
  return new Aggregate('avg', input);
}

function first<C, K extends ColumnKind, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
): Aggregate<C, K, V, N> {
  return new Aggregate('first', input);
}

function last<C, K extends ColumnKind, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
): Aggregate<C, K, V, N> {
  return new Aggregate('last', input);
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
 * - `sum` of whole numbers is an exact int64, of decimals an exact decimal of 38 digits (an overflow
 *   ends the job), of floats a float64.
 * - `avg` is a float64; of whole numbers and decimals it is made of their exact sum.
 * - `min` and `max` have the type of their column. NaN is above all numbers; texts are ordered by
 *   their bytes.
 * - `first` and `last` are by the order in which rows arrive. Several tasks read in no fixed order,
 *   so then they are some value.
 * - `stddev` and `variance` are of a sample (divided by n - 1), null for a single value; `stddevPop`
 *   and `variancePop` of all there is (divided by n).
 *
 * @example
 * ```ts
 * import { agg, defineJob } from 'millrace';
 * import { files, text } from 'millrace/files';
 *
 * defineJob({
 *   name: 'lines',
 *   build: ({ read }) =>
 *     read(files.source({ path: 'in.txt', format: text() }))
 *       .keyBy((line) => line.text)
 *       .aggregate({ count: agg.count() })
 *       .writeTo(files.sink({ path: 'out.csv' })),
 * }).kind; // => 'millrace.job'
 * ```
 */
export const agg = Object.freeze({
  /** Rows, or with a column its values that are not null. */
  count,
  /** Different values of a column that are not null. */
  countDistinct,
  /** The sum of a column: exact for whole numbers and decimals, an overflow ends the job. */
  sum,
  /** The mean of a column. */
  avg,
  /** The smallest value of a column. */
  min,
  /** The largest value of a column. */
  max,
  /** The value that arrives first, in no fixed order where several tasks read. */
  first,
  /** The value that arrives last, in no fixed order where several tasks read. */
  last,
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
): { spec: AggregateSpec; field: Field } {
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
  const field = aggregateFieldOf(name, kind, input);
  if (field === null) {
    const message = `${verb} needs ${aggregateInputs[kind]}, "${exprText(input)}" is ${typeText(input.type)}`;
    throw typedError('EXPR_TYPE_MISMATCH', message, { hint: 'Give another field of the row.' });
  }
  return { spec: { name, function: kind, input }, field };
}
