/**
 * Late union: what is done to each row alone is done to each stream before they meet, in the task that
 * made the rows.
 *
 *     source a ─┬─ filter ─ aggregate (hash)     →     source a ─ filter ─┬─ aggregate (hash)
 *     source b ─┘                                      source b ─ filter ─┘
 *
 * So rows that are dropped never travel, and where an exchange follows there is no vertex for the
 * union at all. A function of the user's is called as often as before.
 */
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { isLocal, numberAfter, type PlanStep, type StepInput } from './plan-step.ts';

/** Streams that are united over and over would double each time. */
const copiesMax = 8;

const rowWise: ReadonlySet<OperatorSpec['kind']> = new Set([
  'filter',
  'project',
  'explodeWords',
  'assignWindows',
  'filterRows',
  'mapRows',
  'flatMap',
  'map',
  'combine',
  'digest',
]);

export function lateUnionRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const nextNumber = numberAfter(steps);
  const copies = new Map<number, readonly number[]>();
  const copiesOf = (input: StepInput): readonly StepInput[] =>
    copies.get(input.from)?.map((from) => ({ ...input, from })) ?? [input];
  return steps.flatMap((step) => {
    const inputs = step.inputs.flatMap(copiesOf);
    const isUnion = inputs.length > 1 && inputs.length <= copiesMax;
    if (!isUnion || !rowWise.has(step.operator.kind) || !isLocal(step)) {
      return [{ ...step, inputs }];
    }
    const copied = inputs.map((input) => ({ ...step, number: nextNumber(), inputs: [input] }));
    copies.set(
      step.number,
      copied.map(({ number }) => number),
    );
    return copied;
  });
}
