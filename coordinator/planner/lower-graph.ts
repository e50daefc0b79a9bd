/**
 * Lowering of a whole graph: the steps of all nodes, in their order, each reading where the rows of the nodes
 * before it are.
 *
 *     left  ─ sides[0] ─┐
 *                       steps ─▶ who reads the node
 *     right ─ sides[1] ─┘
 */
import { assert } from '../../base/assert.ts';
import type { NamedExpr } from '../../engine/expr/expr.ts';
import { type ChangePlan, changePlanOf } from '../../engine/plan/change-plan.ts';
import type { JobMode, LogicalGraph, LogicalNode } from '../../engine/plan/logical-graph.ts';
import { type OperatorSpec, vertexOutputs } from '../../engine/plan/physical-graph.ts';
import { unboundedNodes } from '../../engine/plan/unbounded.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { lower } from './lower.ts';
import { lowerAsOfJoin } from './lower-as-of-join.ts';
import { type ChangesHere, carrying, kindSides, withKind } from './lower-changes.ts';
import { lowerIntervalJoin } from './lower-interval-join.ts';
import { type JoinNode, lowerJoin } from './lower-join.ts';
import { hasControl, lowerControlled, lowerProcess } from './lower-process.ts';
import { lowerRegularJoin } from './lower-regular-join.ts';
import { lowerSetOperation } from './lower-set-operation.ts';
import { inputFrom, type LoweredNode, type PlanStep, type StepInput } from './plan-step.ts';
import { projectOf } from './projection.ts';

/** @throws PLAN_CHANGES_REFUSED, PLAN_NEEDS_END */
export function lowerGraph(graph: LogicalGraph, mode: JobMode = 'batch'): PlanStep[] {
  const { nodes } = graph;
  const plan = changePlanOf(graph, mode);
  const unbounded = unboundedNodes(nodes);
  const steps: PlanStep[] = [];
  const add = (operator: OperatorSpec, inputs: readonly StepInput[]) => {
    const number = steps.length + 1;
    steps.push({ number, operator, inputs });
    return [inputFrom(number)];
  };
  /** By node: where its rows are. A union's are in several places. */
  const places = new Map<string, readonly StepInput[]>();
  /** By node: what its operator puts aside. */
  const asides = new Map<string, Aside>();
  const schemas = new Map<string, Schema>();
  for (const given of nodes) {
    const changes = { ...changesAt(plan, given.id), order: orderBefore(given, nodes) };
    const node = carrying(given, changes);
    const { column } = plan;
    schemas.set(node.id, changes.mode === 'append' ? given.schema : withKind(given.schema, column));
    const read = node.inputs.map((id) => schemas.get(id) ?? { fields: [] });
    const hasEnd = node.inputs.map((id) => !unbounded.has(id));
    const lowered = loweredOf(node, read, { mode, changes, hasEnd });
    let inputs = node.inputs.flatMap((id, at): readonly StepInput[] => {
      const place = places.get(id);
      assert(place !== undefined, 'a node reads nodes before it');
      const side = lowered.sides?.[at];
      if (side === undefined) return place;
      const { before: exchange } = side;
      const sent = exchange === undefined ? place : place.map((input) => ({ ...input, exchange }));
      const from = side.operators.reduce((before, operator) => add(operator, before), sent);
      return from.map((input) => ({ ...input, exchange: side.exchange, port: side.port }));
    });
    for (const { operator, exchange, aside } of lowered.steps) {
      const sent = exchange && inputs.map((input) => ({ ...input, exchange }));
      inputs = add(
        isLateElsewhere(node) ? { ...operator, isLateElsewhere: true } : operator,
        sent ?? inputs,
      );
      if (aside !== undefined) asides.set(node.id, { step: steps.length, columns: aside });
    }
    if (node.kind === 'aside') {
      const aside = asides.get(node.inputs[0] ?? '');
      assert(aside !== undefined, 'what is read of a node is put aside by it');
      const from = { ...inputFrom(aside.step), output: vertexOutputs.aside };
      inputs = add(projectOf(node, aside.columns), [from]);
    }
    const isLetters = node.kind === 'deadLetters';
    const output = vertexOutputs.deadLetters;
    places.set(node.id, isLetters ? inputs.map((input) => ({ ...input, output })) : inputs);
  }
  return steps;
}

/** Rows that a step puts aside, and over its columns those of its node's input. */
interface Aside {
  readonly step: number;
  readonly columns: readonly NamedExpr[];
}

/** Whether another node counts the late rows of this one. */
function isLateElsewhere(node: LogicalNode): boolean {
  return 'window' in node && node.window?.isLateElsewhere === true;
}

function orderBefore({ kind, inputs }: LogicalNode, nodes: LogicalGraph['nodes']) {
  const before = kind === 'limit' ? nodes.find(({ id }) => id === inputs[0]) : undefined;
  return before?.kind === 'orderBy' ? before.order : [];
}

function changesAt({ column, nodes }: ChangePlan, id: string): Omit<ChangesHere, 'order'> {
  const changes = nodes.get(id);
  assert(changes !== undefined, 'a change plan has all nodes');
  return { ...changes, column };
}

interface Lowering {
  readonly mode: JobMode;
  readonly changes: ChangesHere;
  /** By input. */
  readonly hasEnd: readonly boolean[];
}

function loweredOf(node: LogicalNode, inputs: readonly Schema[], options: Lowering): LoweredNode {
  const { changes } = options;
  switch (node.kind) {
    case 'join':
      return loweredJoinOf(node, inputs, options);
    case 'intersect':
    case 'except':
      return lowerSetOperation(node, inputs);
    case 'process':
      if (hasControl(node)) return lowerControlled(node, inputs, options.hasEnd[1] === true);
      return { steps: lowerProcess(node, inputs[0] ?? { fields: [] }) };
    case 'union': {
      const sides = kindSides(node, inputs, changes);
      return { ...(sides !== undefined && { sides }), steps: [] };
    }
    default:
      return { steps: lower(node, inputs[0] ?? { fields: [] }, options) };
  }
}

function loweredJoinOf(
  node: JoinNode,
  inputs: readonly Schema[],
  { mode, changes }: Lowering,
): LoweredNode {
  const { nearness, keep } = node;
  if (nearness?.kind === 'asOf') return lowerAsOfJoin(node, nearness, inputs, mode);
  if (keep !== null && changes.isRunning) return lowerRegularJoin(node, keep, inputs, changes);
  return mode === 'streaming' && nearness !== null
    ? lowerIntervalJoin(node, nearness, inputs)
    : lowerJoin(node, inputs);
}
