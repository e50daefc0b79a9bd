/**
 * Comparing texts by bytes, which for UTF-8 is the order of code points. Most comparisons end at the
 * length and the first 8 bytes, which are in the views; only the others call a kernel.
 */
import type { CompareOp } from '../../expr/expr.ts';
import type { RuleContext } from './rule-context.ts';
import { bytesOf, ifAsked, ifTrue, inlineSize, lengthOf, prefixOf } from './text-value.ts';
import type { Value } from './value.ts';

interface Texts {
  readonly left: Value;
  readonly right: Value;
  readonly valid: Value['valid'];
}

/** Leaves 1 on the stack where `left op right`, else 0. */
export function pushTextCompare(context: RuleContext, op: CompareOp, texts: Texts): void {
  const { code } = context;
  if (op === 'eq' || op === 'ne') {
    pushIsEqual(context, texts);
    if (op === 'ne') code.op('i32.eqz');
    return;
  }
  pushOrder(context, texts);
  code.i32(0).op(`i32.${op}_s`);
}

/** Leaves 1 on the stack where the texts are equal. */
function pushIsEqual(context: RuleContext, { left, right, valid }: Texts): void {
  const { code } = context;
  const [leftLength, rightLength] = [lengthOf(context, left), lengthOf(context, right)];
  code.get(leftLength).get(rightLength).op('i32.eq');
  code.get(prefixOf(context, left)).get(prefixOf(context, right)).op('i64.eq', 'i32.and');
  const isEqual = code.keep('i32');
  code.get(isEqual).get(leftLength).i32(inlineSize).op('i32.gt_u', 'i32.and');
  for (const flag of [valid, context.active]) if (flag !== null) code.get(flag).op('i32.and');
  const condition = code.keep('i32');
  const isSameTail = context.kernel('isSameTail', ['i32', 'i32', 'i32'], 'i32');
  ifTrue(context, condition, () => {
    code.get(bytesOf(context, left)).get(bytesOf(context, right)).get(leftLength);
    code.call(isSameTail).set(isEqual);
  });
  code.get(isEqual);
}

/** Leaves a number below, equal to or above 0 on the stack, as the left text is to the right one. */
function pushOrder(context: RuleContext, { left, right, valid }: Texts): void {
  const { code } = context;
  const order = code.local('i32');
  const compare = context.kernel('compareTexts', ['i32', 'i32', 'i32', 'i32'], 'i32');
  ifAsked(context, { valid, failed: null }, () => {
    for (const text of [left, right]) {
      code.get(bytesOf(context, text)).get(lengthOf(context, text));
    }
    code.call(compare).set(order);
  });
  code.get(order);
}
