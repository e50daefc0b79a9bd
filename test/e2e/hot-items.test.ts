/** Goal: hot items of real processes are what a plain loop counts, at any parallelism and in any format. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nexmarkBid, nexmarkKindOf } from '../../engine/kernels/nexmark.ts';
import { runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = 'jobs/hot-items/job.ts';
const eventCount = 30_000n;
const options = { seed: 0n, baseTimeMs: 1_700_000_000_000, eventsPerSecond: 10_000, group: 1 };

interface HotItem {
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly auction: number;
  readonly bids: number;
  readonly top: number;
}

/** By the generator's reference and a Map. */
function expectedItems(sizeMs: number): HotItem[] {
  const rows = new Map<string, { start: number; auction: number; bids: number; top: number }>();
  for (let id = 0n; id < eventCount; id++) {
    if (nexmarkKindOf(id) !== 'bid') continue;
    const bid = nexmarkBid(id, options);
    const [auction, price] = [Number(bid.auction), Number(bid.price)];
    const start = Math.floor(Number(bid.dateTime) / sizeMs) * sizeMs;
    const row = rows.get(`${start} ${auction}`) ?? { start, auction, bids: 0, top: 0 };
    const next = { ...row, bids: row.bids + 1, top: Math.max(row.top, price) };
    rows.set(`${start} ${auction}`, next);
  }
  return [...rows.values()]
    .sort((a, b) => a.start - b.start || b.bids - a.bids || a.auction - b.auction)
    .map(({ start, ...row }) => ({
      windowStart: new Date(start).toISOString(),
      windowEnd: new Date(start + sizeMs).toISOString(),
      ...row,
    }));
}

function itemsIn(file: string): HotItem[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as HotItem);
}

test.each(['1', '3'])('over the generator, parallelism %s', async (parallelism) => {
  const output = join(tempFolder(), 'out.ndjson');
  const flags = ['--events', String(eventCount), '--size', '1', '--output', output];
  const run = await runCli(['run', job, ...flags, '--parallelism', parallelism, '--json']);
  expect(summaryOf(run)).toMatchObject({ status: 'finished', rowsIn: 27_600 });
  expect(itemsIn(output)).toEqual(expectedItems(1000));
});

test('over a file of bids, whose other fields may be missing', async () => {
  const folder = tempFolder();
  const input = join(folder, 'bids.ndjson');
  const output = join(folder, 'out.ndjson');
  const lines: string[] = [];
  for (let id = 0n; id < eventCount; id++) {
    if (nexmarkKindOf(id) !== 'bid') continue;
    const { auction, price, dateTime } = nexmarkBid(id, options);
    lines.push(`{"date_time":${dateTime},"auction":${auction},"price":${price}}`);
  }
  writeFileSync(input, lines.join('\n'));
  const run = await runCli(['run', job, '--input', input, '--output', output, '--json']);
  expect(summaryOf(run)).toMatchObject({ status: 'finished', rowsIn: 27_600 });
  expect(itemsIn(output)).toEqual(expectedItems(10_000));
});
