/**
 * Dynamic filters of a chain: what its finished joins say of the rows that its source is to read. Which joins
 * are asked, the plan says (coordinator/planner/dynamic-filter-rule.ts); a join whose build side is on disk says
 * nothing.
 *
 *     build sides complete ─▶ joins ─▶ filters ─▶ source reads
 *
 * Before: engine/task/build-phase.ts · After: engine/operators/join-key-filter.ts
 */
import { assert } from '../../base/assert.ts';
import { HashJoinOperator } from '../operators/hash-join-operator.ts';
import type { JoinKeyFilter } from '../operators/join-key-filter.ts';
import type { Operator } from '../operators/operator.ts';
import type { OperatorSpec } from '../plan/physical-graph.ts';

/**
 * @param chain - Begins with a source.
 * @param operators - Those behind the source, in their order.
 * @returns What is known; the operators own them.
 */
export function dynamicFiltersOf(
  [first, ...others]: readonly OperatorSpec[],
  operators: readonly Operator[],
): readonly JoinKeyFilter[] {
  assert(first?.kind === 'source', 'rows are left out where they are read');
  const { filters = [], output } = first;
  return filters.flatMap(({ join, columns }) => {
    const index = others.findIndex(({ kind, id }) => kind === 'join' && id === join);
    const operator = operators[index];
    assert(operator instanceof HashJoinOperator, 'a source is filtered by joins of its chain');
    return operator.keyFilter(output, columns) ?? [];
  });
}
