/**
 * Chaining: operators without an exchange between them run in the same tasks, one vertex, and hand
 * batches on by a call.
 */
import { assert } from '../../base/assert.ts';
import { deepFreeze } from '../../base/deep-freeze.ts';
import {
  type Edge,
  type Exchange,
  type PhysicalGraph,
  type Vertex,
  vertexOutputs,
} from '../../engine/plan/physical-graph.ts';
import { inputSchemaOf, type PlanOptions, type PlanStep } from './plan-step.ts';

export function chainSteps(
  jobName: string,
  steps: readonly PlanStep[],
  { parallelism }: PlanOptions,
): PhysicalGraph {
  const vertices: Vertex[] = [];
  const edges: Edge[] = [];
  for (const [start, step] of steps.entries()) {
    const { exchange } = step;
    if (start > 0 && exchange === null) continue;
    const id = `v${vertices.length + 1}`;
    const before = vertices.at(-1);
    const chain = chainFrom(steps, start);
    const name = chain.map((operator) => operator.name).join(' → ');
    const tasks = exchange === null ? parallelism : tasksBehind(exchange, parallelism);
    vertices.push({ id, name, parallelism: tasks, chain });
    if (exchange === null) continue;
    assert(before !== undefined, 'an exchange has a vertex before it');
    const schema = inputSchemaOf(steps, start);
    const edge = { from: before.id, output: vertexOutputs.rows, to: id, exchange, schema };
    edges.push({ id: `e${edges.length + 1}`, ...edge });
  }
  return deepFreeze({ jobName, parallelism, vertices, edges });
}

function chainFrom(steps: readonly PlanStep[], start: number) {
  let end = start + 1;
  while (steps[end]?.exchange === null) end++;
  return steps.slice(start, end).map((step) => step.operator);
}

function tasksBehind(exchange: Exchange, parallelism: number): number {
  return exchange.kind === 'gather' || exchange.kind === 'merge' ? 1 : parallelism;
}
