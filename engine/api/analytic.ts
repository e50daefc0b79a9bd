/**
 * Analytic functions, SQL's window functions: what `over` may be given, the types of what comes out, and its
 * logical node. Each row gets values of other rows of its partition; none is dropped or put together.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Expr } from '../expr/expr.ts';
import { exprText } from '../expr/expr-text.ts';
import { checkLambdaSource } from '../expr/lambda-source.ts';
import { typedLiteral } from '../expr/literal.ts';
import {
  type AggregateFunction,
  aggregateFieldOf,
  aggregateInputs,
} from '../plan/aggregate-functions.ts';
import type { AnalyticSpec, Frame, RankFunction } from '../plan/analytic-functions.ts';
import type { NodeContent } from '../plan/logical-node.ts';
import { int64Type, typeText } from '../schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../schema/schema.ts';
import {
  Aggregate,
  type NumberKind,
  type Ordered,
  type SumKind,
  type SumValue,
} from './aggregates.ts';
import {
  type AnyColumn,
  Column,
  type ColumnOf,
  type LiteralFor,
  type NullableWith,
  type SortOrder,
} from './column.ts';
import type { ColumnKind } from './column-kind.ts';
import { keysOf } from './grouping.ts';
import { callLambda, describe, expressionIn } from './row.ts';
import { ordersIn } from './sort-order.ts';

declare const analyticTypes: unique symbol;

/** What `over` knows when it makes the plan of a function. */
interface Place {
  readonly name: string;
  readonly hasOrder: boolean;
}

type Planned = { readonly spec: AnalyticSpec; readonly field: Field };

/**
 * A function of other rows; its result is a column of kind K. Made by what the lambda of `over` is given.
 *
 * @example
 * ```ts
 * import { defineJob, t } from 'millrace';
 * import { csv, files } from 'millrace/files';
 *
 * const Bid = t.struct({ user: t.utf8(), price: t.float64(), at: t.timestampMs() });
 *
 * defineJob({
 *   name: 'rises',
 *   build: ({ read }) =>
 *     read(files.source({ path: 'bids.csv', format: csv(Bid) }))
 *       .over(
 *         { partitionBy: (bid) => bid.user, orderBy: (bid) => bid.at.asc() },
 *         (analytic, bid) => ({
 *           place: analytic.rowNumber(),
 *           before: analytic.lag(bid.price, 1, 0),
 *           spent: analytic.sum(bid.price),
 *           mean: analytic.avg(bid.price, { frame: 'partition' }),
 *         }),
 *       )
 *       .derive((bid) => ({ rise: bid.price.sub(bid.before) }))
 *       .writeTo(files.sink({ path: 'rises.csv' })),
 * }).name; // => 'rises'
 * ```
 */
export class Analytic<out K extends ColumnKind, out V, out N extends boolean> {
  /** @internal */
  declare readonly [analyticTypes]: { kind: K; value: V; nullable: N };
  /** @internal */
  readonly plan: (place: Place) => Planned;

  constructor(plan: (place: Place) => Planned) {
    this.plan = plan;
    Object.freeze(this);
  }
}

/** Which rows `over` puts together, and their order. */
export interface OverOptions<C> {
  /**
   * What rows of a partition have in common: a column, or several. A null is a value like others.
   *
   * @defaultValue all rows are one partition, in one task
   */
  readonly partitionBy?: (row: C) => AnyColumn | readonly AnyColumn[];
  /**
   * The order within a partition.
   *
   * @defaultValue none: rows come as they do, and all are peers
   */
  readonly orderBy?: (row: C) => SortOrder | readonly SortOrder[];
}

/** Which rows an aggregate is of. */
export interface FrameOptions {
  /**
   * From the first row of the partition to: `rows`, the row itself; `range`, the last of its peers, the rows
   * that are equal in the order; `partition`, the last row.
   *
   * @defaultValue 'range' with an order, else 'partition', as in SQL
   */
  readonly frame?: Frame;
}

/** Functions of one column over a frame, whose result has the column's type. */
type Same = <K extends ColumnKind, V, N extends boolean>(
  column: Column<K, V, N>,
  options?: FrameOptions,
) => Analytic<K, V, N>;
type Deviation = <N extends boolean>(
  column: Column<NumberKind, unknown, N>,
  options?: FrameOptions,
) => Analytic<'float64', number, N>;
type SampleDeviation = (
  column: Column<NumberKind, unknown, boolean>,
  options?: FrameOptions,
) => Analytic<'float64', number, true>;
type Extreme = <K extends Ordered, V, N extends boolean>(
  column: Column<K, V, N>,
  options?: FrameOptions,
) => Analytic<K, V, N>;

