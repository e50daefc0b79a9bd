/**
 * Rule of `in`: compares with one literal after another, which for the few that people write is faster
 * than any table. Null where nothing equals and a null is among them.
 */
import type { Expr } from '../../expr/expr.ts';
import { pushCompare } from './compare-rule.ts';
import { NoRule, type RuleContext } from './rule-context.ts';
import type { Value } from './value.ts';

/** Beyond this the code would grow long, and a table would be faster. */
const valuesMax = 64;

export function inRule(context: RuleContext, expr: Expr & { readonly kind: 'in' }): Value {
  const { code } = context;
  const { type, values } = expr;
  if (values.length > valuesMax) throw new NoRule(`in with more than ${valuesMax} values`);
  const input = context.value(expr.input);
  const { valid, failed } = input;
  const present = values.filter((value) => value.kind !== 'literal' || value.value !== null);
  code.i32(0);
  for (const value of present) {
    pushCompare(context, 'eq', { left: input, right: context.value(value), valid });
    code.op('i32.or');
  }
  const isFound = code.keep('i32');
  const parts = [isFound];
  if (present.length === values.length) return { type, form: 'i32', parts, valid, failed };
  code.get(isFound);
  if (valid !== null) code.get(valid).op('i32.and');
  return { type, form: 'i32', parts, valid: code.keep('i32'), failed };
}
