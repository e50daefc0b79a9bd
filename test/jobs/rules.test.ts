/** Goal: every task has all rules before the first payment of a file. */
import { expect, test } from 'vitest';
import { planJob } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { parseParams } from '../../engine/api/param-values.ts';
import { vertexPorts } from '../../engine/plan/physical-graph.ts';
import job from '../../jobs/rules/job.ts';

const params = { input: 'payments.ndjson', rules: 'rules.ndjson' };

test('rules are put in order by one task and go to all', () => {
  const { graph } = buildJob(job, parseParams(job.params, params));
  const { vertices, edges } = planJob(graph, { parallelism: 3 });
  const process = vertices.find(({ chain }) => chain[0]?.kind === 'process');
  const control = edges.find(({ to, port }) => to === process?.id && port === vertexPorts.build);
  expect(control?.exchange).toEqual({ kind: 'broadcast' });
  const before = vertices.find(({ id }) => id === control?.from);
  expect(before).toMatchObject({ parallelism: 1, chain: [{ kind: 'sort' }] });
});
