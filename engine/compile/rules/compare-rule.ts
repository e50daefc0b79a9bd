/** Rule of comparisons: numbers in their common form, texts by bytes. */
import type { CompareOp, Expr } from '../../expr/expr.ts';
import type { PlainCode } from '../wasm/instructions.ts';
import { atOneScale } from './decimal-rule.ts';
import { pushCompare128 } from './int128.ts';
import { commonForm, pushAs } from './number-forms.ts';
import type { RuleContext } from './rule-context.ts';
import { pushTextCompare } from './text-compare.ts';
import { allValid, anyFailed, isNumberForm, type Value } from './value.ts';

export function compareRule(
  context: RuleContext,
  expr: Expr & { readonly kind: 'compare' },
): Value {
  const { code } = context;
  const { op, type } = expr;
  const left = context.value(expr.left);
  const right = context.value(expr.right);
  const valid = allValid(code, [left, right]);
  const failed = anyFailed(code, [left, right]);
  pushCompare(context, op, { left, right, valid });
  return { type, form: 'i32', parts: [code.keep('i32')], valid, failed };
}

interface Sides {
  readonly left: Value;
  readonly right: Value;
  /** Whether both sides are there. */
  readonly valid: Value['valid'];
}

/** Leaves 1 on the stack where `left op right`, else 0. */
export function pushCompare(context: RuleContext, op: CompareOp, sides: Sides): void {
  const { code } = context;
  const { left, right } = sides;
  const form = commonForm(left.type, right.type);
  if (form === 'view') {
    pushTextCompare(context, op, sides);
  } else if (isNumberForm(form)) {
    pushAs(code, left, form);
    pushAs(code, right, form);
    code.op(form === 'f64' ? `f64.${op}` : signedCode(form, op));
  } else {
    pushCompare128(code, op, atOneScale(code, left, right));
  }
}

function signedCode(form: 'i32' | 'i64', op: CompareOp): PlainCode {
  return op === 'eq' || op === 'ne' ? `${form}.${op}` : `${form}.${op}_s`;
}
