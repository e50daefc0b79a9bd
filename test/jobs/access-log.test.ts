/** Goal: the access log's lines are understood or refused, and its sample gives what its README says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planJob } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { parseParams } from '../../engine/api/param-values.ts';
import job, { hitOf } from '../../jobs/access-log/job.ts';

const folder = join(import.meta.dirname, '../../jobs/access-log');
const good =
  '203.0.113.9 - ann [26/Nov/2026:00:15:01 +0100] "GET /a?b=1 HTTP/1.1" 200 5120 "-" "Moz"';

test('a line in the combined format is a hit of its hour in UTC', () => {
  const hour = Date.UTC(2026, 10, 25, 23);
  expect(hitOf(good)).toEqual({ hour, path: '/a', status: 200, failures: 0, bytes: 5120 });
  expect(hitOf(good.replace('+0100', '-0130'))?.hour).toBe(Date.UTC(2026, 10, 26, 1));
  expect(hitOf(good.replace('200 5120', '503 -'))).toMatchObject({ failures: 1, bytes: 0 });
});

test.each([
  '',
  'no log line',
  good.slice(0, 60),
  good.replace('Nov', 'Xyz'),
  good.replace('200', '20'),
])('refused: %s', (line) => {
  expect(hitOf(line)).toBeNull();
});

test('four outputs from one source', () => {
  const { graph } = buildJob(job, parseParams(job.params, { input: 'a.log' }));
  const { vertices } = planJob(graph, { parallelism: 2 });
  const kinds = vertices.flatMap(({ chain }) => chain.map(({ kind }) => kind));
  expect(kinds.filter((kind) => kind === 'source')).toHaveLength(1);
  expect(kinds.filter((kind) => kind === 'sink')).toHaveLength(4);
});

test('the sample gives what its README says', () => {
  const lines = readFileSync(join(folder, 'sample.txt'), 'utf8').trimEnd().split('\n');
  const sums = new Map<string, { hits: number; failures: number; bytes: number }>();
  for (const hit of lines.map(hitOf)) {
    if (hit === null) continue;
    const sum = sums.get(hit.path) ?? { hits: 0, failures: 0, bytes: 0 };
    sum.hits++;
    sum.failures += hit.failures;
    sum.bytes += hit.bytes;
    sums.set(hit.path, sum);
  }
  const rows = [...sums].sort(([, a], [, b]) => b.hits - a.hits);
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  for (const [path, { hits, failures, bytes }] of rows.slice(0, 2)) {
    expect(readme).toContain(`\n2026-11-26T08:00:00.000Z,${path},${hits},${failures},${bytes}\n`);
  }
});
