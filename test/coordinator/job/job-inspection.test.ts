/** Goal: what tasks answer by number is told by the names of the plan. */
import { expect, test } from 'vitest';
import { inspectTasks } from '../../../coordinator/job/job-inspection.ts';
import type { TaskAnswer } from '../../../coordinator/protocol.ts';
import type { Edge, PhysicalGraph, Vertex } from '../../../engine/plan/physical-graph.ts';

const output = { fields: [] };

function vertex(id: string, names: readonly string[], parallelism: number): Vertex {
  const chain = names.map((name) => ({ id: name, name, output, kind: 'limit' as const, count: 1 }));
  return { id, name: id, parallelism, chain };
}

function edge(id: string, to: string, kind: 'hash' | 'forward'): Edge {
  const exchange = kind === 'hash' ? ({ kind, columns: [] } as const) : ({ kind } as const);
  return { id, from: 'v1', output: 0, to, port: 0, exchange, isBlocking: false, schema: output };
}

const graph: PhysicalGraph = {
  jobName: 'test',
  parallelism: 2,
  vertices: [
    vertex('v1', ['read', 'spin'], 2),
    vertex('v2', ['count'], 3),
    vertex('v3', ['keep'], 2),
  ],
  edges: [edge('e1', 'v2', 'hash'), edge('e2', 'v3', 'forward')],
};

function answer(facts: Partial<TaskAnswer>): TaskAnswer {
  const counters = [
    { rowsIn: 9, rowsOut: 9, busyMs: 1, bytesSpilled: 0 },
    { rowsIn: 9, rowsOut: 4, busyMs: 2, bytesSpilled: 0 },
  ];
  return {
    ...{ taskId: 'v1[1]', attempt: 2, slotIndex: 1, hasAnswered: true, report: null },
    ...{ state: null, error: null, activity: { operator: 1, sinceMs: 5, counters } },
    ...facts,
  };
}

test('operators have their counters and what they tell, and who runs has a name', () => {
  const source = { splits: ['a'], position: 'row 3', state: 'reading', rowCount: 9 } as const;
  const report = {
    state: 'running',
    source,
    operators: [null, { groups: 3 }],
    fullOutputs: [],
  } as const;
  expect(inspectTasks(graph, [answer({ report })])).toEqual([
    {
      ...{
        taskId: 'v1[1]',
        vertexId: 'v1',
        attempt: 2,
        slotIndex: 1,
        hasAnswered: true,
        error: null,
      },
      ...{ running: 'spin', runningSinceMs: 5, source, waitsFor: [] },
      operators: [
        { id: 'read', name: 'read', kind: 'limit', rowsIn: 9, rowsOut: 9, busyMs: 1, tells: null },
        {
          id: 'spin',
          name: 'spin',
          kind: 'limit',
          rowsIn: 9,
          rowsOut: 4,
          busyMs: 2,
          tells: { groups: 3 },
        },
      ],
    },
  ]);
});

test('full channels are told by the tasks at their other ends, of the edge that they belong to', () => {
  const fullOutputs = [
    { edge: 0, channels: [0, 2] },
    { edge: 1, channels: [0] },
  ];
  const report = { state: 'running', source: null, operators: [null, null], fullOutputs } as const;
  expect(inspectTasks(graph, [answer({ report })])[0]?.waitsFor).toEqual([
    { edgeId: 'e1', taskId: 'v2[0]' },
    { edgeId: 'e1', taskId: 'v2[2]' },
    { edgeId: 'e2', taskId: 'v3[1]' },
  ]);
});

test('a thread that does not answer still says by its counters where it is', () => {
  const [silent] = inspectTasks(graph, [answer({ hasAnswered: false })]);
  expect([silent?.running, silent?.operators[1]?.rowsOut, silent?.source]).toEqual([
    'spin',
    4,
    null,
  ]);
  const activity = { operator: 2, sinceMs: 1, counters: [] };
  expect(inspectTasks(graph, [answer({ activity })])[0]?.running).toBe('output');
  expect(
    inspectTasks(graph, [answer({ activity: { ...activity, operator: -1 } })])[0]?.running,
  ).toBe(null);
});
