/** The columns that an expression reads: for the planner. */
import type { Expr } from './expr.ts';
import { exprChildren } from './expr-children.ts';

/** Adds the names of all columns that `expr` reads to `names`. */
export function addColumnNames(expr: Expr, names: Set<string>): void {
  if (expr.kind === 'column') names.add(expr.name);
  for (const child of exprChildren(expr)) addColumnNames(child, names);
}
