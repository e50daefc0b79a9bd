/** The columns that an expression reads, for the planner's pruning and for the evaluator. */
import { assertNever } from '../../base/assert.ts';
import type { Expr } from './expr.ts';

/** Adds the names of all columns that `expr` reads to `names`. */
export function addColumnNames(expr: Expr, names: Set<string>): void {
  switch (expr.kind) {
    case 'column':
      names.add(expr.name);
      return;
    case 'literal':
      return;
    case 'compare':
    case 'arithmetic':
    case 'logic':
      addColumnNames(expr.left, names);
      addColumnNames(expr.right, names);
      return;
    case 'not':
    case 'isNull':
      addColumnNames(expr.input, names);
      return;
    default:
      assertNever(expr);
  }
}
