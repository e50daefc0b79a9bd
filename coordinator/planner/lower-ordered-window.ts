/**
 * Lowering of aggregates by windows that need the rows of a window sorted: one operator keeps them until the window is
 * complete, behind an exchange by the keys.
 *
 *     by user: pages = stringAgg(url)    project         user, url, at
 *                                        ordered window  by at, user in order of at: pages = stringAgg(url)  (hash by user)
 *
 * Without an order of its own it is that of event time: as rows come they are in another order with other batches.
 */
import { assert } from '../../base/assert.ts';
import type { NamedExpr } from '../../engine/expr/expr.ts';
import type { LogicalNode, SortKey } from '../../engine/plan/logical-graph.ts';
import type { Exchange, OrderedAggregateColumn } from '../../engine/plan/physical-graph.ts';
import type { EventWindow } from '../../engine/plan/window-spec.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { ascending } from '../../engine/stream/row-order.ts';
import { windowColumns } from './aggregate-columns.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { projectOf } from './projection.ts';
import { checkOnce } from './window-support.ts';

export interface OrderedWindowParts {
  /** What the node reads. */
  readonly input: Schema;
  readonly window: EventWindow;
  readonly keys: readonly string[];
  /** Keys, orders and arguments, over the columns that come in. */
  readonly columns: readonly NamedExpr[];
  /** Empty for that of event time. */
  readonly order: readonly SortKey[];
  readonly aggregates: readonly OrderedAggregateColumn[];
  /** The window's bounds where it has some, keys, results. */
  readonly output: Schema;
}

/** @throws PLAN_WINDOW_UNSUPPORTED */
export function lowerOrderedWindow(node: LogicalNode, parts: OrderedWindowParts): LoweredStep[] {
  const { id, name } = node;
  const { input, window, keys, columns, aggregates, output } = parts;
  const isQuantile = aggregates.every((one) => one.function === 'approxQuantile');
  const what = isQuantile ? 'approxQuantile' : 'aggregates of rows in an order';
  checkOnce(node, window, what, ['global', 'until']);
  const { spec, firing } = window;
  assert(spec.kind !== 'session' && spec.kind !== 'count', 'such windows are refused');
  const taken = new Set([...columns, ...input.fields, ...output.fields].map((one) => one.name));
  const { time, projected, aside } = windowColumns(input, window, { columns, taken });
  const inTime = time === null ? [] : [ascending(time.name)];
  const order = parts.order.length > 0 ? parts.order : inTime;
  const { missing } = firing;
  const grouped = { window: spec, column: time?.name ?? null, missing, keys, order, aggregates };
  const operator = { id, name, output, kind: 'orderedWindow', ...grouped } as const;
  const exchange: Exchange =
    keys.length === 0 ? { kind: 'gather' } : { kind: 'hash', columns: keys };
  return [stepOf(projectOf(node, projected)), { ...stepOf(operator, exchange), ...aside }];
}
