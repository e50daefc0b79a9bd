/**
 * Whether an expression may have an error for some row (see `Errors` in expr.ts). Says yes in doubt: the
 * planner moves only what surely has none to rows that it was not written for.
 */
import { assertNever } from '../../base/assert.ts';
import { isFloat } from './arithmetic-type.ts';
import type { Expr } from './expr.ts';
import { exprChildren } from './expr-children.ts';
import type { FunctionName } from './function-name.ts';

/** Functions with a result for all values. What makes texts may make one that is too long. */
const totalFunctions: ReadonlySet<FunctionName> = new Set([
  'contains',
  'day',
  'dayOfWeek',
  'dayOfYear',
  'endsWith',
  'hour',
  'indexOf',
  'length',
  'like',
  'matches',
  'minute',
  'month',
  'quarter',
  'second',
  'startsWith',
  'week',
  'year',
]);

export function mayFail(expr: Expr): boolean {
  return isPartial(expr) || exprChildren(expr).some(mayFail);
}

/** Whether the node itself has no result for some values. */
function isPartial(expr: Expr): boolean {
  switch (expr.kind) {
    case 'column':
    case 'literal':
    case 'compare':
    case 'logic':
    case 'not':
    case 'isNull':
    case 'when':
    case 'in':
      return false;
    case 'arithmetic':
      return !isFloat(expr.type);
    case 'cast':
      return !expr.isTry;
    case 'call':
      return !totalFunctions.has(expr.function);
    default:
      return assertNever(expr);
  }
}
