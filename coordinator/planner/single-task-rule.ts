/**
 * Single task: rows that are all in one task need no exchange to meet.
 *
 *     sort (gather) · sink (gather)   →   sort (gather) · sink
 *
 * A stream that was gathered stays in its one task: an exchange could only spread what one task made.
 * With a parallelism of 1 no exchange is left at all.
 */
import type { PlanOptions, PlanStep } from './plan-step.ts';

export function singleTaskRule(
  steps: readonly PlanStep[],
  { parallelism }: PlanOptions,
): PlanStep[] {
  let isSingle = parallelism === 1;
  return steps.map((step) => {
    if (isSingle) return step.exchange === null ? step : { ...step, exchange: null };
    isSingle = step.exchange?.kind === 'gather' || step.exchange?.kind === 'merge';
    return step;
  });
}
