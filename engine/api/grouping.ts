/** Grouping: what `keyBy` and `aggregate` may be given, their types, and their logical node. */
import { typedError } from '../../base/typed-error.ts';
import type { NamedExpr } from '../expr/expr.ts';
import type { ExprOrder } from '../plan/logical-graph.ts';
import type { NodeContent } from '../plan/logical-node.ts';
import { type EventWindow, hasBounds } from '../plan/window-spec.ts';
import { fieldOf, type Schema } from '../schema/schema.ts';
import { Aggregate, planAggregate } from './aggregates.ts';
import { Column } from './column.ts';
import type { ColumnKind } from './column-kind.ts';
import type { SinkOf } from './endpoints.ts';
import { callLambda, expressionIn } from './row.ts';
import { ordersIn } from './sort-order.ts';

/** Aggregates of rows with the columns C, by the name of their result. */
export type AggregatesOf<C> = Readonly<
  Record<string, Aggregate<C, ColumnKind, unknown, boolean, boolean>>
>;

/** The columns that aggregates make. */
export type Aggregated<A> = {
  readonly [Name in keyof A]: A[Name] extends Aggregate<
    never,
    infer K,
    infer V,
    infer N extends boolean,
    boolean
  >
    ? Column<K, V, N, Name & string>
    : never;
};

/** The columns that aggregates of all rows make: null, or a count of 0, where there are none. */
export type AggregatedAll<A> = {
  readonly [Name in keyof A]: A[Name] extends Aggregate<
    never,
    infer K,
    infer V,
    boolean,
    infer E extends boolean
  >
    ? Column<K, V, E, Name & string>
    : never;
};

/** Columns of both, shown as one object. */
export type Together<A, B> = {
  readonly [Name in keyof A | keyof B]: Name extends keyof A
    ? A[Name]
    : Name extends keyof B
      ? B[Name]
      : never;
};

/** The columns of a list, by their names. */
export type Named<S extends readonly unknown[]> = {
  readonly [P in S[number] as P extends Column<ColumnKind, unknown, boolean, infer Name>
    ? Name
    : never]: P;
};

/** What an `aggregate` groups by; neither keys nor a window: all rows are one group. */
export interface Grouping {
  readonly keys: readonly NamedExpr[];
  readonly window: EventWindow | null;
  /** Where rows go that come too late for their window. @defaultValue they are counted */
  readonly late?: SinkOf | undefined;
}

/** The bounds of a window in the rows of an aggregate. */
const windowFields = ['windowStart', 'windowEnd'].map((name) =>
  fieldOf(name, { kind: 'timestamp', unit: 'ms' }),
);

/** The node of an `aggregate`. @throws PLAN_DUPLICATE_NAME */
export function aggregateContent(
  { keys, window }: Grouping,
  aggregates: Readonly<Record<string, unknown>>,
  input: Schema,
): NodeContent {
  const entries = Object.entries(aggregates ?? {});
  if (entries.length === 0) {
    throw typedError('JOB_ARGUMENT_INVALID', 'aggregate names no aggregate', {
      hint: 'Name at least one: aggregate({ count: agg.count() }).',
    });
  }
  const names = entries.map(([name]) => name);
  const bounds = window !== null && hasBounds(window.spec) ? windowFields : [];
  const keyNames = keys.map((key) => key.name);
  checkNames(bounds, keyNames, ['a bound of the window', 'a key']);
  checkNames(bounds, names, ['a bound of the window', 'an aggregate']);
  checkNames(keys, names, ['the key', 'an aggregate']);
  const planned = entries.map(([name, aggregate]) => planAggregate(name, aggregate, input));
  const keyFields = keys.map(({ name, expr }) => fieldOf(name, expr.type, expr.nullable));
  const isOfAll = window === null && keys.length === 0;
  const results = planned.map(({ spec, field }) => {
    const isCount = ['count', 'countDistinct', 'approxDistinct'].includes(spec.function);
    return isOfAll && !isCount ? { ...field, nullable: true } : field;
  });
  const specs = planned.map(({ spec }) => spec);
  const schema = { fields: [...bounds, ...keyFields, ...results] };
  const order = orderIn(entries, input);
  const plain = specs.filter((spec) => spec.function !== 'stringAgg');
  if (order.length === 0 && plain.length === specs.length) {
    return { kind: 'aggregate', window, keys, aggregates: plain, schema };
  }
  return { kind: 'orderedAggregate', window, keys, order, aggregates: specs, schema };
}

/** The order of rows that aggregates ask for, which is one (engine/api/aggregate-node.ts); none for an empty list. */
function orderIn(entries: readonly (readonly [string, unknown])[], input: Schema): ExprOrder[] {
  const orders = entries.flatMap(([, aggregate]) => {
    if (!(aggregate instanceof Aggregate) || aggregate.orderBy === null) return [];
    const verb = `orderBy of ${aggregate.function}`;
    return [ordersIn(verb, callLambda(verb, input, aggregate.orderBy))];
  });
  return orders[0] ?? [];
}

function checkNames(
  taken: readonly { readonly name: string }[],
  others: readonly string[],
  [what, other]: readonly [string, string],
): void {
  const twice = taken.find(({ name }) => others.includes(name));
  if (twice === undefined) return;
  const message = `aggregate has two columns named "${twice.name}": ${what} and ${other}`;
  throw typedError('PLAN_DUPLICATE_NAME', message, {
    hint: 'Give the aggregate another name, or name the key: keyBy((row) => ({ day: row.at })).',
  });
}

/** The keys in what a lambda of `verb` gave: a column, a list of columns, or an object of them. */
export function keysOf(given: unknown, verb = 'keyBy'): NamedExpr[] {
  const isObject = typeof given === 'object' && given !== null && !(given instanceof Column);
  if (!isObject) return [keyOf(given, verb)];
  const keys = Array.isArray(given)
    ? given.map((key) => keyOf(key, verb))
    : Object.entries(given).map(([name, value]) => ({ ...keyOf(value, verb), name }));
  if (keys.length === 0) {
    throw typedError('JOB_ARGUMENT_INVALID', `${verb} names no key`, {
      hint: 'Give a column, or several: keyBy((row) => ({ user: row.user, day: row.day })).',
    });
  }
  const names = keys.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return keys;
  throw typedError('PLAN_DUPLICATE_NAME', `${verb} has two keys named "${twice}"`, {
    hint: 'Name the keys: keyBy((row) => ({ user: row.user, late: row.at.gt(0) })).',
  });
}

function keyOf(value: unknown, verb: string): NamedExpr {
  const expr = expressionIn(verb, value, 'a column, or several');
  return { name: expr.kind === 'column' ? expr.name : 'key', expr };
}
