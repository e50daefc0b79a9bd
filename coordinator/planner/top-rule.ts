/**
 * Top-n: a sort with a limit right behind it keeps the first rows only, and never sorts the rest.
 *
 *     sort (gather) · limit 20        →        top 20 (gather)
 *
 * A sort that others read as well is left as it is.
 */
import { type PlanStep, StepIndex } from './plan-step.ts';

export function topRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const index = new StepIndex(steps);
  const replaced = new Set<number>();
  const result = steps.map((step): PlanStep => {
    const [input, ...others] = step.inputs;
    if (step.operator.kind !== 'limit' || input === undefined || others.length > 0) return step;
    const before = index.step(input.from);
    if (before.operator.kind !== 'sort' || index.readersOf(before.number).length > 1) return step;
    replaced.add(before.number);
    const { id, name, output, order } = before.operator;
    const { count } = step.operator;
    const operator = { id, name, output, kind: 'top', order, count } as const;
    return { number: step.number, operator, inputs: before.inputs };
  });
  return result.filter(({ number }) => !replaced.has(number));
}
