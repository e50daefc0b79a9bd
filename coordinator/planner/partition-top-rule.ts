/**
 * The first rows of partitions: where a filter behind an analytic operator keeps ranks up to a number only, each
 * task drops most of the other rows before they travel and are sorted.
 *
 *     analytic by user in order of at: place = rowNumber() (hash by user) · filter place <= 3
 *                                      ↓
 *     partitionTop by user in order of at: rowNumber <= 3 · analytic … (hash by user) · filter place <= 3
 *
 * The operator in front may leave other rows in, so the filter stays. What is dropped stands behind all that is
 * wanted, so no function may look there: ranks, lags and frames that end with the row do not.
 */
import type { AnalyticColumn, RankFunction } from '../../engine/plan/analytic-functions.ts';
import { firstRanksOf } from '../../engine/plan/first-ranks.ts';
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { inputFrom, numberAfter, type PlanStep, StepIndex } from './plan-step.ts';

export function partitionTopRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const nextNumber = numberAfter(steps);
  const index = new StepIndex(steps);
  return steps.flatMap((step) => {
    const { operator } = step;
    const wanted = operator.kind === 'analytic' ? wantedRows(operator, step, index) : null;
    if (operator.kind !== 'analytic' || wanted === null) return [step];
    const { id, name, partition, order } = operator;
    const tops = step.inputs.map((input): PlanStep => {
      const inputs = [{ ...input, exchange: null }];
      const output = index.inputSchemaOf({ ...step, inputs });
      const top = { id, name, output, kind: 'partitionTop', partition, order, ...wanted } as const;
      return { number: nextNumber(), operator: top, inputs };
    });
    const inputs = tops.map(({ number }, at) =>
      inputFrom(number, step.inputs[at]?.exchange ?? null),
    );
    return [...tops, { ...step, inputs }];
  });
}

type Analytic = OperatorSpec & { readonly kind: 'analytic' };

interface Wanted {
  readonly function: RankFunction;
  readonly count: number;
}

/** Of the rows of each partition: which are enough for those that the filter behind the step keeps. */
function wantedRows({ functions }: Analytic, step: PlanStep, index: StepIndex): Wanted | null {
  const [reader] = index.readersOf(step.number);
  if (reader?.operator.kind !== 'filter' || index.chainedBehind(reader) !== step) return null;
  if (!functions.every(looksBack)) return null;
  const ranks = firstRanksOf(functions, reader.operator.predicate);
  return ranks && { function: ranks.function, count: ranks.count };
}

function looksBack(one: AnalyticColumn): boolean {
  if (one.kind === 'frame') return one.frame === 'rows';
  return one.kind === 'rank' || one.shift < 0;
}
