/**
 * Sort orders: what `orderBy` and the `order` of `mapReduce` may be given, and the nodes of a sort.
 *
 *     orderBy(row => row.total.desc())            sort
 *     orderBy(row => row.a.add(row.b).desc())     derive "order" · sort · select without it
 */
import { typedError } from '../../base/typed-error.ts';
import type { NamedExpr } from '../expr/expr.ts';
import { columnExpr } from '../expr/expr-factory.ts';
import type { ExprOrder, SortKey } from '../plan/logical-graph.ts';
import {
  appendNode,
  type NodeContent,
  type NodeDraft,
  type VerbOptions,
} from '../plan/logical-node.ts';
import { fieldOf, type Schema } from '../schema/schema.ts';
import type { SortOrder } from './column.ts';
import { describe } from './row.ts';

/** The keys in what a lambda of `verb` gave: one, or a list. */
export function ordersIn(verb: string, given: unknown): ExprOrder[] {
  const orders: unknown[] = Array.isArray(given) ? given : [given];
  const keys = orders.filter(isSortOrder).map(({ by }) => by);
  if (keys.length > 0 && keys.length === orders.length) return keys;
  const message = `${verb} needs what asc() or desc() make, its lambda gave ${describe(given)}`;
  throw typedError('EXPR_TYPE_MISMATCH', message, {
    hint: 'Write (row) => [row.count.desc(), row.word.asc()].',
  });
}

/** The last node of a sort; keys that are no columns are columns meanwhile. */
export function appendSort(
  node: NodeDraft,
  orders: readonly ExprOrder[],
  options?: VerbOptions,
): NodeDraft {
  return orderByContents(orders, node.content.schema).reduce((before, content) => {
    return appendNode([before], content, content.kind === 'orderBy' ? options : undefined);
  }, node);
}

function orderByContents(orders: readonly ExprOrder[], schema: Schema): NodeContent[] {
  const taken = schema.fields.map(({ name }) => name);
  const computed: NamedExpr[] = [];
  const order = orders.map(({ expr, ...direction }): SortKey => {
    if (expr.kind === 'column') return { column: expr.name, ...direction };
    const column = nameBeside(taken);
    taken.push(column);
    computed.push({ name: column, expr });
    return { column, ...direction };
  });
  if (computed.length === 0) return [{ kind: 'orderBy', order, schema }];
  const added = computed.map(({ name, expr }) => fieldOf(name, expr.type, expr.nullable));
  const wide = { fields: [...schema.fields, ...added] };
  const columns = schema.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return [
    { kind: 'derive', columns: computed, schema: wide },
    { kind: 'orderBy', order, schema: wide },
    { kind: 'select', columns, schema },
  ];
}

function nameBeside(taken: readonly string[]): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? 'order' : `order_${number}`;
    if (!taken.includes(name)) return name;
  }
}

function isSortOrder(value: unknown): value is SortOrder {
  if (typeof value !== 'object' || value === null) return false;
  return 'kind' in value && value.kind === 'millrace.order';
}
