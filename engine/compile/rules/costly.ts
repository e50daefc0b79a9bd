/** Which expressions are worth a test of whether they are needed: those that call kernels. */
import type { Expr } from '../../expr/expr.ts';
import type { FieldType } from '../../schema/field-type.ts';
import { formOf } from './value.ts';

export function isCostly(expr: Expr): boolean {
  switch (expr.kind) {
    case 'column':
    case 'literal':
      return false;
    case 'compare':
      return isText(expr.left.type) || isCostly(expr.left) || isCostly(expr.right);
    case 'arithmetic':
    case 'logic':
      return isCostly(expr.left) || isCostly(expr.right);
    case 'not':
    case 'isNull':
      return isCostly(expr.input);
    case 'when': {
      const parts = expr.branches.flatMap(({ condition, value }) => [condition, value]);
      return [...parts, ...(expr.otherwise === null ? [] : [expr.otherwise])].some(isCostly);
    }
    case 'in':
      return isText(expr.input.type) || isCostly(expr.input);
    case 'cast':
      return [expr.type, expr.input.type].some(isText) || isCostly(expr.input);
    default:
      return true;
  }
}

function isText(type: FieldType): boolean {
  return formOf(type) === 'view';
}
