/** Goal: rows that operators have noted are added up over tasks, by reason, and told of where there are any. */
import { expect, test } from 'vitest';
import { JobMetrics } from '../../../coordinator/job/job-metrics.ts';
import type { TaskCounters } from '../../../coordinator/protocol.ts';
import type { PhysicalGraph } from '../../../engine/plan/physical-graph.ts';

const spec = (id: string) =>
  ({ id, name: id, output: { fields: [] }, kind: 'limit', count: 1 }) as const;

const graph: PhysicalGraph = {
  ...{ jobName: 'test', parallelism: 2, edges: [] },
  vertices: [{ id: 'v1', name: 'v1', parallelism: 2, chain: [spec('first'), spec('second')] }],
};

function counters(taskId: string, notedRows?: TaskCounters['notedRows']): TaskCounters {
  const skipped = { rows: 0, rowGroups: 0, pages: 0 };
  const numbers = { attempt: 1, bytesIn: 0, bytesShuffled: 0, skipped, operators: [] };
  return { taskId, ...numbers, ...(notedRows !== undefined && { notedRows }) };
}

test('noted rows are those of all tasks that have ended', () => {
  const metrics = new JobMetrics(graph);
  metrics.update([counters('v1[0]'), counters('v1[1]')]);
  expect(metrics.operators().map(({ notedRows }) => notedRows)).toEqual([undefined, undefined]);
  metrics.update([counters('v1[0]', [{ late: 0 }, { late: 2, future: 1 }])]);
  metrics.update([counters('v1[1]', [{}, { late: 3 }])]);
  expect(metrics.operators().map(({ notedRows }) => notedRows)).toEqual([
    undefined,
    { future: 1, late: 5 },
  ]);
});
