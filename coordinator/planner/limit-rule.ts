/**
 * Local limits: each task sends at most as many rows as all of them together may keep.
 *
 *     limit 10 (gather)   →   limit 10 · limit 10 (gather)
 */
import { type PlanStep, stepOf } from './plan-step.ts';

export function limitRule(steps: readonly PlanStep[]): PlanStep[] {
  return steps.flatMap((step) => {
    const isGathered = step.operator.kind === 'limit' && step.exchange?.kind === 'gather';
    return isGathered ? [stepOf(step.operator), step] : [step];
  });
}
