/**
 * The planner: a logical graph becomes vertices of chained operators and the exchanges between them.
 *
 *     logical graph ─lower─▶ steps ─rules─▶ steps ─chain─▶ physical graph
 *
 * Each rule is a pure function in a file of its own, and means the same before and after. Their order
 * matters: filters move while all columns are there, expressions are simplified once they are where they
 * stay, top-n comes before a limit is split, single tasks before anything is made parallel, and pruning
 * when no step is added any more; where poison goes adds edges only, and dynamic filters follow the chains as
 * they are in the end.
 * Before: engine/api/build-job.ts · After: engine/plan/physical-graph.ts
 */
import { assert } from '../../base/assert.ts';
import { checkAlignment } from '../../engine/plan/alignment.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { chainSteps } from './chain.ts';
import { combinerRule } from './combiner-rule.ts';
import { dynamicFilterRule } from './dynamic-filter-rule.ts';
import { filterRule } from './filter-rule.ts';
import { identityRule } from './identity-rule.ts';
import { joinConditionRule } from './join-filters.ts';
import { joinOrderRule } from './join-order-rule.ts';
import { joinSideRule } from './join-side-rule.ts';
import { lateUnionRule } from './late-union-rule.ts';
import { limitDownRule } from './limit-down-rule.ts';
import { limitRule } from './limit-rule.ts';
import { lowerGraph } from './lower-graph.ts';
import { narrowRule } from './narrow-rule.ts';
import { parallelSortRule } from './parallel-sort-rule.ts';
import { partitionTopRule } from './partition-top-rule.ts';
import type { PlanOptions, PlanRule, PlanStep } from './plan-step.ts';
import { poisonRule } from './poison-rule.ts';
import { projectRule } from './project-rule.ts';
import { pruneRule } from './prune-rule.ts';
import { rangeSortRule } from './range-sort-rule.ts';
import { sharedExprRule } from './shared-expr-rule.ts';
import { simplifyRule } from './simplify-rule.ts';
import { singleTaskRule } from './single-task-rule.ts';
import { sourcePredicateRule } from './source-predicate-rule.ts';
import { topRule } from './top-rule.ts';

/** In the order in which they are applied. */
export const planRules: readonly PlanRule[] = [
  lateUnionRule,
  joinConditionRule,
  filterRule,
  projectRule,
  simplifyRule,
  sharedExprRule,
  joinOrderRule,
  limitDownRule,
  narrowRule,
  identityRule,
  sourcePredicateRule,
  topRule,
  joinSideRule,
  singleTaskRule,
  rangeSortRule,
  combinerRule,
  partitionTopRule,
  limitRule,
  parallelSortRule,
  pruneRule,
  poisonRule,
  dynamicFilterRule,
];

/**
 * @param options - `parallelism`: tasks of a vertex that can have several, a whole number from 1 on.
 * @throws PLAN_ALIGNMENT_REFUSED, PLAN_CHANGES_REFUSED, PLAN_NEEDS_END
 */
export function planJob(graph: LogicalGraph, options: PlanOptions): PhysicalGraph {
  const { parallelism, mode = graph.mode ?? 'batch', rules = planRules } = options;
  const given = { ...options, mode };
  assert(Number.isSafeInteger(parallelism) && parallelism >= 1, 'parallelism is at least 1');
  let steps: readonly PlanStep[] = lowerGraph(graph, mode);
  for (const rule of rules) steps = rule(steps, given);
  const plan = chainSteps(graph.jobName, steps, given);
  checkAlignment(plan);
  return plan;
}
