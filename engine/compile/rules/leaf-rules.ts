/** Rules of leaves: columns and literals. */
import type { Expr } from '../../expr/expr.ts';
import { loadColumn, pushBit } from './column-access.ts';
import type { RuleContext } from './rule-context.ts';
import { formOf, type Value } from './value.ts';

export function columnRule(context: RuleContext, expr: Expr & { readonly kind: 'column' }): Value {
  const { type } = expr;
  const { values, validity } = context.column(expr);
  const valid = validity === null ? null : pushBit(context.code, validity, context.row).keep('i32');
  const parts = loadColumn(context, type, values);
  return { type, form: formOf(type), parts, valid, failed: null };
}

export function literalRule(
  context: RuleContext,
  expr: Expr & { readonly kind: 'literal' },
): Value {
  const { type, value } = expr;
  // A local that nothing sets is 0: never valid.
  const valid = value === null ? context.remember('never', () => context.code.local('i32')) : null;
  return { type, form: formOf(type), parts: context.literal(expr), valid, failed: null };
}
