/**
 * Pruning: columns that nothing behind an exchange reads do not travel.
 *
 *     sort · select word (merge)   →   project word, count · sort · select word (merge)
 *
 * The projection stands in front of the operators that only reorder or drop rows, so that they
 * carry less as well. It costs nothing per row: a batch without a column shares all the others.
 */
import { assertNever } from '../../base/assert.ts';
import { addColumnNames } from '../../engine/expr/column-names.ts';
import { columnExpr } from '../../engine/expr/expr-factory.ts';
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { inputSchemaOf, type PlanStep, stepOf } from './plan-step.ts';

export function pruneRule(steps: readonly PlanStep[]): PlanStep[] {
  const needs = needsOf(steps);
  const result = [...steps];
  // From the end, so that an insertion moves no index that is still to come.
  for (let index = steps.length - 1; index > 0; index--) {
    if (steps[index]?.exchange == null) continue;
    const at = firstPassing(steps, index);
    const kept = needs[at];
    const schema = inputSchemaOf(steps, at);
    const operator = steps[at]?.operator;
    if (at === 0 || kept == null || operator === undefined) continue;
    const pruned = { fields: schema.fields.filter((field) => kept.has(field.name)) };
    if (pruned.fields.length === schema.fields.length || pruned.fields.length === 0) continue;
    // Between `at` and the exchange all operators hand their columns on: they get the new schema.
    for (let passing = at; passing < index; passing++) {
      const step = steps[passing];
      if (step) result[passing] = { ...step, operator: { ...step.operator, output: pruned } };
    }
    narrowBehind(result, steps, index, pruned);
    result.splice(at, 0, { ...projectOf(operator, pruned), exchange: steps[at]?.exchange ?? null });
    const moved = result[at + 1];
    if (moved) result[at + 1] = { ...moved, exchange: null };
  }
  return result;
}

/** The first of the row-keeping operators right before the exchange of `index`. */
function firstPassing(steps: readonly PlanStep[], index: number): number {
  let at = index;
  while (at > 1 && isPassing(steps[at - 1]) && steps[at - 1]?.exchange === null) at--;
  return at;
}

function isPassing(step: PlanStep | undefined): boolean {
  const kind = step?.operator.kind;
  return kind === 'sort' || kind === 'top' || kind === 'limit' || kind === 'filter';
}

/** Operators behind the exchange that hand columns on have the pruned schema as well. */
function narrowBehind(
  result: PlanStep[],
  steps: readonly PlanStep[],
  index: number,
  schema: Schema,
): void {
  for (let at = index; isPassing(steps[at]); at++) {
    const step = result[at];
    if (step) result[at] = { ...step, operator: { ...step.operator, output: schema } };
  }
}

/** By step: the columns of its input that it, or a later one, reads; null for all of them. */
function needsOf(steps: readonly PlanStep[]): (ReadonlySet<string> | null)[] {
  const needs: (ReadonlySet<string> | null)[] = new Array(steps.length).fill(null);
  let after: ReadonlySet<string> | null = null;
  for (let index = steps.length - 1; index >= 0; index--) {
    const step = steps[index];
    if (step === undefined) continue;
    after = inputNeeds(step.operator, after);
    if (after !== null && step.exchange !== null) after = withExchange(after, step);
    needs[index] = after;
  }
  return needs;
}

function withExchange(names: ReadonlySet<string>, { exchange }: PlanStep): Set<string> {
  const needed = new Set(names);
  if (exchange?.kind === 'hash' || exchange?.kind === 'partition') needed.add(exchange.column);
  if (exchange?.kind === 'merge') for (const key of exchange.order) needed.add(key.column);
  return needed;
}

/** What an operator reads, given what is read of its output (null: all). */
function inputNeeds(
  operator: OperatorSpec,
  output: ReadonlySet<string> | null,
): ReadonlySet<string> | null {
  const names = new Set<string>();
  switch (operator.kind) {
    case 'filter':
      if (output === null) return null;
      addColumnNames(operator.predicate, names);
      break;
    case 'sort':
    case 'top':
      if (output === null) return null;
      for (const key of operator.order) names.add(key.column);
      break;
    case 'limit':
      return output;
    case 'project':
      for (const column of operator.columns) addColumnNames(column.expr, names);
      return names;
    case 'explodeWords':
      return new Set([operator.column, ...operator.carried]);
    case 'aggregate':
      return new Set([operator.key, ...operator.aggregates.flatMap(({ column }) => column ?? [])]);
    // A user's function may read any field, and a sink writes them all.
    case 'source':
    case 'filterRows':
    case 'mapRows':
    case 'flatMap':
    case 'fold':
    case 'map':
    case 'combine':
    case 'reduce':
    case 'sink':
      return null;
    default:
      return assertNever(operator);
  }
  return new Set([...names, ...(output ?? [])]);
}

function projectOf({ id, name }: OperatorSpec, output: Schema): PlanStep {
  const columns = output.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return stepOf({ id, name, output, kind: 'project', columns });
}
