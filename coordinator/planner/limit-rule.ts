/**
 * Local limits: each task sends at most as many rows as all of them together may keep.
 *
 *     limit 10 (gather)   →   limit 10 · limit 10 (gather)
 */
import { inputFrom, numberAfter, type PlanStep } from './plan-step.ts';

export function limitRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const nextNumber = numberAfter(steps);
  return steps.flatMap((step) => {
    const isGathered = step.inputs.every(({ exchange }) => exchange?.kind === 'gather');
    if (step.operator.kind !== 'limit' || !isGathered) return [step];
    const locals = step.inputs.map(
      (input): PlanStep => ({
        number: nextNumber(),
        operator: step.operator,
        inputs: [{ ...input, exchange: null }],
      }),
    );
    const inputs = locals.map(({ number }) => inputFrom(number, { kind: 'gather' }));
    return [...locals, { ...step, inputs }];
  });
}
