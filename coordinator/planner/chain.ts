/**
 * Chaining: operators without an exchange between them run in the same tasks, one vertex, and hand
 * batches on by a call. A chain ends where an exchange begins, where several read the rows, and where
 * rows of several meet.
 *
 *     1 source   2 filter ← 1   3 sink ← 2   4 aggregate ← 2 (hash)   →   [1 2] ─┬─ [3]
 *                                                                                └─ [4]
 */
import { assert } from '../../base/assert.ts';
import { deepFreeze } from '../../base/deep-freeze.ts';
import type {
  Edge,
  Exchange,
  OperatorSpec,
  PhysicalGraph,
  Vertex,
} from '../../engine/plan/physical-graph.ts';
import { type PlanOptions, type PlanStep, StepIndex, type StepInput } from './plan-step.ts';
import { withBuffers } from './probe-buffers.ts';

interface Chain {
  readonly id: string;
  readonly operators: OperatorSpec[];
  readonly parallelism: number;
}

export function chainSteps(
  jobName: string,
  steps: readonly PlanStep[],
  { parallelism }: PlanOptions,
): PhysicalGraph {
  const index = new StepIndex(steps);
  /** By the number of each step that runs in it. */
  const chains = new Map<number, Chain>();
  const edges: Edge[] = [];
  const chainOf = (number: number): Chain => {
    const chain = chains.get(number);
    assert(chain !== undefined, 'what a step reads is chained before it');
    return chain;
  };
  for (const step of steps) {
    const before = index.chainedBehind(step);
    if (before !== null) {
      const chain = chainOf(before.number);
      chain.operators.push(step.operator);
      chains.set(step.number, chain);
      continue;
    }
    const senders = step.inputs.map(({ from }) => chainOf(from));
    const id = `v${new Set(chains.values()).size + 1}`;
    const tasks = tasksOf(step, senders, parallelism);
    chains.set(step.number, { id, operators: [step.operator], parallelism: tasks });
    for (const [at, sender] of senders.entries()) {
      const { exchange = null, output = 0, port = 0 } = step.inputs[at] ?? {};
      edges.push({
        id: `e${edges.length + 1}`,
        from: sender.id,
        output,
        to: id,
        port,
        exchange: exchange ?? plainExchange(sender.parallelism, tasks),
        schema: index.inputSchemaOf(step, port),
      });
    }
  }
  const vertices = [...new Set(chains.values())].map(vertexOf);
  return deepFreeze({ jobName, parallelism, vertices: withBuffers(vertices, edges), edges });
}

function vertexOf({ id, operators, parallelism }: Chain): Vertex {
  const name = operators.map((operator) => operator.name).join(' → ');
  return { id, name, parallelism, chain: operators };
}

function tasksOf({ inputs }: PlanStep, senders: readonly Chain[], parallelism: number): number {
  const meetsInOne = ({ exchange }: StepInput) =>
    exchange?.kind === 'gather' || exchange?.kind === 'merge';
  if (inputs.some(meetsInOne)) return 1;
  if (inputs.length === 0 || inputs.some(({ exchange }) => exchange !== null)) return parallelism;
  return Math.max(...senders.map((sender) => sender.parallelism));
}

/** Rows that need not meet stay where they are, unless there are more tasks to do the work. */
function plainExchange(senders: number, receivers: number): Exchange {
  return senders === receivers ? { kind: 'forward' } : { kind: 'rebalance' };
}
