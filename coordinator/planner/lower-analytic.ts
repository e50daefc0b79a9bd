/**
 * Lowering of `over`: an analytic operator, which sorts by itself, behind an exchange that brings the rows of a
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
import type { LogicalNode, SortKey } from '../../engine/plan/logical-graph.ts';
import type { Exchange } from '../../engine/plan/physical-graph.ts';
import { int64Type } from '../../engine/schema/field-type.ts';
import { freeName, type Schema } from '../../engine/schema/schema.ts';
import { ascending } from '../../engine/stream/row-order.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { projectOf } from './projection.ts';

type Analytic = LogicalNode & { readonly kind: 'analytic' };

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

/** Names of expressions; those that are no columns get one that is free, and are computed under it. */
function columnNames(output: Schema, computed: NamedExpr[]) {
  const taken = new Set(output.fields.map((field) => field.name));
  const names = new Map<string, string>();
  return (expr: Expr, wanted: string): string => {
    if (expr.kind === 'column') return expr.name;
    // Equal expressions have equal text, for they are plain data.
    const text = JSON.stringify(expr);
    const known = names.get(text);
    if (known !== undefined) return known;
    const name = freeName(wanted, taken);
    names.set(text, name);
    computed.push({ name, expr });
    return name;
  };
}
