/** Grouping: what `keyBy` and `aggregate` may be given, their types, and their logical node. */
import { typedError } from '../../base/typed-error.ts';
import type { NamedExpr } from '../expr/expr.ts';
import type { NodeContent } from '../plan/logical-node.ts';
import { fieldOf, type Schema } from '../schema/schema.ts';
import { type Aggregate, planAggregate } from './aggregates.ts';
import { Column } from './column.ts';
import type { ColumnKind } from './column-kind.ts';
import { expressionIn } from './row.ts';

/** Aggregates of rows with the columns C, by the name of their result. */
export type AggregatesOf<C> = Readonly<Record<string, Aggregate<C, ColumnKind, unknown, boolean>>>;

/** The columns that aggregates make. */
export type Aggregated<A> = {
  readonly [Name in keyof A]: A[Name] extends Aggregate<
    never,
    infer K,
    infer V,
    infer N extends boolean
  >
    ? Column<K, V, N, Name & string>
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

/** The node of an `aggregate` by a key. @throws PLAN_DUPLICATE_NAME */
export function aggregateContent(
  key: NamedExpr,
  aggregates: Readonly<Record<string, unknown>>,
  input: Schema,
): NodeContent {
  const entries = Object.entries(aggregates ?? {});
  if (entries.length === 0) {
    throw typedError('JOB_ARGUMENT_INVALID', 'aggregate names no aggregate', {
      hint: 'Name at least one: aggregate({ count: agg.count() }).',
    });
  }
  if (entries.some(([name]) => name === key.name)) {
    const message = `aggregate has two columns named "${key.name}": the key and an aggregate`;
    throw typedError('PLAN_DUPLICATE_NAME', message, {
      hint: 'Give the aggregate another name, or name the key: keyBy((row) => ({ day: row.at })).',
    });
  }
  const planned = entries.map(([name, aggregate]) => planAggregate(name, aggregate, input));
  const keyField = fieldOf(key.name, key.expr.type, key.expr.nullable);
  return {
    kind: 'aggregate',
    key,
    aggregates: planned.map(({ spec }) => spec),
    schema: { fields: [keyField, ...planned.map(({ field }) => field)] },
  };
}

/** The key in what a `keyBy` lambda gave: a column, or an object with one. */
export function keyOf(given: unknown): NamedExpr {
  const isPlainObject = typeof given === 'object' && given !== null && !(given instanceof Column);
  if (!isPlainObject) {
    const expr = expressionIn('keyBy', given, 'a column');
    return { name: expr.kind === 'column' ? expr.name : 'key', expr };
  }
  const entries = Object.entries(given);
  const [name, value] = entries[0] ?? [];
  if (entries.length !== 1 || name === undefined || Array.isArray(given)) {
    const message = `keyBy needs one key, its lambda gave ${entries.length}`;
    throw typedError('PLAN_ONE_KEY_ONLY', message, {
      hint: 'Group by one column: several key columns are not supported in this version.',
    });
  }
  return { name, expr: expressionIn('keyBy', value, 'a column') };
}
