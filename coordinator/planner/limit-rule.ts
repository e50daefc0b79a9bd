/**
 * Local limits: each task sends at most as many rows as all of them together may keep.
 *
 *     limit 10 (gather)   →   limit 10 · limit 10 (gather)
 */
import { inputFrom, numberAfter, type PlanStep, StepIndex } from './plan-step.ts';

export function limitRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const index = new StepIndex(steps);
  const nextNumber = numberAfter(steps);
  return steps.flatMap((step) => {
    const isGathered = step.inputs.every(({ exchange }) => exchange?.kind === 'gather');
    const { operator: limit } = step;
    if (limit.kind !== 'limit' || !isGathered) return [step];
    const locals = step.inputs.map((input): PlanStep => {
      const inputs = [{ ...input, exchange: null }];
      const output = index.inputSchemaOf({ ...step, inputs });
      const operator = { ...limit, output, isLocal: true as const };
      return { number: nextNumber(), operator, inputs };
    });
    const inputs = locals.map(({ number }) => inputFrom(number, { kind: 'gather' }));
    return [...locals, { ...step, inputs }];
  });
}
