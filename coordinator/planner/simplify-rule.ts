/**
 * Simplification of expressions: constants are folded, what decides nothing is left out, and a filter
 * that keeps all rows, or none, is no filter.
 *
 *     filter price > 2 * 50 and true     →     filter price > 100
 *     filter true                        →
 *     filter 1 = 2                       →     limit 0        so that nothing is read
 *
 * Where there are dead letters everything is read, to find them.
 */
import type { Expr } from '../../engine/expr/expr.ts';
import { foldLiterals } from '../../engine/expr/fold-literals.ts';
import { simplify } from '../../engine/expr/simplify.ts';
import { vertexOutputs } from '../../engine/plan/physical-graph.ts';
import { type PlanStep, withoutStep } from './plan-step.ts';

export function simplifyRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const hasDeadLetters = steps.some(({ inputs }) =>
    inputs.some(({ output }) => output === vertexOutputs.deadLetters),
  );
  const simple = steps.map((step): PlanStep => {
    const { operator } = step;
    if (operator.kind === 'project') {
      const columns = operator.columns.map((column) => {
        const expr = simplified(column.expr);
        return expr === column.expr ? column : { ...column, expr };
      });
      return { ...step, operator: { ...operator, columns } };
    }
    if (operator.kind !== 'filter') return step;
    const predicate = simplified(operator.predicate);
    if (predicate.kind !== 'literal' || predicate.value === true || hasDeadLetters) {
      return { ...step, operator: { ...operator, predicate } };
    }
    const { id, name, output } = operator;
    return { ...step, operator: { id, name, output, kind: 'limit', count: 0 } };
  });
  return simple.reduce((list: readonly PlanStep[], step) => {
    const { operator } = step;
    const { predicate } = operator.kind === 'filter' ? operator : {};
    const isAll = predicate?.kind === 'literal' && predicate.value === true;
    return isAll ? withoutStep(list, step.number) : list;
  }, simple);
}

/** Until nothing changes: each makes work for the other. */
function simplified(expr: Expr): Expr {
  const next = simplify(foldLiterals(expr));
  return next === expr ? expr : simplified(next);
}
