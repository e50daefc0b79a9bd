/** Groups, partitions and orders as text: `by user: n = count()`. */
import { exprText, namedExprText } from '../expr/expr-text.ts';
import { runningText } from './explain-changes.ts';
import type {
  AggregateSpec,
  ExprOrder,
  JoinedTexts,
  LogicalNode,
  SortKey,
} from './logical-graph.ts';
import type { AggregateColumn, OperatorSpec } from './physical-graph.ts';
import type { ProcessKey } from './state-spec.ts';
import { firesOnce, windowText } from './window-spec.ts';

export function aggregateNodeText({
  window,
  keys,
  aggregates,
}: LogicalNode & { readonly kind: 'aggregate' }): string {
  const isOfRows = window === null || window.spec.kind === 'until';
  const parts = [...(isOfRows ? [] : [windowText(window)]), ...keys.map(namedExprText)];
  return groupText(parts, aggregates.map(aggregateText));
}

export function orderedAggregateNodeText(
  node: LogicalNode & { readonly kind: 'orderedAggregate' },
): string {
  const { window } = node;
  const results = node.aggregates.map((one) =>
    one.function === 'stringAgg'
      ? joinedText({ ...one, input: exprText(one.input) })
      : aggregateText(one),
  );
  const isOfRows = window === null || window.spec.kind === 'until';
  const keys = [...(isOfRows ? [] : [windowText(window)]), ...node.keys.map(namedExprText)];
  return orderedText(keys, exprOrderText(node.order), results);
}

/** `partial by user: bids = count()`. */
export function aggregateOperatorText(
  operator: OperatorSpec & { readonly kind: 'aggregate' },
): string {
  return phaseText(operator, operator.keys);
}

export function runningAggregateText(
  operator: OperatorSpec & { readonly kind: 'runningAggregate' },
): string {
  return phaseText(operator, operator.keys) + runningText(operator);
}

/** `partial by windows of 60000 ms of at, user: bids = count()`. */
export function windowAggregateText(
  operator: OperatorSpec & { readonly kind: 'windowAggregate' },
): string {
  const window = windowText({ ...operator, spec: operator.window });
  return phaseText(operator, [window, ...operator.keys]);
}

function phaseText(
  {
    phase,
    aggregates,
  }: { readonly phase: string; readonly aggregates: readonly AggregateColumn[] },
  groups: readonly string[],
): string {
  return `${phase} ${groupText(groups, aggregates.map(aggregateColumnText))}`;
}

export function orderedWindowText(
  operator: OperatorSpec & { readonly kind: 'orderedWindow' },
): string {
  const { window: spec, column, missing, keys } = operator;
  const window = windowText({ column, spec, firing: { ...firesOnce, missing } });
  return orderedAggregateText({ ...operator, keys: [window, ...keys] });
}

/** `by windows of 60000 ms of at, user: function of windowFunction-1`. */
export function windowFunctionText(
  operator: OperatorSpec & { readonly kind: 'windowFunction' },
): string {
  const { id, column, window: spec, missing } = operator;
  const window = windowText({ column, spec, firing: { ...firesOnce, missing } });
  return groupText([window, ...processKeys(operator)], [`function of ${id}`]);
}

/** `user = key`, where the column has another name. */
export function processKeys({ keys }: { readonly keys: readonly ProcessKey[] }): string[] {
  return keys.map(({ name, column }) => (name === column ? name : `${name} = ${column}`));
}

export function orderedAggregateText({
  keys,
  order,
  aggregates,
}: Pick<
  OperatorSpec & { readonly kind: 'orderedAggregate' },
  'keys' | 'order' | 'aggregates'
>): string {
  const results = aggregates.map((one) =>
    one.function === 'stringAgg' ? joinedText(one) : aggregateColumnText(one),
  );
  return orderedText(keys, orderText(order), results);
}

/** `by user: n = count()`; without keys `of all rows: n = count()`. */
export function groupText(keys: readonly string[], results: readonly string[]): string {
  const groups = keys.length === 0 ? 'of all rows' : `by ${keys.join(', ')}`;
  return results.length === 0 ? groups : `${groups}: ${results.join(', ')}`;
}

/** `by user in order of at ascending: place = rowNumber()`. */
export function orderedText(
  partition: readonly string[],
  order: string,
  results: readonly string[],
): string {
  const rows = partition.length === 0 ? 'of all rows' : `by ${partition.join(', ')}`;
  return `${rows}${order === '' ? '' : ` in order of ${order}`}: ${results.join(', ')}`;
}

/** `pages = stringAgg(url, ", ")`. */
function joinedText({ name, input, separator }: JoinedTexts<string>): string {
  return `${name} = stringAgg(${input}, ${JSON.stringify(separator)})`;
}

export function aggregateText({ input, ...spec }: AggregateSpec): string {
  return aggregateColumnText({ ...spec, columns: input === null ? [] : [exprText(input)] });
}

function aggregateColumnText({ name, function: kind, columns, quantile }: AggregateColumn): string {
  const given = quantile === undefined ? columns : [...columns, String(quantile)];
  return `${name} = ${kind}(${given.join(', ')})`;
}

export function exprOrderText(order: readonly ExprOrder[]): string {
  return orderText(order.map(({ expr, ...way }) => ({ column: exprText(expr), ...way })));
}

export function orderText(order: readonly SortKey[]): string {
  const text = ({ column, isDescending, areNullsFirst }: SortKey) =>
    `${column} ${isDescending ? 'descending' : 'ascending'}${areNullsFirst ? ' nulls first' : ''}`;
  return order.map(text).join(', ');
}
