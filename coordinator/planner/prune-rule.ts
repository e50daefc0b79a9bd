/**
 * Pruning: columns that nobody reads do not travel, and are not sorted.
 *
 *     a sort · select word (merge)    →   project word, count · sort · select word (merge)
 *     b where price > 1 · limit 3 (gather) · select url     →     … limit 3 (gather: only url) …
 *
 * Leaving out a column costs nothing per row, in a projection as on an edge: a batch without it shares
 * all the others. An edge carries what its own reader needs, so that readers of one stream do not pay
 * for each other. Sorts move rows, so they get a projection in front.
 */
import { columnExpr } from '../../engine/expr/expr-factory.ts';
import { type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { exchangeColumns, handsOn, needsOf } from './column-needs.ts';
import type { Needs } from './input-needs.ts';
import { columnsOf, inputFrom, numberAfter, type PlanStep, StepIndex } from './plan-step.ts';

const sortingKinds: ReadonlySet<OperatorSpec['kind']> = new Set(['sort', 'top', 'partitionTop']);

export function pruneRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const index = new StepIndex(steps);
  const needs = needsOf(steps, false);
  const nextNumber = numberAfter(steps);
  const result: PlanStep[] = [];
  for (const step of steps) {
    const kept = needs.get(step.number)?.input ?? null;
    const chained = index.chainedBehind(step)?.number ?? null;
    const narrow = withColumns(step, { kept, chained, before: new StepIndex(result) });
    const input = new StepIndex([...result, narrow]).inputSchemaOf(narrow, vertexPorts.rows);
    const { operator } = narrow;
    const isSort = sortingKinds.has(operator.kind);
    const pruned = kept === null ? input : columnsOf(input, kept);
    if (isSort && pruned.fields.length < input.fields.length) {
      const project = projectOf(operator, pruned);
      const number = nextNumber();
      result.push({ number, operator: project, inputs: narrow.inputs });
      const sort = { ...operator, output: pruned };
      result.push({ number: step.number, operator: sort, inputs: [inputFrom(number)] });
    } else {
      const output = handsOn(operator) ? input : operator.output;
      result.push({ ...narrow, operator: { ...operator, output } });
    }
  }
  return result;
}

/** The step with the columns named that its edges carry. */
function withColumns(
  step: PlanStep,
  options: { readonly kept: Needs; readonly chained: number | null; readonly before: StepIndex },
): PlanStep {
  const { kept, chained, before } = options;
  if (kept === null) return step;
  const inputs = step.inputs.map((input) => {
    if (input.from === chained) return input;
    const all = before.inputSchemaOf({ ...step, inputs: [input] });
    const wanted = new Set([...kept, ...exchangeColumns(input.exchange)]);
    const { fields } = columnsOf(all, wanted);
    const columns = fields.map((field) => field.name);
    return columns.length < all.fields.length ? { ...input, columns } : input;
  });
  return { ...step, inputs };
}

function projectOf({ id, name }: OperatorSpec, output: Schema): OperatorSpec {
  const columns = output.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return { id, name, output, kind: 'project', columns };
}
