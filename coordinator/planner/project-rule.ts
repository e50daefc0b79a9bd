/**
 * Projections together: a projection behind another is computed with it.
 *
 *     project a, x = b + c           project a, y = b + c + 1
 *     project a, y = x + 1     →
 *
 * Not where an expression would be computed twice: `x` may be read once, or be a column or a literal.
 */
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { exprChildren, mapExpr } from '../../engine/expr/expr-children.ts';
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { type PlanStep, StepIndex, withoutStep } from './plan-step.ts';

export function projectRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  let list = steps;
  for (const { number } of steps) {
    const index = new StepIndex(list);
    const step = index.step(number);
    const before = index.chainedBehind(step);
    if (step.operator.kind !== 'project' || before === null) continue;
    const columns = together(step.operator, before.operator);
    if (columns === null) continue;
    const operator = { ...step.operator, columns };
    const merged = list.map((one) => (one === step ? { ...step, operator } : one));
    list = withoutStep(merged, before.number);
  }
  return list;
}

type Project = OperatorSpec & { readonly kind: 'project' };

/** The columns of both, over what comes in; null where that would be more work. */
function together(project: Project, before: OperatorSpec): readonly NamedExpr[] | null {
  if (before.kind !== 'project') return null;
  const exprs = new Map(before.columns.map(({ name, expr }) => [name, expr]));
  const reads = new Map<string, number>();
  for (const { expr } of project.columns) countReads(expr, reads);
  const isTwice = [...reads].some(([name, count]) => {
    const kind = exprs.get(name)?.kind;
    return count > 1 && kind !== 'column' && kind !== 'literal';
  });
  if (isTwice) return null;
  return project.columns.map(({ name, expr }) => ({
    name,
    expr: mapExpr(expr, (part) => (part.kind === 'column' ? (exprs.get(part.name) ?? part) : part)),
  }));
}

function countReads(expr: Expr, reads: Map<string, number>): void {
  if (expr.kind === 'column') reads.set(expr.name, (reads.get(expr.name) ?? 0) + 1);
  for (const child of exprChildren(expr)) countReads(child, reads);
}
