/**
 * Parallel sort: each task sorts its rows, and one task merges them.
 *
 *     sort (gather) · sink     →   sort · sink (merge)
 *     top 20 (gather) · sink   →   top 20 · limit 20 (merge) · sink
 *
 * The merge exchange gives one sorted stream, so what follows needs no sort of its own. Behind a union
 * each of its streams is sorted where it is. What is itself part of a union has no order to keep, and
 * is sorted by one task.
 */
import type { Exchange, OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { inputFrom, numberAfter, type PlanStep, StepIndex } from './plan-step.ts';

export function parallelSortRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const index = new StepIndex(steps);
  const nextNumber = numberAfter(steps);
  /** Sort → the sorts in its place. */
  const locals = new Map<number, { readonly numbers: number[]; readonly merge: Exchange }>();
  const result: PlanStep[] = [];
  for (const step of steps) {
    const { number } = step;
    const operator = isGathered(step) ? splitOf(step.operator, index.readersOf(number)) : null;
    if (operator === null) {
      result.push({ ...step, inputs: step.inputs.flatMap(mergedOf) });
      continue;
    }
    const sorts = step.inputs.map((input): PlanStep => {
      const local = { ...input, exchange: null };
      const output = index.inputSchemaOf({ ...step, inputs: [local] });
      const sort = { ...operator, output };
      return { number: nextNumber(), operator: sort, inputs: mergedOf(local) };
    });
    const numbers = sorts.map((sort) => sort.number);
    const merge = { kind: 'merge', order: operator.order } as const;
    result.push(...sorts);
    if (operator.kind === 'sort') {
      locals.set(number, { numbers, merge });
    } else {
      const inputs = numbers.map((from) => inputFrom(from, merge));
      result.push({ number, operator: limitOf(operator), inputs });
    }
  }
  return result;

  function mergedOf(input: PlanStep['inputs'][number]) {
    const sorted = locals.get(input.from);
    return sorted?.numbers.map((from) => inputFrom(from, sorted.merge)) ?? [input];
  }
}

/** The operator, when its tasks can each sort their rows: whoever reads those of a sort merges them. */
function splitOf(operator: OperatorSpec, readers: readonly PlanStep[]) {
  if (operator.kind === 'sort') return readers.every(readsOne) ? operator : null;
  return operator.kind === 'top' ? operator : null;
}

/** Whether its rows come from several tasks to one; those of a range are where they belong. */
function isGathered({ inputs }: PlanStep): boolean {
  return inputs.some(({ exchange }) => exchange?.kind === 'gather');
}

function readsOne({ inputs }: PlanStep): boolean {
  return inputs.length === 1;
}

function limitOf({ id, name, output, count }: OperatorSpec & { readonly kind: 'top' }) {
  return { id, name, output, kind: 'limit', count } as const;
}
