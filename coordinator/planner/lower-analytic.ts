/**
 * Lowering of `over`, and of aggregates of rows in an order: an analytic operator, which sorts by itself, behind an exchange that brings the rows of a
 * partition together. A projection in front computes what is no column.
 *
 *     by lower(user) in order of at: total = sum(price * qty)
 *
 *     project …, key = lower(user), total_2 = price * qty
 *     analytic by key in order of at: total = sum(total_2)     (hash by key)
 *
 * Rows that are put into no partition and no order are sorted by a constant: all are peers.
 */
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { columnExpr } from '../../engine/expr/expr-factory.ts';
import { literalOfType } from '../../engine/expr/literal.ts';
import { overValues } from '../../engine/plan/analytic-functions.ts';
import type { JobMode, LogicalNode, SortKey } from '../../engine/plan/logical-graph.ts';
import type { Exchange, OrderedAggregateColumn } from '../../engine/plan/physical-graph.ts';
import { type EventWindow, firesOnce } from '../../engine/plan/window-spec.ts';
import { int64Type } from '../../engine/schema/field-type.ts';
import { freeName, type Schema } from '../../engine/schema/schema.ts';
import { ascending } from '../../engine/stream/row-order.ts';
import { lowerOrderedWindow } from './lower-ordered-window.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { projectOf } from './projection.ts';

type Analytic = LogicalNode & { readonly kind: 'analytic' };
type OrderedAggregate = LogicalNode & { readonly kind: 'orderedAggregate' };

/** @param input - What the node reads. */
export function lowerAnalytic(node: Analytic, input: Schema): LoweredStep[] {
  const { id, name, schema: output } = node;
  const computed: NamedExpr[] = [];
  const columnOf = columnNames(output, computed);
  const partition = node.partition.map((key) => columnOf(key.expr, key.name));
  const given = node.order.map(
    ({ expr, ...way }): SortKey => ({ column: columnOf(expr, 'order'), ...way }),
  );
  const isUnsorted = partition.length + given.length === 0;
  const order = isUnsorted ? [ascending(columnOf(literalOfType(0, int64Type), 'all'))] : given;
  const functions = node.functions.map((one) => overValues(one, columnOf));
  const exchange: Exchange =
    partition.length === 0 ? { kind: 'gather' } : { kind: 'hash', columns: partition };
  const operator = { id, name, output, kind: 'analytic', partition, order, functions } as const;
  const step = stepOf(operator, exchange);
  if (computed.length === 0) return [step];
  const plain = input.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return [stepOf(projectOf(node, [...plain, ...computed])), step];
}

/** The same for groups of sorted rows: one row for each comes out, and computed keys are among its columns. */
export function lowerOrderedAggregate(
  node: OrderedAggregate,
  input: Schema,
  mode: JobMode,
): LoweredStep[] {
  const { id, name, schema: output, keys } = node;
  const window = windowIn(node, mode);
  const columns: NamedExpr[] = [...keys];
  const keysEnd = output.fields.length - node.aggregates.length;
  const columnOf = columnNames({ fields: output.fields.slice(0, keysEnd) }, columns, true);
  const names = keys.map((key) => key.name);
  const given = node.order.map(
    ({ expr, ...way }): SortKey => ({ column: columnOf(expr, 'order'), ...way }),
  );
  const isSorted = names.length + given.length > 0 || (window?.column ?? null) !== null;
  const order = isSorted ? given : [ascending(columnOf(literalOfType(0, int64Type), 'all'))];
  const aggregates = node.aggregates.map((one): OrderedAggregateColumn => {
    if (one.function === 'stringAgg') return { ...one, input: columnOf(one.input, one.name) };
    const { input, ...rest } = one;
    return { ...rest, columns: input === null ? [] : [columnOf(input, one.name)] };
  });
  if (window !== null) {
    const parts = { input, window, keys: names, columns, order, aggregates, output };
    return lowerOrderedWindow(node, parts);
  }
  const exchange: Exchange =
    names.length === 0 ? { kind: 'gather' } : { kind: 'hash', columns: names };
  const operator = { id, name, output, kind: 'orderedAggregate', keys: names, order } as const;
  const step = stepOf({ ...operator, aggregates }, exchange);
  return [stepOf(projectOf(node, columns)), step];
}

/** Rows of windows are groups like others in batch, where windows come once whatever is said of a stream. */
function windowIn({ window }: OrderedAggregate, mode: JobMode): EventWindow | null {
  if (mode === 'streaming' || window === null) return window;
  const firing = { ...firesOnce, missing: window.firing.missing };
  return window.spec.kind === 'until' ? null : { ...window, firing };
}

/**
 * Names of expressions; those that are no columns get one that is free, and are computed under it.
 *
 * @param namesAll - Whether columns are to be carried as well: nothing comes in but what is computed.
 */
function columnNames(output: Schema, computed: NamedExpr[], namesAll = false) {
  const taken = new Set(output.fields.map((field) => field.name));
  // Equal expressions have equal text, for they are plain data.
  const names = new Map(computed.map(({ name, expr }) => [JSON.stringify(expr), name]));
  return (expr: Expr, wanted: string): string => {
    if (expr.kind === 'column' && !namesAll) return expr.name;
    const text = JSON.stringify(expr);
    const known = names.get(text);
    if (known !== undefined) return known;
    const name = freeName(expr.kind === 'column' ? expr.name : wanted, taken);
    names.set(text, name);
    computed.push({ name, expr });
    return name;
  };
}
