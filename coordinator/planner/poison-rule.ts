/**
 * Poison: the records on which a user's function fails go where the dead letters of their source go, also from
 * behind an exchange. A source's reader of dead letters reads those of each such function, too.
 *
 *     1 source   2 flatMap ← 1   3 sink ← 1 (dead letters)   →   3 sink ← 1, 2 (dead letters)
 *
 * Of a join's rows it is the probe side's source that counts, of a union's the first one that has dead letters.
 * It comes last: nothing is removed or fused any more.
 */
import { vertexOutputs, vertexPorts } from '../../engine/plan/physical-graph.ts';
import type { PlanStep, StepInput } from './plan-step.ts';

/** Operators that may give a record up (engine/operators/poison-records.ts). */
const givesUp: ReadonlySet<string> = new Set(['filterRows', 'mapRows', 'flatMap', 'process']);

export function poisonRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const isLetters = ({ output }: StepInput) => output === vertexOutputs.deadLetters;
  const hasLetters = new Set(
    steps.flatMap(({ inputs }) => inputs.filter(isLetters).map(({ from }) => from)),
  );
  if (hasLetters.size === 0) return steps;
  /** By step: the source whose dead letters its rows belong to. */
  const origins = new Map<number, number>();
  for (const { number, operator, inputs } of steps) {
    const rows = inputs.filter((input) => input.port === vertexPorts.rows && !isLetters(input));
    const origin =
      operator.kind === 'source' && hasLetters.has(number)
        ? number
        : rows.map(({ from }) => origins.get(from)).find((found) => found !== undefined);
    if (origin !== undefined) origins.set(number, origin);
  }
  const functions = steps.filter(({ operator }) => givesUp.has(operator.kind));
  const withFunctions = (input: StepInput): StepInput[] => {
    if (!isLetters(input)) return [input];
    const own = functions.filter(({ number }) => origins.get(number) === input.from);
    return [input, ...own.map(({ number }) => ({ ...input, from: number }))];
  };
  const readsLetters = ({ inputs }: PlanStep) => inputs.some(isLetters);
  // Readers come behind all that they read.
  return [
    ...steps.filter((step) => !readsLetters(step)),
    ...steps
      .filter(readsLetters)
      .map((step) => ({ ...step, inputs: step.inputs.flatMap(withFunctions) })),
  ];
}