/** `lag` and `lead`. */
interface ShiftFunction {
  <K extends ColumnKind, V>(column: Column<K, V, boolean>, places?: number): Analytic<K, V, true>;
  <K extends ColumnKind, V, N extends boolean, const D extends LiteralFor<K> | ColumnOf<K>>(
    column: Column<K, V, N>,
    places: number,
    fallback: D,
  ): Analytic<K, V, NullableWith<N, D>>;
}

/**
 * What the lambda of `over` is given. Aggregates leave nulls out, as those of `agg` do; a sum that does not
 * fit ends the job.
 */
export interface AnalyticFunctions {
  /** 1, 2, 3, … in the order; rows that are equal in it are numbered as they come. */
  rowNumber(): Analytic<'int64', bigint, false>;
  /** 1 and the rows before it; peers have the same. */
  rank(): Analytic<'int64', bigint, false>;
  /** 1 and the different peers before it: there is no gap behind rows of one rank. */
  denseRank(): Analytic<'int64', bigint, false>;
  /** The value `places` (1 by default) rows before, or the fallback, or null. */
  readonly lag: ShiftFunction;
  /** The value `places` (1 by default) rows behind, or the fallback, or null. */
  readonly lead: ShiftFunction;
  /** Rows, or with a column its values that are not null. */
  count(column?: AnyColumn | null, options?: FrameOptions): Analytic<'int64', bigint, false>;
  /** The sum: exact for whole numbers and decimals, an overflow ends the job. */
  sum<K extends NumberKind, V, N extends boolean>(
    column: Column<K, V, N>,
    options?: FrameOptions,
  ): Analytic<SumKind<K>, SumValue<K, V>, N>;
  /** The mean. */
  readonly avg: Deviation;
  readonly min: Extreme;
  readonly max: Extreme;
  /** The first value of the frame that is not null; `last` the last one. */
  readonly first: Same;
  readonly last: Same;
  readonly stddev: SampleDeviation;
  readonly stddevPop: Deviation;
  readonly variance: SampleDeviation;
  readonly variancePop: Deviation;
}

/** Analytic functions, by the name of their result. */
export type AnalyticsOf = Readonly<Record<string, Analytic<ColumnKind, unknown, boolean>>>;

/** The columns that they make. */
export type Analyzed<A> = {
  readonly [Name in keyof A]: A[Name] extends Analytic<infer K, infer V, infer N extends boolean>
    ? Column<K, V, N, Name & string>
    : never;
};

/** The node of an `over`. @throws PLAN_DUPLICATE_NAME, EXPR_TYPE_MISMATCH */
export function overContent<C>(
  schema: Schema,
  { partitionBy, orderBy }: OverOptions<C>,
  lambda: (functions: AnalyticFunctions, row: C) => AnalyticsOf,
): NodeContent {
  const partition = partitionBy
    ? keysOf(callLambda('partitionBy of over', schema, partitionBy as never), 'partitionBy of over')
    : [];
  const order = orderBy
    ? ordersIn('orderBy of over', callLambda('orderBy of over', schema, orderBy as never))
    : [];
  if (typeof lambda === 'function') checkLambdaSource('over', lambda);
  const given = callLambda('over', schema, (row: never) => {
    return typeof lambda === 'function' ? lambda(analyticFunctions, row) : lambda;
  });
  const planned = Object.entries(given ?? {}).map(([name, one]) => {
    if (one instanceof Analytic) return one.plan({ name, hasOrder: order.length > 0 });
    if (one instanceof Aggregate) throw aggregateGiven(name, one.function);
    throw typedError('JOB_ARGUMENT_INVALID', `"${name}" of over is ${describe(one)}`, {
      hint: 'Write over({ … }, (analytic, row) => ({ place: analytic.rowNumber() })); compute with results in a derive behind it.',
    });
  });
  if (planned.length === 0) {
    throw typedError('JOB_ARGUMENT_INVALID', 'over names no function', {
      hint: 'Name at least one: over({ … }, (analytic) => ({ place: analytic.rowNumber() })).',
    });
  }
  const taken = schema.fields.find((field) => planned.some(({ spec }) => spec.name === field.name));
  if (taken !== undefined) {
    throw typedError('PLAN_DUPLICATE_NAME', `over makes a second column named "${taken.name}"`, {
      hint: 'Give the result another name; select behind it leaves columns out.',
    });
  }
  const functions = planned.map(({ spec }) => spec);
  const fields = [...schema.fields, ...planned.map(({ field }) => field)];
  return { kind: 'analytic', partition, order, functions, schema: { fields } };
}

