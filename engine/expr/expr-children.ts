/** The parts of expressions: to look at them all, or to make the same expression of others. */
import { assertNever } from '../../base/assert.ts';
import type { Expr } from './expr.ts';

/** The expressions that `expr` is made of, in the order in which people read them. */
export function exprChildren(expr: Expr): readonly Expr[] {
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

/**
 * The expression with every part changed, the inner ones first. What `change` answers must have the
 * type of what it is given, and may be null only where that may.
 */
export function mapExpr(expr: Expr, change: (part: Expr) => Expr): Expr {
  const of = (part: Expr) => mapExpr(part, change);
  const parts = exprChildren(expr);
  const changed = parts.map(of);
  const isSame = changed.every((part, index) => part === parts[index]);
  return change(isSame ? expr : withChildren(expr, changed));
}

/** The same node over other parts, given in the order of `exprChildren`. */
function withChildren(expr: Expr, parts: readonly Expr[]): Expr {
  const [first = expr, second = expr] = parts;
  switch (expr.kind) {
    case 'column':
    case 'literal':
      return expr;
    case 'compare':
    case 'arithmetic':
    case 'logic':
      return Object.freeze({ ...expr, left: first, right: second });
    case 'not':
    case 'isNull':
    case 'cast':
      return Object.freeze({ ...expr, input: first });
    case 'when': {
      const branches = expr.branches.map((branch, index) => {
        const [condition = expr, value = expr] = parts.slice(index * 2);
        return Object.freeze({ ...branch, condition, value });
      });
      const otherwise = expr.otherwise === null ? null : (parts.at(-1) ?? null);
      return Object.freeze({ ...expr, branches: Object.freeze(branches), otherwise });
    }
    case 'in':
      return Object.freeze({ ...expr, input: first, values: Object.freeze(parts.slice(1)) });
    case 'call':
      return Object.freeze({ ...expr, args: Object.freeze([...parts]) });
    default:
      return assertNever(expr);
  }
}
