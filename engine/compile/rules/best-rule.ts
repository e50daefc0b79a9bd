/** Rule of `greatest` and `least`: nulls are left out, NaN is greater than all numbers. */
import type { Local } from '../wasm/code-builder.ts';
import { argOf, type CallExpr } from './call-rule.ts';
import { choose, converted } from './choose.ts';
import { pushCompare } from './compare-rule.ts';
import type { RuleContext } from './rule-context.ts';
import { partOf, type Value } from './value.ts';

export function bestRule(context: RuleContext, call: CallExpr): Value {
  const values = call.args.map((arg) => converted(context, context.value(arg), call.type));
  const [first, ...others] = values;
  if (first === undefined) return context.value(argOf(call, 0));
  return others.reduce((best, value) => better(context, call, { best, value }), first);
}

function better(
  context: RuleContext,
  call: CallExpr,
  { best, value }: { best: Value; value: Value },
): Value {
  const { code } = context;
  const isBetter = pushIsBetter(context, call, { best, value });
  // A value beats a null; a null beats nothing.
  code.get(isBetter);
  if (best.valid !== null) code.get(best.valid).op('i32.eqz', 'i32.or');
  if (value.valid !== null) code.get(value.valid).op('i32.and');
  const chosen = choose(context, code.keep('i32'), value, best);
  const flags = [best.failed, value.failed].filter((flag) => flag !== null);
  if (flags.length < 2) return { ...chosen, failed: flags[0] ?? null };
  for (const flag of flags) code.get(flag);
  return { ...chosen, failed: code.op('i32.or').keep('i32') };
}

/** Whether a value is greater, or less, than the best one so far; both are there. */
function pushIsBetter(
  context: RuleContext,
  call: CallExpr,
  { best, value }: { best: Value; value: Value },
): Local {
  const { code } = context;
  const op = call.function === 'greatest' ? 'gt' : 'lt';
  pushCompare(context, op, { left: value, right: best, valid: null });
  if (value.form === 'f64') {
    const pushIsNaN = (one: Value) => code.get(partOf(one)).get(partOf(one)).op('f64.ne');
    const [nan, number] = op === 'gt' ? [value, best] : [best, value];
    pushIsNaN(nan);
    pushIsNaN(number).op('i32.eqz', 'i32.and', 'i32.or');
  }
  return code.keep('i32');
}
