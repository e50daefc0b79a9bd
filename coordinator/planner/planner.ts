/**
 * The planner: a logical graph becomes vertices of chained operators and the exchanges between them.
 *
 *     logical graph ─lower─▶ steps ─rules─▶ steps ─chain─▶ physical graph
 *
 * Each rule is a pure function in a file of its own, and means the same before and after. Their order
 * matters: filters move while all columns are there, expressions are simplified once they are where they
 * stay, top-n comes before a limit is split, single tasks before anything is made parallel, and pruning
 * when no step is added any more.
 * Before: engine/api/build-job.ts · After: engine/plan/physical-graph.ts
 */
import { assert } from '../../base/assert.ts';
import type { LogicalGraph, LogicalNode } from '../../engine/plan/logical-graph.ts';
import { type PhysicalGraph, vertexOutputs } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { chainSteps } from './chain.ts';
import { combinerRule } from './combiner-rule.ts';
import { filterRule } from './filter-rule.ts';
import { identityRule } from './identity-rule.ts';
import { joinConditionRule } from './join-filters.ts';
import { joinSideRule } from './join-side-rule.ts';
import { lateUnionRule } from './late-union-rule.ts';
import { limitDownRule } from './limit-down-rule.ts';
import { limitRule } from './limit-rule.ts';
import { lower } from './lower.ts';
import { lowerJoin } from './lower-join.ts';
import { lowerSetOperation } from './lower-set-operation.ts';
import { narrowRule } from './narrow-rule.ts';
import { parallelSortRule } from './parallel-sort-rule.ts';
import {
  inputFrom,
  type PlanOptions,
  type PlanRule,
  type PlanStep,
  type StepInput,
} from './plan-step.ts';
import { projectRule } from './project-rule.ts';
import { pruneRule } from './prune-rule.ts';
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
  limitDownRule,
  narrowRule,
  identityRule,
  sourcePredicateRule,
  topRule,
  joinSideRule,
  singleTaskRule,
  combinerRule,
  limitRule,
  parallelSortRule,
  pruneRule,
];

/** @param options - `parallelism`: tasks of a vertex that can have several, a whole number from 1 on. */
export function planJob(graph: LogicalGraph, options: PlanOptions): PhysicalGraph {
  const { parallelism, rules = planRules } = options;
  assert(Number.isSafeInteger(parallelism) && parallelism >= 1, 'parallelism is at least 1');
  let steps: readonly PlanStep[] = lowerGraph(graph);
  for (const rule of rules) steps = rule(steps, options);
  return chainSteps(graph.jobName, steps, options);
}

/** The steps of all nodes, in their order. */
export function lowerGraph({ nodes }: LogicalGraph): PlanStep[] {
  const steps: PlanStep[] = [];
  /** By node: where its rows are. A union's are in several places. */
  const places = new Map<string, readonly StepInput[]>();
  const schemas = new Map(nodes.map(({ id, schema }) => [id, schema]));
  for (const node of nodes) {
    let inputs = placesOf(node, places);
    if (node.kind === 'join') {
      places.set(node.id, [inputFrom(addJoin(steps, node, { places, schemas }))]);
      continue;
    }
    if (node.kind === 'intersect' || node.kind === 'except') {
      places.set(node.id, [inputFrom(addSetOperation(steps, node, { places, schemas }))]);
      continue;
    }
    const lowered = lower(node, schemas.get(node.inputs[0] ?? '') ?? { fields: [] });
    for (const { operator, exchange } of lowered) {
      const number = steps.length + 1;
      steps.push({ number, operator, inputs: inputs.map((input) => ({ ...input, exchange })) });
      inputs = [inputFrom(number)];
    }
    places.set(node.id, inputs);
  }
  return steps;
}

interface Lowered {
  readonly places: ReadonlyMap<string, readonly StepInput[]>;
  readonly schemas: ReadonlyMap<string, Schema>;
}

/** Adds the steps of a join; answers the number of the last one. */
function addJoin(
  steps: PlanStep[],
  node: LogicalNode & { readonly kind: 'join' },
  { places, schemas }: Lowered,
): number {
  const inputSchemas = node.inputs.map((id) => schemas.get(id) ?? { fields: [] });
  const { operator, sides } = lowerJoin(node, inputSchemas);
  const add = (step: Omit<PlanStep, 'number'>) => {
    const number = steps.length + 1;
    steps.push({ number, ...step });
    return number;
  };
  const inputs = sides.flatMap(({ projects, exchange, port }, side) => {
    let given = places.get(node.inputs[side] ?? '') ?? [];
    for (const project of projects) given = [inputFrom(add({ operator: project, inputs: given }))];
    return given.map((input) => ({ ...input, exchange, port }));
  });
  return add({ operator, inputs });
}

/** Adds the steps of an intersect or except; answers the number of the last one. */
function addSetOperation(
  steps: PlanStep[],
  node: LogicalNode & { readonly kind: 'intersect' | 'except' },
  { places, schemas }: Lowered,
): number {
  const inputSchemas = node.inputs.map((id) => schemas.get(id) ?? { fields: [] });
  const lowered = lowerSetOperation(node, inputSchemas);
  let inputs = lowered.sides.map((operator, side) => {
    const number = steps.length + 1;
    steps.push({ number, operator, inputs: places.get(node.inputs[side] ?? '') ?? [] });
    return inputFrom(number);
  });
  for (const { operator, exchange } of lowered.steps) {
    const number = steps.length + 1;
    steps.push({ number, operator, inputs: inputs.map((input) => ({ ...input, exchange })) });
    inputs = [inputFrom(number)];
  }
  return steps.length;
}

function placesOf(
  { kind, inputs }: LogicalNode,
  places: ReadonlyMap<string, readonly StepInput[]>,
) {
  const found = inputs.flatMap((id) => {
    const place = places.get(id);
    assert(place !== undefined, 'a node reads nodes before it');
    return place;
  });
  if (kind !== 'deadLetters') return found;
  return found.map((input) => ({ ...input, output: vertexOutputs.deadLetters }));
}