/** `over` has most aggregates, as functions of a frame; sketches have none. */
function aggregateGiven(name: string, kind: string): Error {
  const hint =
    kind in analyticFunctions
      ? `Write (analytic, row) => ({ ${name}: analytic.${kind}(…) }).`
      : `There is no ${kind} of a frame: aggregate by the partition's keys, and join the rows with that.`;
  return typedError('JOB_ARGUMENT_INVALID', `"${name}" of over is agg.${kind}`, { hint });
}

function ranking(kind: RankFunction) {
  return () =>
    new Analytic<'int64', bigint, false>(({ name }) => ({
      spec: { name, kind: 'rank', function: kind },
      field: fieldOf(name, int64Type),
    }));
}

function shifting(verb: 'lag' | 'lead'): ShiftFunction {
  return (column: AnyColumn, places = 1, ...fallbacks: unknown[]): never => {
    const value = expressionIn(verb, column, 'a column');
    if (!Number.isSafeInteger(places) || places < 1 || places > shiftMax) {
      throw typedError('JOB_ARGUMENT_INVALID', `${verb} by ${describe(places)}`, {
        hint: `Give a whole number of rows, from 1 to ${shiftMax}.`,
      });
    }
    const fallback = fallbacks.length === 0 ? null : fallbackOf(verb, value, fallbacks[0]);
    const shift = verb === 'lag' ? -places : places;
    return new Analytic(({ name }) => ({
      spec: { name, kind: 'shift', value, shift, fallback },
      field: fieldOf(name, value.type, value.nullable || (fallback?.nullable ?? true)),
    })) as never;
  };
}

/** Row numbers of 32 bits with a sign. */
const shiftMax = 2 ** 31 - 1;

/** In exactly the type of the column: it is one of its values. */
function fallbackOf(verb: string, { type }: Expr, given: unknown): Expr {
  const fallback = Column.exprIn(given);
  if (fallback === null) return typedLiteral(given, type);
  if (typeText(type) === typeText(fallback.type)) return fallback;
  const types = `${typeText(type)} and a fallback of ${typeText(fallback.type)}`;
  throw typedError('EXPR_TYPE_MISMATCH', `${verb} has a column of ${types}`, {
    hint: 'Cast the fallback to the type of the column.',
  });
}

function inFrame(kind: AggregateFunction) {
  return (column?: AnyColumn | null, { frame }: FrameOptions = {}): never => {
    const isOfRows = kind === 'count' && (column === undefined || column === null);
    const value = isOfRows ? null : expressionIn(kind, column, 'a column');
    return new Analytic(({ name, hasOrder }) => {
      const field = value === null ? fieldOf(name, int64Type) : aggregateFieldOf(name, kind, value);
      if (field === null) {
        const what = `"${value && exprText(value)}" is ${value && typeText(value.type)}`;
        throw typedError('EXPR_TYPE_MISMATCH', `${kind} needs ${aggregateInputs[kind]}, ${what}`, {
          hint: 'Give another field of the row.',
        });
      }
      const rows = frame ?? (hasOrder ? 'range' : 'partition');
      return { spec: { name, kind: 'frame', function: kind, value, frame: rows }, field };
    }) as never;
  };
}

const analyticFunctions: AnalyticFunctions = Object.freeze({
  rowNumber: ranking('rowNumber'),
  rank: ranking('rank'),
  denseRank: ranking('denseRank'),
  lag: shifting('lag'),
  lead: shifting('lead'),
  count: inFrame('count'),
  sum: inFrame('sum'),
  avg: inFrame('avg'),
  min: inFrame('min'),
  max: inFrame('max'),
  first: inFrame('first'),
  last: inFrame('last'),
  stddev: inFrame('stddev'),
  stddevPop: inFrame('stddevPop'),
  variance: inFrame('variance'),
  variancePop: inFrame('variancePop'),
});
