/** Goal: what tasks answer by number is told by the names of the plan. */
import { expect, test } from 'vitest';
import { inspectTasks } from '../../../coordinator/job/job-inspection.ts';
import type { TaskAnswer } from '../../../coordinator/protocol.ts';
import type { Edge, PhysicalGraph, Vertex } from '../../../engine/plan/physical-graph.ts';

const output = { fields: [] };
const noTime = { waitsForTime: false, watermarkMs: null, watermarkAtMs: null };
const silent = { tells: null, ...noTime };

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
    input: [],
    operators: [silent, { ...silent, tells: { groups: 3 } }],
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
      ...{ running: 'spin', runningSinceMs: 5, source, senders: [], waitsFor: [] },
      operators: [
        {
          id: 'read',
          name: 'read',
          kind: 'limit',
          rowsIn: 9,
          rowsOut: 9,
          busyMs: 1,
          tells: null,
          ...noTime,
        },
        {
          id: 'spin',
          name: 'spin',
          kind: 'limit',
          rowsIn: 9,
          rowsOut: 4,
          busyMs: 2,
          tells: { groups: 3 },
          ...noTime,
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
  const report = {
    state: 'running',
    source: null,
    input: [],
    operators: [silent, silent],
    fullOutputs,
  } as const;
  expect(inspectTasks(graph, [answer({ report })])[0]?.waitsFor).toEqual([
    { edgeId: 'e1', taskId: 'v2[0]' },
    { edgeId: 'e1', taskId: 'v2[2]' },
    { edgeId: 'e2', taskId: 'v3[1]' },
  ]);
});

test('channels of a gate are told by the tasks at their other ends', () => {
  const joined: PhysicalGraph = {
    ...graph,
    edges: [edge('e1', 'v2', 'hash'), { ...edge('e2', 'v2', 'hash'), from: 'v3', port: 0 }],
  };
  const input = [
    { channel: 1, watermarkMs: 70, isIdle: false },
    { channel: 2, watermarkMs: null, isIdle: true },
  ];
  const report = {
    state: 'running',
    source: null,
    input,
    operators: [silent],
    fullOutputs: [],
  } as const;
  const [told] = inspectTasks(joined, [answer({ taskId: 'v2[2]', report })]);
  expect(told?.senders).toEqual([
    { taskId: 'v1[1]', watermarkMs: 70, isIdle: false },
    { taskId: 'v3[0]', watermarkMs: null, isIdle: true },
  ]);
  // One channel has no gate that could tell of it.
  const [alone] = inspectTasks(graph, [answer({ taskId: 'v3[1]' })]);
  expect(alone?.senders).toEqual([{ taskId: 'v1[1]', watermarkMs: null, isIdle: false }]);
});

test('a thread that does not answer still says by its counters where it is', () => {
  const [mute] = inspectTasks(graph, [answer({ hasAnswered: false })]);
  expect([mute?.running, mute?.operators[1]?.rowsOut, mute?.source]).toEqual(['spin', 4, null]);
  const activity = { operator: 2, sinceMs: 1, counters: [] };
  expect(inspectTasks(graph, [answer({ activity })])[0]?.running).toBe('output');
  expect(
    inspectTasks(graph, [answer({ activity: { ...activity, operator: -1 } })])[0]?.running,
  ).toBe(null);
});
