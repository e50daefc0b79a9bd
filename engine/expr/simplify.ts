/**
 * Simplification: the same values with less to compute.
 *
 *     x and true, x or false, x and x     x                   when true then x …       x
 *     x and false                         false               when false then x …      …
 *     x or true                           true                coalesce(x, y)           x   (never null)
 *     not (not x)                         x                   x is null                false   (never null)
 *     cast(x as its own type)             x
 *
 * An error of a part that is left out is gone: a simplified expression has fewer of them, never more.
 */
import { boolType } from '../schema/field-type.ts';
import type { Expr, WhenBranch } from './expr.ts';
import { mapExpr } from './expr-children.ts';
import { nullLiteral } from './literal.ts';

export function simplify(expr: Expr): Expr {
  return mapExpr(expr, simplifyNode);
}

/** A node whose parts are simple already. */
function simplifyNode(expr: Expr): Expr {
  switch (expr.kind) {
    case 'logic':
      return simplifyLogic(expr);
    case 'not':
      return expr.input.kind === 'not' ? expr.input.input : expr;
    case 'isNull':
      return expr.input.nullable ? expr : boolLiteral(false);
    case 'when':
      return simplifyWhen(expr);
    case 'cast':
      return isSame(expr.input.type, expr.type) ? expr.input : expr;
    case 'call': {
      const [first] = expr.args;
      const isFirst = expr.function === 'coalesce' && first?.nullable === false;
      return isFirst && isSame(first.type, expr.type) ? first : expr;
    }
    default:
      return expr;
  }
}

/** One side decides (false for and, true for or), the opposite changes nothing. */
function simplifyLogic(expr: Expr & { kind: 'logic' }): Expr {
  const decides = expr.op === 'or';
  const { left, right } = expr;
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (isBool(side, decides)) return side;
    if (isBool(side, !decides)) return other;
  }
  return isSame(left, right) ? left : expr;
}

/** Branches up to the first that always holds, without those that never do. */
function simplifyWhen(expr: Expr & { kind: 'when' }): Expr {
  const branches: WhenBranch[] = [];
  let { otherwise } = expr;
  for (const branch of expr.branches) {
    const { condition, value } = branch;
    if (isBool(condition, true)) {
      otherwise = value;
      break;
    }
    if (condition.kind !== 'literal') branches.push(branch);
  }
  if (branches.length === 0) {
    // Another type would have to be widened.
    if (otherwise === null) return nullLiteral(expr.type);
    if (isSame(otherwise.type, expr.type)) return otherwise;
  }
  const isAsWritten = branches.length === expr.branches.length && otherwise === expr.otherwise;
  if (isAsWritten || branches.length === 0) return expr;
  return Object.freeze({ ...expr, branches: Object.freeze(branches), otherwise });
}

function isBool(expr: Expr, value: boolean): boolean {
  return expr.kind === 'literal' && expr.value === value;
}

function boolLiteral(value: boolean): Expr {
  return Object.freeze({ kind: 'literal', value, type: boolType, nullable: false });
}

/** Expressions and types are plain data: equal ones have equal text. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
