/** Goal: of all tasks that are asked for a key the one that has it answers, and no answer is taken for none. */
import { expect, test } from 'vitest';
import type { WireError } from '../../../base/typed-error.ts';
import { findOperator, keyStateOf } from '../../../coordinator/job/key-state.ts';
import type { TaskAnswer } from '../../../coordinator/protocol.ts';
import type { PhysicalGraph } from '../../../engine/plan/physical-graph.ts';

function answer(taskId: string, facts: Partial<TaskAnswer> = {}): TaskAnswer {
  return {
    ...{ taskId, attempt: 1, slotIndex: 0, hasAnswered: true, report: null, error: null },
    ...{ state: null, activity: { operator: -1, sinceMs: 0, counters: [] } },
    ...facts,
  };
}

const nothing = { keepsState: true, isHere: false, value: null };
const none = { keepsState: false, isHere: false, value: null };

test('the task that has the key answers; the others have none of it', () => {
  const has = answer('v2[1]', { state: { keepsState: true, isHere: true, value: { n: 3 } } });
  const answers = [answer('v1[0]', { state: none }), answer('v2[0]', { state: nothing }), has];
  expect(keyStateOf('limits', answers)).toEqual({
    parts: [{ taskId: 'v2[1]', value: { n: 3 } }],
  });
});

test('an aggregate in two phases has a key in several tasks', () => {
  const has = (taskId: string, n: number) =>
    answer(taskId, { state: { keepsState: true, isHere: true, value: { n } } });
  const answers = [has('v1[0]', 2), answer('v1[1]', { state: nothing }), has('v2[1]', 3)];
  expect(keyStateOf('bids', answers)?.parts).toEqual([
    { taskId: 'v1[0]', value: { n: 2 } },
    { taskId: 'v2[1]', value: { n: 3 } },
  ]);
});

test('a key without state is null', () => {
  expect(keyStateOf('limits', [answer('v2[0]', { state: nothing })])).toBeNull();
});

test('a task that has not answered may have it', () => {
  const answers = [answer('v2[0]', { state: nothing }), answer('v2[1]', { hasAnswered: false })];
  expect(() => keyStateOf('limits', answers)).toThrow('no answer of task "v2[1]"');
});

test('an operator without state by key, and a job without tasks, say so', () => {
  expect(() => keyStateOf('map', [answer('v1[0]', { state: none })])).toThrow(
    'keeps no state by key',
  );
  expect(() => keyStateOf('map', [])).toThrow('keeps no state by key');
});

test("what the operator says to the key is the user's answer", () => {
  const error: WireError = {
    code: 'VALUE_TYPE_MISMATCH',
    kind: 'user',
    retryable: false,
    message: '"x" is no int64',
    hint: 'Write a number.',
  };
  expect(() => keyStateOf('limits', [answer('v2[0]', { error })])).toThrow('"x" is no int64');
});

test('an operator is found by its id, else by its name; others are listed', () => {
  const spec = (id: string, name: string) =>
    ({ id, name, output: { fields: [] }, kind: 'limit', count: 1 }) as const;
  const chain = [spec('a-1', 'b-1'), spec('b-1', 'counts')];
  const graph: PhysicalGraph = {
    ...{ jobName: 'test', parallelism: 1, edges: [] },
    vertices: [{ id: 'v1', name: 'v1', parallelism: 1, chain }],
  };
  expect(findOperator(graph, 'b-1').name).toBe('counts');
  expect(findOperator(graph, 'counts').id).toBe('b-1');
  expect(() => findOperator(graph, 'count')).toThrow(
    expect.objectContaining({
      message: 'job "test" has no operator "count"',
      info: expect.objectContaining({
        hint: 'Did you mean "counts"? Its operators are "a-1", "b-1".',
      }),
    }),
  );
});
