/**
 * Top-n: a sort with a limit right behind it keeps the first rows only, and never sorts the rest.
 *
 *     sort (gather) · limit 20        →        top 20 (gather)
 */
import type { PlanStep } from './plan-step.ts';

export function topRule(steps: readonly PlanStep[]): PlanStep[] {
  const result: PlanStep[] = [];
  for (const step of steps) {
    const before = result.at(-1);
    if (step.operator.kind !== 'limit' || before?.operator.kind !== 'sort') {
      result.push(step);
      continue;
    }
    const { id, name, output, order } = before.operator;
    const { count } = step.operator;
    const operator = { id, name, output, kind: 'top', order, count } as const;
    result[result.length - 1] = { operator, exchange: before.exchange };
  }
  return result;
}
