/**
 * Single task: rows that are all in one task need no exchange to meet.
 *
 *     sort (gather) · sink (gather)   →   sort (gather) · sink
 *
 * A stream that was gathered stays in its one task: an exchange could only spread what one task made. A join
 * stays with its probe side, and gathers its build side there. With a parallelism of 1 no exchange is left
 * at all.
 */
import { vertexPorts } from '../../engine/plan/physical-graph.ts';
import type { PlanOptions, PlanStep } from './plan-step.ts';

export function singleTaskRule(
  steps: readonly PlanStep[],
  { parallelism }: PlanOptions,
): readonly PlanStep[] {
  /** Steps that run in one task. */
  const single = new Set<number>();
  return steps.map((step) => {
    const { number, inputs } = withGatheredBuild(step, single);
    const isSource = inputs.length === 0;
    const isBehindSingle = !isSource && inputs.every(({ from }) => single.has(from));
    if (parallelism === 1 || isBehindSingle) {
      single.add(number);
      return { ...step, inputs: inputs.map((input) => ({ ...input, exchange: null })) };
    }
    if (inputs.some(({ exchange }) => exchange?.kind === 'gather')) single.add(number);
    return { ...step, inputs };
  });
}

/** A broadcast to the one task of a join is a gather. */
function withGatheredBuild(step: PlanStep, single: ReadonlySet<number>): PlanStep {
  const { operator, inputs } = step;
  const probes = inputs.filter(({ port }) => port === vertexPorts.rows);
  const isSingle = probes.every(({ from, exchange }) => exchange === null && single.has(from));
  if (operator.kind !== 'join' || !isSingle) return step;
  const gathered = inputs.map((input) =>
    input.exchange?.kind === 'broadcast'
      ? { ...input, exchange: { kind: 'gather' } as const }
      : input,
  );
  return { ...step, inputs: gathered };
}
