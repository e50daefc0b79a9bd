/**
 * Parallel sort: each task sorts its rows, and one task merges them.
 *
 *     sort (gather) · sink     →   sort · sink (merge)
 *     top 20 (gather) · sink   →   top 20 · limit 20 (merge) · sink
 *
 * The merge exchange gives one sorted stream, so what follows needs no sort of its own.
 */
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { type PlanStep, stepOf } from './plan-step.ts';

export function parallelSortRule(steps: readonly PlanStep[]): PlanStep[] {
  const result: PlanStep[] = [];
  for (const [index, step] of steps.entries()) {
    const { operator, exchange } = step;
    const isSort = operator.kind === 'sort' || operator.kind === 'top';
    const before = steps[index - 1]?.operator;
    const merge = mergeBehind(before, steps[index - 1]?.exchange ?? null);
    if (isSort && exchange !== null) {
      result.push(stepOf(operator));
      if (operator.kind === 'top') result.push(stepOf(limitOf(operator), mergeOf(operator)));
    } else if (merge !== null) {
      result.push({ ...step, exchange: merge });
    } else {
      result.push(step);
    }
  }
  return result;
}

/** The exchange of the step that follows a parallel sort. */
function mergeBehind(before: OperatorSpec | undefined, exchange: PlanStep['exchange']) {
  return before?.kind === 'sort' && exchange !== null ? mergeOf(before) : null;
}

type Sorting = OperatorSpec & { readonly kind: 'sort' | 'top' };

function mergeOf({ order }: Sorting) {
  return { kind: 'merge', order } as const;
}

function limitOf({ id, name, output, count }: OperatorSpec & { readonly kind: 'top' }) {
  return { id, name, output, kind: 'limit', count } as const;
}
