/** What rules of functions have in common. */
import type { Expr } from '../../expr/expr.ts';
import type { ValueType } from '../wasm/instructions.ts';
import { NoRule, type RuleContext } from './rule-context.ts';
import { allValid, anyFailed, type Value } from './value.ts';

export type CallExpr = Expr & { readonly kind: 'call' };

/** The value of a call, for the row at hand. */
export type CallRule = (context: RuleContext, call: CallExpr) => Value;

/** An argument that every call of the function has. */
export function argOf({ function: name, args }: CallExpr, index: number): Expr {
  const arg = args[index];
  if (arg === undefined) throw new Error(`assertion failed: ${name} has an argument ${index}`);
  return arg;
}

/** An argument that is known when the plan is made. */
export function constantOf(call: CallExpr, index: number): string | number | boolean {
  const arg = argOf(call, index);
  if (arg.kind === 'literal' && arg.value !== null) return arg.value;
  throw new NoRule(`${call.function} of what is no literal`);
}

/** Result of a function that is null or failed exactly where an argument is: the top of the stack. */
export function kept(
  { code }: RuleContext,
  { type }: CallExpr,
  { form, inputs }: { form: ValueType; inputs: readonly Value[] },
): Value {
  const part = code.keep(form);
  const [valid, failed] = [allValid(code, inputs), anyFailed(code, inputs)];
  return { type, form, parts: [part], valid, failed };
}
