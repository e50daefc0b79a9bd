/**
 * Common subexpressions: what a filter computes and the projection behind it computes again is computed
 * once, in front of both.
 *
 *     filter lower(url) like "%bot%"              project …, shared = lower(url)
 *     project agent = lower(url)           →      filter shared like "%bot%"
 *                                                 project agent = shared
 *
 * Only where it is work worth a column (a call, a cast, a choice, more than one operation), and only what
 * the filter asks of every row anyway: behind `and`, or in a branch, what may fail stays where it is.
 */
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { exprChildren, mapExpr } from '../../engine/expr/expr-children.ts';
import { columnExpr } from '../../engine/expr/expr-factory.ts';
import { mayFail } from '../../engine/expr/may-fail.ts';
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { fieldOf, freeName } from '../../engine/schema/schema.ts';
import { inputFrom, numberAfter, type PlanStep, StepIndex } from './plan-step.ts';

export function sharedExprRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const index = new StepIndex(steps);
  const nextNumber = numberAfter(steps);
  const replaced = new Map<PlanStep, readonly PlanStep[]>();
  for (const step of steps) {
    const before = index.chainedBehind(step);
    if (step.operator.kind !== 'project' || before?.operator.kind !== 'filter') continue;
    const shared = sharedBy(before.operator.predicate, step.operator.columns);
    if (shared.length === 0) continue;
    const { fields } = index.inputSchemaOf(before);
    const taken = new Set(fields.map((field) => field.name));
    const computed = shared.map((expr) => ({ name: freeName('shared', taken), expr }));
    const given = fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
    const output = { fields: [...fields, ...computed.map(fieldOfColumn)] };
    const { id, name } = before.operator;
    const project = {
      id,
      name,
      output,
      kind: 'project',
      columns: [...given, ...computed],
    } as const;
    const number = nextNumber();
    const filter = {
      ...before.operator,
      output,
      predicate: over(before.operator.predicate, computed),
    };
    replaced.set(before, [
      { number, operator: project, inputs: before.inputs },
      { number: before.number, operator: filter, inputs: [inputFrom(number)] },
    ]);
    replaced.set(step, [{ ...step, operator: projectOver(step.operator, computed) }]);
  }
  return steps.flatMap((step) => replaced.get(step) ?? [step]);
}

type Project = OperatorSpec & { readonly kind: 'project' };

function projectOver(project: Project, computed: readonly NamedExpr[]): Project {
  const columns = project.columns.map(({ name, expr }) => ({ name, expr: over(expr, computed) }));
  return { ...project, columns };
}

/** The largest parts of the predicate that the columns compute as well. */
function sharedBy(predicate: Expr, columns: readonly NamedExpr[]): readonly Expr[] {
  const again = new Set<string>();
  const note = (expr: Expr): void => {
    again.add(textOf(expr));
    for (const child of exprChildren(expr)) note(child);
  };
  for (const { expr } of columns) note(expr);
  const found = new Map<string, Expr>();
  const look = (expr: Expr, isAsked: boolean): void => {
    const text = textOf(expr);
    if (isWork(expr) && again.has(text) && (isAsked || !mayFail(expr))) {
      found.set(text, expr);
      return;
    }
    const areAsked = isAsked && asksAll(expr);
    for (const child of exprChildren(expr)) look(child, areAsked);
  };
  look(predicate, true);
  return [...found.values()];
}

/** Whether an error of any part is an error of the whole. */
function asksAll(expr: Expr): boolean {
  const isCoalesce = expr.kind === 'call' && expr.function === 'coalesce';
  return expr.kind !== 'logic' && expr.kind !== 'when' && !isCoalesce;
}

/** Whether to compute it costs more than to read a column. */
function isWork(expr: Expr): boolean {
  if (expr.kind === 'call' || expr.kind === 'cast' || expr.kind === 'when') return true;
  if (expr.kind === 'column' || expr.kind === 'literal') return false;
  return exprChildren(expr).some((child) => child.kind === 'arithmetic' || isWork(child));
}

/** The expression with the computed ones as columns; the largest first, for one may hold another. */
function over(expr: Expr, computed: readonly NamedExpr[]): Expr {
  const largest = [...computed].sort((a, b) => textOf(b.expr).length - textOf(a.expr).length);
  return largest.reduce((changed, column) => {
    const text = textOf(column.expr);
    const read = columnExpr(fieldOfColumn(column));
    return mapExpr(changed, (part) => (textOf(part) === text ? read : part));
  }, expr);
}

function fieldOfColumn({ name, expr }: NamedExpr) {
  return fieldOf(name, expr.type, expr.nullable);
}

/** Expressions are plain data: equal ones have equal text. */
function textOf(expr: Expr): string {
  return JSON.stringify(expr);
}
