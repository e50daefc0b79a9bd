/**
 * Makes a failing run smaller: leaves out one fault after the other as long as the run still fails.
 * Possible because faults are data; 30 of them often come down to two that tell the story.
 */
import type { Fault, FaultPlan } from './faults.ts';

/** @param fails - Runs the scenario with a plan; true when it still fails. */
export function shrinkFaults(plan: FaultPlan, fails: (plan: FaultPlan) => boolean): FaultPlan {
  let faults: readonly Fault[] = plan.faults;
  for (let index = faults.length - 1; index >= 0; index--) {
    const fewer = faults.filter((_, other) => other !== index);
    if (fails({ ...plan, faults: fewer })) faults = fewer;
  }
  return { ...plan, faults };
}
