/**
 * Lowering of patterns: conditions are computed in front, a column of bits for each stage that has one, in the loops
 * that expressions are compiled to; then rows of a key meet in one task.
 *
 *     project fields, keys, conditions ─ hash by key ─▶ pattern                     in a stream, which orders the rows itself
 *     project fields, keys, conditions ─ hash by key ─▶ sort by time ─▶ pattern    in batch, where a sort may go to disk
 */
import type { NamedExpr } from '../../engine/expr/expr.ts';
import { columnExpr } from '../../engine/expr/expr-factory.ts';
import type { JobMode, LogicalNode } from '../../engine/plan/logical-graph.ts';
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { freeName, type Schema } from '../../engine/schema/schema.ts';
import { ascending } from '../../engine/stream/row-order.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { projectOf } from './projection.ts';

type PatternNode = LogicalNode & { readonly kind: 'pattern' };

export function lowerPattern(node: PatternNode, input: Schema, mode: JobMode): LoweredStep[] {
  const { id, name, schema: output, pattern, timeColumn } = node;
  const plain = input.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  const taken = new Set(input.fields.map((field) => field.name));
  const computed: NamedExpr[] = [];
  const columnOf = ({ name: wanted, expr }: NamedExpr): string => {
    if (expr.kind === 'column') return expr.name;
    const column = freeName(wanted, taken);
    computed.push({ name: column, expr });
    return column;
  };
  const keys = node.keys.map((key) => ({ name: key.name, column: columnOf(key) }));
  const conditions = node.conditions.map((expr, stage) => {
    return expr && columnOf({ name: `is ${pattern.stages[stage]?.name}`, expr });
  });
  const project = projectOf(node, [...plain, ...computed]);
  const before = computed.length === 0 ? [] : [stepOf(project)];
  const exchange = { kind: 'hash', columns: keys.map(({ column }) => column) } as const;
  const isSorted = mode === 'batch';
  const parts = { keys, conditions, timeColumn, pattern, fieldCount: input.fields.length };
  const operator: OperatorSpec = { id, name, output, kind: 'pattern', ...parts, isSorted };
  if (!isSorted) return [...before, { ...stepOf(operator, exchange), aside: plain }];
  const order = [ascending(timeColumn)];
  const sorted = computed.length === 0 ? input : project.output;
  const sort = { id, name, output: sorted, kind: 'sort', order } as const;
  return [...before, stepOf(sort, exchange), { ...stepOf(operator), aside: plain }];
}
