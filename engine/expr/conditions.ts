/** A condition taken apart: what must hold all together. */
import type { Expr } from './expr.ts';

/** `a and (b and c)` → a, b, c. */
export function conditionsOf(predicate: Expr): readonly Expr[] {
  if (predicate.kind !== 'logic' || predicate.op !== 'and') return [predicate];
  return [...conditionsOf(predicate.left), ...conditionsOf(predicate.right)];
}
