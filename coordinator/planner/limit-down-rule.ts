/**
 * Limits near the source: what keeps a row for each row is done for those that are kept.
 *
 *     sort · map · limit 20     →     sort · limit 20 · map      and then a top-n
 *     limit 20 · limit 5        →     limit 5
 *
 * A user function is called less often by that, never for other rows.
 */
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { type PlanStep, StepIndex } from './plan-step.ts';

/** More rows are worth the work of all tasks. */
const smallCountMax = 8_192;

export function limitDownRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  let list = steps;
  for (;;) {
    const next = movedOnce(list);
    if (next === null) return list;
    list = next;
  }
}

const keepsRows: ReadonlySet<OperatorSpec['kind']> = new Set(['project', 'mapRows']);

/** The first limit that can go on and the step below it in the other order, or as one. */
function movedOnce(steps: readonly PlanStep[]): readonly PlanStep[] | null {
  const index = new StepIndex(steps);
  for (const step of steps) {
    const moved = step.operator.kind === 'limit' ? movedBelow(step, index) : null;
    if (moved === null) continue;
    const { below, replaced } = moved;
    return steps.flatMap((one) =>
      one === step ? replaced.step : one === below ? replaced.below : one,
    );
  }
  return null;
}

/** What stands in the place of a limit and of the step below it; null where they stay. */
function movedBelow(limit: PlanStep, index: StepIndex) {
  const [input, ...others] = limit.inputs;
  if (limit.operator.kind !== 'limit' || input === undefined || others.length > 0) return null;
  const below = index.step(input.from);
  if (index.readersOf(below.number).length > 1) return null;
  const { operator } = below;
  if (operator.kind === 'limit') {
    const count = Math.min(operator.count, limit.operator.count);
    const both = { ...limit, operator: { ...operator, count }, inputs: below.inputs };
    return { below, replaced: { below: [], step: [both] } };
  }
  const isLocal = below.inputs.every(({ exchange }) => exchange === null);
  const isSmall = limit.operator.count <= smallCountMax;
  if (!keepsRows.has(operator.kind) || !isLocal || !isSmall) return null;
  const output = index.inputSchemaOf(below);
  const inputs = below.inputs.map((before) => ({ ...before, exchange: input.exchange }));
  // Whoever reads the limit now reads the other.
  const first = { number: below.number, operator: { ...limit.operator, output }, inputs };
  const second = { number: limit.number, operator, inputs: [{ ...input, exchange: null }] };
  return { below, replaced: { below: [first], step: [second] } };
}
