/**
 * Predicates of sources: what a filter asks of a source's rows is told to the source, which may leave out
 * what surely holds none of them. The filter stays, for the source gives out more.
 *
 *     source parquet ─ filter day > 2026-01-01     →     source parquet, where day > 2026-01-01 ─ filter …
 *
 * Only of connectors that look at it. A source that others read as well is asked nothing, and one with dead
 * letters is read whole.
 */
import type { Expr } from '../../engine/expr/expr.ts';
import { logicExpr } from '../../engine/expr/expr-factory.ts';
import { type PlanStep, StepIndex } from './plan-step.ts';

export function sourcePredicateRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const index = new StepIndex(steps);
  return steps.map((step) => {
    const { operator } = step;
    if (operator.kind !== 'source' || operator.source.usesPredicate !== true) return step;
    const asked = index.hasDeadLetters(step) ? [] : filtersBehind(step, index);
    if (asked.length === 0) return step;
    const predicate = asked.reduce((all, one) => logicExpr('and', all, one));
    return { ...step, operator: { ...operator, source: { ...operator.source, predicate } } };
  });
}

/** The conditions that all rows of the step meet, one after the other. */
function filtersBehind(step: PlanStep, index: StepIndex): readonly Expr[] {
  const [reader] = index.readersOf(step.number);
  if (reader?.operator.kind !== 'filter' || index.chainedBehind(reader) !== step) return [];
  return [reader.operator.predicate, ...filtersBehind(reader, index)];
}
