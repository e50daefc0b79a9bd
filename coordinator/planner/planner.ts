/**
 * The planner: a logical graph becomes vertices of chained operators and the exchanges between them.
 *
 *     logical graph ─lower─▶ steps ─rules─▶ steps ─chain─▶ physical graph
 *
 * Each rule is a pure function in a file of its own, and means the same before and after. Their order
 * matters: top-n before a limit is split, single tasks before anything is made parallel.
 * Before: engine/api/build-job.ts · After: engine/plan/physical-graph.ts
 */
import { assert } from '../../base/assert.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { chainSteps } from './chain.ts';
import { combinerRule } from './combiner-rule.ts';
import { limitRule } from './limit-rule.ts';
import { lower } from './lower.ts';
import { parallelSortRule } from './parallel-sort-rule.ts';
import type { PlanOptions, PlanRule, PlanStep } from './plan-step.ts';
import { pruneRule } from './prune-rule.ts';
import { singleTaskRule } from './single-task-rule.ts';
import { topRule } from './top-rule.ts';

const rules: readonly PlanRule[] = [
  topRule,
  singleTaskRule,
  combinerRule,
  limitRule,
  parallelSortRule,
  pruneRule,
];

/** @param options - `parallelism`: tasks of a vertex that can have several, a whole number from 1 on. */
export function planJob(graph: LogicalGraph, options: PlanOptions): PhysicalGraph {
  const { parallelism } = options;
  assert(Number.isSafeInteger(parallelism) && parallelism >= 1, 'parallelism is at least 1');
  assertIsStream(graph);
  let input: Schema = { fields: [] };
  let steps: PlanStep[] = graph.nodes.flatMap((node) => {
    const lowered = lower(node, input);
    input = node.schema;
    return lowered;
  });
  for (const rule of rules) steps = rule(steps, options);
  return chainSteps(graph.jobName, steps, options);
}

/** Graphs of this version are streams: one source, each node reads the one before. */
function assertIsStream({ nodes }: LogicalGraph): void {
  for (const [index, node] of nodes.entries()) {
    const before = nodes[index - 1];
    const inputs = before === undefined ? [] : [before.id];
    assert(node.inputs.join() === inputs.join(), 'a node reads the node before it');
  }
}
