/** Goal: licenses are found in files as npm writes them, and counted as the README says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planJob } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { parseParams } from '../../engine/api/param-values.ts';
import { schemaText } from '../../engine/schema/schema.ts';
import job from '../../jobs/licenses/job.ts';

const folder = join(import.meta.dirname, '../../jobs/licenses');

test('takes the flags of its README', () => {
  expect(parseParams(job.params, {})).toEqual({
    input: 'node_modules/**/package.json',
    output: 'licenses.csv',
  });
});

test('lines without a license are dropped before rows change threads', () => {
  const { graph, functions } = buildJob(job, parseParams(job.params, {}));
  const { vertices, edges } = planJob(graph, { parallelism: 2 });
  expect(functions.size).toBe(0);
  expect(vertices[0]?.chain.map(({ kind }) => kind)).toContain('filter');
  expect(edges.map(({ exchange }) => exchange.kind)).toEqual(['hash', 'merge']);
  expect(schemaText(graph.nodes.at(-1)?.schema ?? { fields: [] })).toBe(
    'license utf8?, packages int64',
  );
});

test('the sample has what the README says', () => {
  const names = ['left', 'right', 'third'];
  const counts = new Map<string, number>();
  for (const name of names) {
    const text = readFileSync(join(folder, 'sample', name, 'package.json'), 'utf8');
    const { license } = JSON.parse(text) as { license: string };
    counts.set(license, (counts.get(license) ?? 0) + 1);
  }
  const lines = [...counts].sort((a, b) => b[1] - a[1]).map((row) => row.join(','));
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(
    `license,packages\n${lines.join('\n')}\n`,
  );
});
