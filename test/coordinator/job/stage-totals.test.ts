/** Goal: a stage's totals are those of its tasks, and the share of a job grows from 0 to 1. */
import { expect, test } from 'vitest';
import { type StageTotals, shareDone, stageTotals } from '../../../coordinator/job/stage-totals.ts';
import { planJob } from '../../../coordinator/planner/planner.ts';
import type { TaskCounters } from '../../../coordinator/protocol.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import sort from '../../../jobs/sort/job.ts';
import wordcount from '../../../jobs/wordcount/job.ts';

const { graph: logical } = buildJob(wordcount, {
  ...{ input: 'in.txt', output: 'out.csv', top: undefined, invalidUtf8: 'fail' },
});

function countersOf(taskId: string, busyMs: number): TaskCounters {
  const operator = { rowsIn: 1, rowsOut: 1, busyMs, bytesSpilled: 5 };
  const skipped = { rows: 0, rowGroups: 0, pages: 0 };
  return { taskId, attempt: 1, bytesIn: 10, skipped, bytesShuffled: 7, operators: [operator] };
}

test('one stage where all meet in rings: sums, and the skew of the slowest vertex', () => {
  const graph = planJob(logical, { parallelism: 3 });
  const times = { 'v1[0]': 100, 'v1[1]': 110, 'v1[2]': 440, 'v2[0]': 50, 'v2[1]': 50, 'v2[2]': 60 };
  const counters = Object.entries(times).map(([id, busyMs]) => countersOf(id, busyMs));
  const [stage, ...others] = stageTotals(graph, null, counters);
  expect(others).toEqual([]);
  expect(stage).toMatchObject({
    ...{ taskCount: 7, runningCount: 0, doneCount: 0, failedCount: 0 },
    ...{ bytesIn: 60, bytesShuffled: 42, bytesSpilled: 30, busySeconds: 0.81, skew: 4 },
  });
});

test('tasks that are short, or alone, have no skew', () => {
  const graph = planJob(logical, { parallelism: 2 });
  const short = [countersOf('v1[0]', 1), countersOf('v1[1]', 9)];
  expect(stageTotals(graph, null, short)[0]?.skew).toBeNull();
  expect(stageTotals(graph, null, [countersOf('v1[0]', 900)])[0]?.skew).toBeNull();
});

test('a sample that one task reads alone is no skew', () => {
  const { graph: sorted } = buildJob(sort, { input: 'in.bin', output: 'sorted/' });
  const graph = planJob(sorted, { parallelism: 2 });
  const times = { 'v1[0]': 1, 'v1[1]': 90, 'v4[0]': 400, 'v4[1]': 600 };
  const counters = Object.entries(times).map(([id, busyMs]) => countersOf(id, busyMs));
  expect(stageTotals(graph, null, counters)[0]?.skew).toBe(1.5);
});

test('stages that meet in files are apart', () => {
  const graph = planJob(logical, { parallelism: 2, shuffle: 'disk' });
  const stages = stageTotals(graph, null, [countersOf('v1[0]', 20), countersOf('v2[0]', 30)]);
  expect(stages.length).toBeGreaterThan(1);
  expect(stages.reduce((sum, { taskCount }) => sum + taskCount, 0)).toBe(5);
  expect(stages[0]).toMatchObject({ bytesShuffled: 7, busySeconds: 0.02 });
});

test('the share is of tasks, and of the input while it is read', () => {
  const none = {
    runningCount: 0,
    failedCount: 0,
    bytesShuffled: 0,
    bytesSpilled: 0,
    busySeconds: 0,
    speculativeCount: 0,
    speculativeWonCount: 0,
    adaptations: [],
  };
  const stagesOf = (readers: number, read: number, others: number): StageTotals[] => [
    { ...none, id: '1', taskCount: 2, doneCount: readers, bytesIn: read, skew: null },
    { ...none, id: '2', taskCount: 2, doneCount: others, bytesIn: 0, skew: null },
  ];
  expect(shareDone([], 100)).toBe(0);
  expect(shareDone(stagesOf(0, 0, 0), 100)).toBe(0);
  expect(shareDone(stagesOf(0, 50, 0), 100)).toBe(0.25);
  expect(shareDone(stagesOf(2, 100, 0), 100)).toBe(0.5);
  expect(shareDone(stagesOf(2, 100, 1), 100)).toBe(0.75);
  expect(shareDone(stagesOf(2, 100, 2), 100)).toBe(1);
  expect(shareDone(stagesOf(2, 0, 0), 0)).toBe(0.5);
});
