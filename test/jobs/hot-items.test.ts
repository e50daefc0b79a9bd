/** Goal: hot items are what a plain loop counts, over a file and over the generator. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { planJob } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { parseParams } from '../../engine/api/param-values.ts';
import { schemaText } from '../../engine/schema/schema.ts';
import job from '../../jobs/hot-items/job.ts';

const folder = join(import.meta.dirname, '../../jobs/hot-items');

describe('the plan', () => {
  const graphOf = (raw: Record<string, string>) =>
    buildJob(job, parseParams(job.params, raw)).graph;

  test('reads the three columns that count', () => {
    const physical = planJob(graphOf({ input: 'bids.ndjson' }), { parallelism: 2 });
    const [source] = physical.vertices[0]?.chain ?? [];
    expect(schemaText(source?.output ?? { fields: [] })).toBe(
      'auction int64, price int64, date_time timestamp(ms)',
    );
  });

  test('without input the generator makes events', () => {
    const connectorOf = (raw: Record<string, string>) => {
      const [source] = graphOf(raw).nodes;
      return source?.kind === 'source' ? source.source : null;
    };
    expect(connectorOf({ events: '500' })).toMatchObject({
      connector: 'generator',
      options: { kind: 'bids', events: 500 },
    });
    expect(connectorOf({ input: 'a.ndjson', events: '500' })?.connector).toBe('files');
  });

  test('the size of a window is given in seconds', () => {
    const text = JSON.stringify(graphOf({ size: '60' }));
    expect(text).toContain('"sizeMs":60000');
    expect(parseParams(job.params, {})).toMatchObject({ size: 10, output: 'hot-items.ndjson' });
  });
});

test('the sample gives what its README says', () => {
  const bids = readFileSync(join(folder, 'sample.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { auction: number; price: number; date_time: string });
  const rows = new Map<string, { start: number; auction: number; bids: number; top: number }>();
  for (const { auction, price, date_time: time } of bids) {
    const start = Math.floor(Date.parse(time) / 10_000) * 10_000;
    const key = `${start} ${auction}`;
    const row = rows.get(key) ?? { start, auction, bids: 0, top: 0 };
    rows.set(key, { ...row, bids: row.bids + 1, top: Math.max(row.top, price) });
  }
  const sorted = [...rows.values()].sort(
    (a, b) => a.start - b.start || b.bids - a.bids || a.auction - b.auction,
  );
  const iso = (ms: number) => new Date(ms).toISOString();
  const lines = sorted.map(
    ({ start, auction, bids: count, top }) =>
      `${iso(start)},${iso(start + 10_000)},${auction},${count},${top}`,
  );
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  expect(readme).toContain(lines.slice(0, 3).join('\n'));
});
