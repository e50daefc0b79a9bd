/**
 * Filters near the source: a row that is dropped early costs nothing later.
 *
 *     project url, total = price * qty                     filter url = "/"
 *     aggregate by url: sum(total)              →          project url, total = price * qty
 *     filter url = "/" and total > 5                       aggregate by url: sum(total)
 *                                                          filter total > 5
 *
 * A condition goes below: a projection of columns that it reads; what repeats columns (explode, windows)
 * that it reads; a sort; a group's rows, when it reads keys only, or a partition's; a join, to the side that it reads
 * (join-filters.ts). Filters that meet become one. It stays
 * behind limits and user functions, which must see the rows they were written for, and behind what
 * others read as well.
 *
 * A row may be asked a condition that it was not asked before, such as the second one of `and` without
 * the first. That must not bring an error into the job, so a condition that may fail goes only where it
 * is asked of the same rows.
 */
import { addColumnNames } from '../../engine/expr/column-names.ts';
import { conditionsOf } from '../../engine/expr/conditions.ts';
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { mapExpr } from '../../engine/expr/expr-children.ts';
import { logicExpr } from '../../engine/expr/expr-factory.ts';
import { mayFail } from '../../engine/expr/may-fail.ts';
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { filterBelowJoin } from './join-filters.ts';
import { inputFrom, numberAfter, type PlanStep, StepIndex } from './plan-step.ts';

export function filterRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  let list = steps;
  // Each round moves one filter one step, and filters only go one way.
  for (;;) {
    const next = movedOnce(list);
    if (next === null) return list;
    list = next;
  }
}

type Filter = OperatorSpec & { readonly kind: 'filter' };

function movedOnce(steps: readonly PlanStep[]): readonly PlanStep[] | null {
  const index = new StepIndex(steps);
  for (const step of steps) {
    const { operator } = step;
    const below = operator.kind === 'filter' ? index.chainedBehind(step) : null;
    if (operator.kind !== 'filter' || below === null || index.putsAside(below)) continue;
    const changed =
      merged(operator, step, below) ??
      filterBelowJoin(step, below, steps) ??
      moved(operator, step, below, steps);
    if (changed === null) continue;
    const replaced = steps.filter((one) => one !== below && one !== step);
    const place = steps.indexOf(below);
    return [...replaced.slice(0, place), ...changed, ...replaced.slice(place)];
  }
  return null;
}

/** Two filters as one. */
function merged(filter: Filter, step: PlanStep, below: PlanStep): readonly PlanStep[] | null {
  const { operator } = below;
  if (operator.kind !== 'filter') return null;
  // What the user named is counted under its name.
  if (filter.name !== operator.name && filter.name !== 'where') return null;
  // Where the first is null the second was not asked, and now is.
  if (operator.predicate.nullable && mayFail(filter.predicate)) return null;
  const predicate = logicExpr('and', operator.predicate, filter.predicate);
  return [{ number: step.number, operator: { ...operator, predicate }, inputs: below.inputs }];
}

/** The step below behind a filter of the conditions that can go there, and a filter with the rest. */
function moved(filter: Filter, step: PlanStep, below: PlanStep, steps: readonly PlanStep[]) {
  const conditions = conditionsOf(filter.predicate).map((condition) => ({
    condition,
    below: conditionBelow(condition, below.operator),
  }));
  // All together they are asked of the same rows as before, and may fail.
  const areTogether =
    conditions.every((one) => one.below !== null) && !asksMoreRows(below.operator);
  const goes = (one: (typeof conditions)[number]) =>
    one.below !== null && (areTogether || !mayFail(one.below));
  const going = conditions.flatMap((one) => (goes(one) && one.below !== null ? [one.below] : []));
  if (going.length === 0) return null;
  const staying = conditions.filter((one) => !goes(one)).map(({ condition }) => condition);
  const [index, nextNumber] = [new StepIndex(steps), numberAfter(steps)];
  const filters = below.inputs.map((input): PlanStep => {
    const inputs = [{ ...input, exchange: null }];
    const output = index.inputSchemaOf({ ...below, inputs });
    const operator = { ...filter, output, predicate: allOf(going) };
    return { number: nextNumber(), operator, inputs };
  });
  const inputs = filters.map(({ number }, at) =>
    inputFrom(number, below.inputs[at]?.exchange ?? null),
  );
  if (staying.length === 0) {
    return [...filters, { number: step.number, operator: below.operator, inputs }];
  }
  const rest = { ...filter, predicate: allOf(staying) };
  return [...filters, { ...below, inputs }, { ...step, operator: rest }];
}

function allOf(conditions: readonly Expr[]): Expr {
  return conditions.reduce((all, condition) => logicExpr('and', all, condition));
}

/** Operators that give out fewer rows than come in, or groups of them. */
function asksMoreRows({ kind }: OperatorSpec): boolean {
  return kind === 'explodeWords' || kind === 'assignWindows' || kind === 'repeat';
}

/** The condition as it is below an operator, or null where it must stay behind. */
function conditionBelow(condition: Expr, operator: OperatorSpec): Expr | null {
  switch (operator.kind) {
    case 'sort':
    case 'repeat':
      return condition;
    case 'project':
      return overColumns(condition, operator.columns);
    case 'explodeWords':
    case 'assignWindows':
      return readsOnly(condition, operator.carried) ? condition : null;
    case 'analytic':
      return readsOnly(condition, operator.partition) ? condition : null;
    case 'aggregate':
    case 'runningAggregate':
    case 'firstRows':
    case 'windowAggregate':
    case 'orderedAggregate':
    case 'digest':
      // A group without keys is there even when no row comes.
      return operator.keys.length > 0 && readsOnly(condition, operator.keys) ? condition : null;
    default:
      return null;
  }
}

function readsOnly(condition: Expr, names: readonly string[]): boolean {
  const read = new Set<string>();
  addColumnNames(condition, read);
  return [...read].every((name) => names.includes(name));
}

/** The condition over what columns are made of, where that is columns and literals: all else is work. */
function overColumns(condition: Expr, columns: readonly NamedExpr[]): Expr | null {
  const exprs = new Map(columns.map(({ name, expr }) => [name, expr]));
  const read = new Set<string>();
  addColumnNames(condition, read);
  const isPlain = [...read].every((name) => {
    const kind = exprs.get(name)?.kind;
    return kind === 'column' || kind === 'literal';
  });
  if (!isPlain) return null;
  return mapExpr(condition, (part) =>
    part.kind === 'column' ? (exprs.get(part.name) ?? part) : part,
  );
}
