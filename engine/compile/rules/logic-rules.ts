/**
 * Rules of three-valued logic. One side that decides (false for `and`, true for `or`) does so beside
 * a null and beside an error. A right side that costs much is computed only where the left one does
 * not decide.
 */
import type { Expr } from '../../expr/expr.ts';
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';
import { isCostly } from './costly.ts';
import type { RuleContext } from './rule-context.ts';
import { allValid, anyFailed, partOf, type Value } from './value.ts';

export function logicRule(context: RuleContext, expr: Expr & { readonly kind: 'logic' }): Value {
  const { code } = context;
  const { op, type } = expr;
  const left = context.value(expr.left);
  const right = isCostly(expr.right)
    ? context.under(undecided(code, op, left), () => context.value(expr.right))
    : context.value(expr.right);
  code.get(partOf(left)).get(partOf(right)).op(`i32.${op}`);
  const parts = [code.keep('i32')];
  const valid = allValid(code, [left, right]);
  const failed = anyFailed(code, [left, right]);
  if (valid === null && failed === null) return { type, form: 'i32', parts, valid, failed };
  pushDecides(code, op, left);
  pushDecides(code, op, right);
  const isDecided = code.op('i32.or').keep('i32');
  return {
    type,
    form: 'i32',
    parts,
    valid: valid && code.get(valid).get(isDecided).op('i32.or').keep('i32'),
    failed: failed && code.get(failed).get(isDecided).op('i32.eqz', 'i32.and').keep('i32'),
  };
}

export function notRule(
  context: RuleContext,
  { type, input }: Expr & { readonly kind: 'not' },
): Value {
  const { code } = context;
  const { parts, ...value } = context.value(input);
  const [part] = parts;
  return part === undefined
    ? { ...value, type, parts }
    : { ...value, type, parts: [code.get(part).op('i32.eqz').keep('i32')] };
}

export function isNullRule(
  context: RuleContext,
  { type, input }: Expr & { readonly kind: 'isNull' },
): Value {
  const { code } = context;
  const { valid, failed } = context.value(input);
  if (valid === null) code.i32(0);
  else code.get(valid).op('i32.eqz');
  return { type, form: 'i32', parts: [code.keep('i32')], valid: null, failed };
}

/** Leaves 1 on the stack where the side decides alone. */
function pushDecides(code: CodeBuilder, op: 'and' | 'or', side: Value): void {
  code.get(partOf(side));
  if (op === 'and') code.op('i32.eqz');
  if (side.valid !== null) code.get(side.valid).op('i32.and');
  if (side.failed !== null) code.get(side.failed).op('i32.eqz', 'i32.and');
}

function undecided(code: CodeBuilder, op: 'and' | 'or', left: Value): Local {
  pushDecides(code, op, left);
  return code.op('i32.eqz').keep('i32');
}
