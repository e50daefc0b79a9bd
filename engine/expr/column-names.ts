/** The parts of an expression, and the columns that it reads: for the planner's pruning. */
import { assertNever } from '../../base/assert.ts';
import type { Expr } from './expr.ts';

/** Adds the names of all columns that `expr` reads to `names`. */
export function addColumnNames(expr: Expr, names: Set<string>): void {
  if (expr.kind === 'column') names.add(expr.name);
  for (const child of childrenOf(expr)) addColumnNames(child, names);
}

/** The expressions that `expr` is made of, in the order in which people read them. */
function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'column':
    case 'literal':
      return [];
    case 'compare':
    case 'arithmetic':
    case 'logic':
      return [expr.left, expr.right];
    case 'not':
    case 'isNull':
    case 'cast':
      return [expr.input];
    case 'when': {
      const cases = expr.branches.flatMap(({ condition, value }) => [condition, value]);
      return expr.otherwise === null ? cases : [...cases, expr.otherwise];
    }
    case 'in':
      return [expr.input, ...expr.values];
    case 'call':
      return expr.args;
    default:
      return assertNever(expr);
  }
}
