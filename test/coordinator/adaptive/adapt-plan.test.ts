/** Goal: a plan changes when what it depends on is known, and never what has started. */
import { expect, test } from 'vitest';
import {
  type AdaptivePlan,
  adaptPlan,
  heldVertices,
  type TaskView,
} from '../../../coordinator/adaptive/adapt-plan.ts';
import { adaptiveDefaults } from '../../../coordinator/adaptive/adaptive-options.ts';
import type { PartitionBytes } from '../../../engine/plan/map-output-read.ts';
import type { Edge, OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import { graphOf } from '../../support/graph-text.ts';

const options = {
  ...adaptiveDefaults,
  ...{ taskBytesMin: 10, taskBytesMax: 20, broadcastBytesMax: 50, broadcastCopiesBytesMax: 80 },
};

/** `p` is probed with, `b` built of, `j` joins them, and `out` takes what comes. */
function joinGraph(): PhysicalGraph {
  const graph = graphOf('p/j b/j j/out.');
  const join = { kind: 'join', type: 'inner', buildSide: 'right', hasHint: false, id: 'j' };
  const chain = [join as unknown as OperatorSpec];
  return {
    ...graph,
    vertices: graph.vertices.map((one) => (one.id === 'j' ? { ...one, chain } : one)),
    edges: graph.edges.map((edge): Edge => (edge.id === 'e2' ? { ...edge, port: 1 } : edge)),
  };
}

function planOf(graph: PhysicalGraph, once: readonly string[] = []): AdaptivePlan {
  return { graph, options, slotCount: 2, onceIds: new Set(once), adaptations: [] };
}

/** @param written - By task: what it has written; null for one that runs. */
function viewOf(written: Readonly<Record<string, PartitionBytes | null>>): TaskView {
  return {
    partitionBytes: (taskId) => written[taskId] ?? null,
    hasStarted: (taskId) => taskId in written,
  };
}

const bothBuilt = { 'b[0]': { e2: [5, 5] }, 'b[1]': { e2: [5, 5] } };
const bothProbed = { 'p[0]': { e1: [5, 5] }, 'p[1]': { e1: [5, 5] } };

function adaptedBy(written: Parameters<typeof viewOf>[0], plan = planOf(joinGraph())) {
  return adaptPlan(plan, viewOf(written)).adaptations.map(({ kind }) => kind);
}

test.each`
  written                                                                                               | found            | why
  ${{}}                                                                                                 | ${[]}            | ${'nothing is known'}
  ${{ 'b[0]': { e2: [5, 5] } }}                                                                         | ${[]}            | ${'the build side may grow'}
  ${bothBuilt}                                                                                          | ${['broadcast']} | ${'the build side is small'}
  ${{ ...bothBuilt, 'p[0]': null }}                                                                     | ${[]}            | ${'the probe side is partitioned already'}
  ${{ ...bothBuilt, 'b[0]': { e2: [90, 5] } }}                                                          | ${[]}            | ${'the build side is large'}
  ${{ ...bothBuilt, 'b[0]': { e2: [30, 5] } }}                                                          | ${[]}            | ${'two tasks would read too much of it'}
  ${{ ...bothBuilt, ...bothProbed }}                                                                    | ${[]}            | ${'each slot has its partition'}
  ${{ ...bothBuilt, 'p[0]': { e1: [0, 1] }, 'p[1]': { e1: [0, 0] } }}                                   | ${[]}            | ${'so has it here'}
  ${{ 'b[0]': { e2: [1, 1] }, 'b[1]': { e2: [1, 1] }, 'p[0]': { e1: [1, 1] }, 'p[1]': { e1: [1, 1] } }} | ${['joined']}    | ${'partitions are small'}
`('$why: $found', ({ written, found }) => {
  expect(adaptedBy(written)).toEqual(found);
});

test('a small build side is read by all, and the probe side goes on in its task', () => {
  const { graph } = adaptPlan(planOf(joinGraph()), viewOf(bothBuilt));
  const [probe, build] = graph.edges;
  expect(probe).toMatchObject({ exchange: { kind: 'forward' }, isBlocking: false });
  expect(build?.adapted).toEqual({ partitionCount: 2, ofReaders: 'all' });
});

test('partitions that are joined have fewer tasks, and senders write as many as before', () => {
  const small = { e1: [1, 1] };
  const graph = graphOf('p/j');
  const view = viewOf({ 'p[0]': small, 'p[1]': small });
  const next = adaptPlan(planOf(graph), view);
  expect(next.graph.vertices.map(({ parallelism }) => parallelism)).toEqual([2, 1]);
  const all = { from: 0, to: 2 };
  const ofReaders = [{ partitions: all, senders: all }];
  expect(next.graph.edges[0]?.adapted).toEqual({ partitionCount: 2, ofReaders });
  expect(next.adaptations).toEqual([
    { kind: 'joined', vertexIds: ['j'], partitionCount: 2, taskCount: 1 },
  ]);
  expect(adaptPlan(next, view), 'once').toBe(next);
});

test('what has started, and what runs only once, stays', () => {
  const written = { 'p[0]': { e1: [1, 1] }, 'p[1]': { e1: [1, 1] } };
  expect(adaptedBy({ ...written, 'j[1]': null }, planOf(graphOf('p/j')))).toEqual([]);
  expect(adaptedBy(written, planOf(graphOf('p/j'), ['j']))).toEqual([]);
  expect(adaptedBy(bothBuilt, planOf(joinGraph(), ['p']))).toEqual([]);
});

test.each`
  written                         | held     | why
  ${{}}                           | ${['p']} | ${'the build side may turn out small'}
  ${{ 'b[0]': { e2: [5, 5] } }}   | ${['p']} | ${'it still may'}
  ${{ 'b[0]': { e2: [40, 20] } }} | ${[]}    | ${'it is large already'}
  ${{ 'p[1]': null }}             | ${[]}    | ${'some of it is partitioned'}
  ${bothBuilt}                    | ${[]}    | ${'it is known'}
`('the probe side waits, or not: $why', ({ written, held }) => {
  expect([...heldVertices(planOf(joinGraph()), viewOf(written))]).toEqual(held);
});
