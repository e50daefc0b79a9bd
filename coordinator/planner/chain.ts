/**
 * Chaining: operators without an exchange between them run in the same tasks, one vertex, and hand
 * batches on by a call. A chain ends where an exchange begins, where several read the rows, and where
 * rows of several meet.
 *
 *     1 source   2 filter ← 1   3 sink ← 2   4 aggregate ← 2 (hash)   →   [1 2] ─┬─ [3]
 *                                                                                └─ [4]
 *
 * A join whose probe side stays in its tasks is chained behind it; its build side comes by an edge.
 */
import { assert } from '../../base/assert.ts';
import { deepFreeze } from '../../base/deep-freeze.ts';
import {
  type Edge,
  type Exchange,
  hasBuildSide,
  hasSecondStream,
  type OperatorSpec,
  type PhysicalGraph,
  type Vertex,
  vertexOutputs,
  vertexPorts,
} from '../../engine/plan/physical-graph.ts';
import { withBlocking } from './blocking-edges.ts';
import { type PlanOptions, type PlanStep, StepIndex, type StepInput } from './plan-step.ts';
import { withBuffers } from './probe-buffers.ts';

interface Chain {
  readonly operators: OperatorSpec[];
  readonly parallelism: number;
}

/** An edge between chains, which have no ids yet. */
interface Link extends Omit<Edge, 'from' | 'to'> {
  readonly from: Chain;
  readonly to: Chain;
}

export function chainSteps(
  jobName: string,
  steps: readonly PlanStep[],
  { parallelism, mode, shuffle = 'memory', latencyIntervalMs = 50 }: PlanOptions,
): PhysicalGraph {
  const { chains, links } = linkedChains(steps, parallelism);
  const ids = new Map(inOrder(chains, links).map((chain, at) => [chain, `v${at + 1}`]));
  const idOf = (chain: Chain): string => {
    const id = ids.get(chain);
    assert(id !== undefined, 'the chains that an edge joins are in the graph');
    return id;
  };
  const rings = links.map((link): Edge => ({ ...link, from: idOf(link.from), to: idOf(link.to) }));
  const vertices = [...ids].map(([chain, id]) => vertexOf(chain, id));
  const edges = withBlocking(vertices, rings, mode === 'streaming' ? 'memory' : shuffle);
  const isMeasured = mode === 'streaming' && latencyIntervalMs !== null;
  return deepFreeze({
    ...{ jobName, parallelism, vertices: withBuffers(vertices, edges), edges },
    ...(isMeasured && { latencyIntervalMs }),
  });
}

function linkedChains(steps: readonly PlanStep[], parallelism: number) {
  const index = new StepIndex(steps);
  /** By the number of each step that runs in it. */
  const chains = new Map<number, Chain>();
  const links: Link[] = [];
  const chainOf = (number: number): Chain => {
    const chain = chains.get(number);
    assert(chain !== undefined, 'what a step reads is chained before it');
    return chain;
  };
  for (const step of steps) {
    const before = chainBefore(step, index, chains);
    const senders = step.inputs.map(({ from }) => chainOf(from));
    const chain =
      before === null
        ? { operators: [], parallelism: tasksOf(step, senders, parallelism) }
        : before;
    chain.operators.push(step.operator);
    chains.set(step.number, chain);
    for (const [at, sender] of senders.entries()) {
      if (sender === chain) continue;
      const { exchange = null, output: wanted = 0, port = 0, from = 0 } = step.inputs[at] ?? {};
      const place = sender.operators.indexOf(index.step(from).operator);
      const output = wanted === vertexOutputs.aside ? wanted + place : wanted;
      const isLetters = output === vertexOutputs.deadLetters;
      const isKnown = (link: Link) => link.from === sender && link.to === chain && isLetters;
      // A vertex has one output for dead letters, whichever of its operators gives them.
      if (links.some((link) => isKnown(link) && link.output === output)) continue;
      links.push({
        id: `e${links.length + 1}`,
        from: sender,
        output,
        to: chain,
        port: port === vertexPorts.rows ? port : portOf(chain, step.operator),
        exchange: exchange ?? plainExchange(sender.parallelism, chain.parallelism),
        isBlocking: false,
        schema: index.inputSchemaOf(step, port),
      });
    }
  }
  return { chains: new Set(chains.values()), links };
}

/** The chain that a step goes on; null where it begins one: also a build side behind a second stream does. */
function chainBefore(
  step: PlanStep,
  index: StepIndex,
  chains: ReadonlyMap<number, Chain>,
): Chain | null {
  const before = index.chainedBehind(step);
  const chain = before === null ? null : (chains.get(before.number) ?? null);
  const [first] = chain?.operators ?? [];
  const isTwice = first !== undefined && hasSecondStream(first) && hasBuildSide(step.operator);
  return isTwice ? null : chain;
}

/** The port of a second stream, or of the chain's last build side. */
function portOf({ operators }: Chain, operator: OperatorSpec): number {
  if (hasSecondStream(operator)) return vertexPorts.right;
  return vertexPorts.build + operators.filter(hasBuildSide).length - 1;
}

/** Chains behind those that they read. */
function inOrder(chains: Iterable<Chain>, links: readonly Link[]): readonly Chain[] {
  const found = new Set<Chain>();
  const visit = (chain: Chain): void => {
    if (found.has(chain)) return;
    for (const { from, to } of links) if (to === chain) visit(from);
    found.add(chain);
  };
  for (const chain of chains) visit(chain);
  return [...found];
}

function vertexOf({ operators, parallelism }: Chain, id: string): Vertex {
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
