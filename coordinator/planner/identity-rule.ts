/**
 * Projections that give out what comes in are left out: narrowing and pruning leave such ones behind.
 *
 *     source url ─ project url     →     source url
 */
import { type PlanStep, StepIndex, withoutStep } from './plan-step.ts';
import { isPlain } from './projection.ts';

export function identityRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  let list = steps;
  for (const { number } of steps) {
    const index = new StepIndex(list);
    if (changesNothing(index.step(number), index)) list = withoutStep(list, number);
  }
  return list;
}

/** Whether the same columns come out as come in, in the same order, and from one step. */
function changesNothing(step: PlanStep, index: StepIndex): boolean {
  const { operator, inputs } = step;
  const isLocal = inputs.length === 1 && inputs[0]?.exchange === null;
  if (operator.kind !== 'project' || !isLocal) return false;
  const { fields } = index.inputSchemaOf(step);
  return (
    fields.length === operator.columns.length &&
    operator.columns.every((column, at) => isPlain(column) && column.name === fields[at]?.name)
  );
}
