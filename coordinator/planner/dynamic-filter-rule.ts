/**
 * Dynamic filters: a join that drops rows without a partner tells the source of its probe side, in whose task
 * it runs, which keys its build side has, as soon as that is complete and before the source reads anything.
 *
 *     source lineitem ─ filter ─ join part ─ join orders
 *     source lineitem, l_partkey among the keys of join1, l_orderkey among the keys of join2 ─ filter ─ …
 *
 * The keys must be columns of the source, as they are. What stands between may drop rows, or make more of one,
 * as filters and joins do; but no user's function, which would see fewer of them, no limit, and no join that
 * gives out build rows by whether they have a partner: another join's filter may have dropped it.
 * The join stays, for a source may give out more. A source with dead letters is read whole, and so is a stream's.
 */
import { joinRowsOf } from '../../engine/plan/join-type.ts';
import {
  type OperatorSpec,
  type SourceFilter,
  vertexPorts,
} from '../../engine/plan/physical-graph.ts';
import { fieldIndexOf } from '../../engine/schema/schema.ts';
import { type PlanStep, StepIndex } from './plan-step.ts';

type OperatorOf<K extends OperatorSpec['kind']> = OperatorSpec & { readonly kind: K };

export function dynamicFilterRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const index = new StepIndex(steps);
  /** By the number of the source. */
  const found = new Map<number, SourceFilter[]>();
  for (const step of steps) {
    const { operator } = step;
    if (operator.kind !== 'join' || !dropsProbeRows(operator)) continue;
    const place = sourceOf(step, operator.probeKeys, index);
    if (place === null) continue;
    const { source, columns } = place;
    found.set(source, [...(found.get(source) ?? []), { join: operator.id, columns }]);
  }
  return steps.map((step) => {
    const filters = found.get(step.number);
    const { operator } = step;
    if (operator.kind !== 'source' || filters === undefined) return step;
    return { ...step, operator: { ...operator, filters } };
  });
}

/** Whether a row of the probe side without a partner changes nothing. */
function dropsProbeRows({ type, buildSide, probeKeys }: OperatorOf<'join'>): boolean {
  return probeKeys.length > 0 && joinRowsOf(type, buildSide).probe !== 'unmatched';
}

/** The source in whose task the step runs, and its columns that have these names in front of the step. */
function sourceOf(
  step: PlanStep,
  names: readonly string[],
  index: StepIndex,
): { readonly source: number; readonly columns: readonly string[] } | null {
  const before = index.chainedBehind(step);
  if (before === null) return null;
  if (before.operator.kind === 'source') {
    return mayLeaveOut(before.operator, before, index)
      ? { source: before.number, columns: names }
      : null;
  }
  const passed = namesBehind(before, names, index);
  return passed === null ? null : sourceOf(before, passed, index);
}

function mayLeaveOut(
  { source, isSample, isOrdered }: OperatorOf<'source'>,
  step: PlanStep,
  index: StepIndex,
): boolean {
  // Rows that nobody wants still say how far a stream has come.
  const isWhole = isSample === true || isOrdered === true || index.hasDeadLetters(step);
  return source.usesPredicate === true && !isWhole;
}

/** What the columns are called in front of the step; null where a row may not be dropped there. */
function namesBehind(
  step: PlanStep,
  names: readonly string[],
  index: StepIndex,
): readonly string[] | null {
  const { operator } = step;
  switch (operator.kind) {
    case 'filter':
      return names;
    case 'project': {
      const columns = names.flatMap((name) => {
        const expr = operator.columns.find((column) => column.name === name)?.expr;
        return expr?.kind === 'column' ? [expr.name] : [];
      });
      return columns.length === names.length ? columns : null;
    }
    case 'join': {
      const probe = index.inputSchemaOf(step, vertexPorts.rows);
      const { type, buildSide } = operator;
      const mayDrop = joinRowsOf(type, buildSide).build === 'none';
      return mayDrop && names.every((name) => fieldIndexOf(probe, name) >= 0) ? names : null;
    }
    default:
      return null;
  }
}
