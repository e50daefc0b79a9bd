/**
 * Combiners: an aggregate or a fold behind an exchange is split, so that what travels is a row per key and
 * task, not a row per record.
 *
 *     aggregate whole (hash by word)   →   aggregate partial · aggregate final (hash by word)
 *
 * The final phase merges partial results: a count is the sum of counts, the other functions are
 * their own merge. Partial and final rows have the same columns, so both can be merged again.
 */
import type { AggregateColumn, OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { fieldIndexOf } from '../../engine/schema/schema.ts';
import { type PlanStep, stepOf } from './plan-step.ts';

export function combinerRule(steps: readonly PlanStep[]): PlanStep[] {
  return steps.flatMap((step) => {
    const { operator, exchange } = step;
    if (operator.kind === 'fold' && exchange !== null && hasItsKeys(operator)) {
      return [stepOf({ ...operator, phase: 'partial' }), step];
    }
    if (operator.kind !== 'aggregate' || exchange === null) return [step];
    const aggregates = operator.aggregates.map(mergeOf);
    return [
      stepOf({ ...operator, phase: 'partial' }),
      stepOf({ ...operator, phase: 'final', aggregates }, exchange),
    ];
  });
}

/** Whether partial rows can be folded again: a key that is no field of theirs is gone. */
function hasItsKeys({ keys, output }: OperatorSpec & { readonly kind: 'fold' }): boolean {
  return keys.every((key) => fieldIndexOf(output, key) >= 0);
}

function mergeOf({ name, function: kind }: AggregateColumn): AggregateColumn {
  return { name, function: kind === 'count' ? 'sum' : kind, column: name };
}
