/** Projections that lowering puts in: where an operator works on columns, they compute expressions. */
import type { NamedExpr } from '../../engine/expr/expr.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { type Field, fieldOf } from '../../engine/schema/schema.ts';

/** A projection that belongs to a node. */
export function projectOf({ id, name }: LogicalNode, columns: readonly NamedExpr[]): OperatorSpec {
  const fields = columns.map((column): Field => {
    return fieldOf(column.name, column.expr.type, column.expr.nullable);
  });
  return { id, name, output: { fields }, kind: 'project', columns };
}

/** Whether a column is handed on as it is. */
export function isPlain({ name, expr }: NamedExpr): boolean {
  return expr.kind === 'column' && expr.name === name;
}
