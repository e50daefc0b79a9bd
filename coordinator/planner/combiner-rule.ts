/**
 * Combiners: an aggregate or a fold behind an exchange is split, so that what travels is a row per key and
 * task, not a row per record.
 *
 *     aggregate whole (hash by word)   →   aggregate partial · aggregate final (hash by word)
 *
 * The final phase merges partial results: a count is the sum of counts, the other functions are
 * their own merge. Partial and final rows have the same columns, so both can be merged again. Behind a
 * union each of its streams has a partial phase of its own.
 */
import type { AggregateColumn, OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { fieldIndexOf } from '../../engine/schema/schema.ts';
import { inputFrom, isLocal, numberAfter, type PlanStep } from './plan-step.ts';

export function combinerRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const nextNumber = numberAfter(steps);
  return steps.flatMap((step) => {
    const phases = isLocal(step) ? null : phasesOf(step.operator);
    if (phases === null) return [step];
    const partials = step.inputs.map(
      (input): PlanStep => ({
        number: nextNumber(),
        operator: phases.partial,
        inputs: [{ ...input, exchange: null }],
      }),
    );
    const inputs = partials.map(({ number }, at) =>
      inputFrom(number, step.inputs[at]?.exchange ?? null),
    );
    return [...partials, { number: step.number, operator: phases.final, inputs }];
  });
}

interface Phases {
  readonly partial: OperatorSpec;
  readonly final: OperatorSpec;
}

/** The two operators that do the same, or null where there are none. */
function phasesOf(operator: OperatorSpec): Phases | null {
  if (operator.kind === 'fold' && hasItsKeys(operator)) {
    return { partial: { ...operator, phase: 'partial' }, final: operator };
  }
  if (operator.kind !== 'aggregate') return null;
  const aggregates = operator.aggregates.map(mergeOf);
  return {
    partial: { ...operator, phase: 'partial' },
    final: { ...operator, phase: 'final', aggregates },
  };
}

/** Whether partial rows can be folded again: a key that is no field of theirs is gone. */
function hasItsKeys({ keys, output }: OperatorSpec & { readonly kind: 'fold' }): boolean {
  return keys.every((key) => fieldIndexOf(output, key) >= 0);
}

function mergeOf({ name, function: kind }: AggregateColumn): AggregateColumn {
  return { name, function: kind === 'count' ? 'sum' : kind, column: name };
}
