/**
 * Goal: groups of ten times the memory are made within it, by the real command, in one phase and in two,
 * and are what plain JavaScript makes; no spill file is left.
 */

import { once } from 'node:events';
import { createWriteStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, summaryOf } from '../support/cli-process.ts';
import { jobText } from '../support/job-text.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mb = 1 << 20;
const rowCount = 7_500_000;
const keyCount = 4_000_000;

/** Keys by arithmetic, scattered, of 20 bytes and more, so that groups are many times the memory. */
const keyOf = (row: number): number => (row * 7_919 + (row % 13) * 104_729) % keyCount;

async function writeRows(path: string): Promise<void> {
  const out = createWriteStream(path);
  let text = '';
  for (let row = 0; row < rowCount; row++) {
    text += `a key that has some length, number ${keyOf(row)};${row % 1000}\n`;
    if (text.length < mb) continue;
    if (!out.write(text)) await once(out, 'drain');
    text = '';
  }
  out.end(text);
  await once(out, 'finish');
}

/** Groups, the rows of all, their values, and how many groups have three rows or more. */
function expectedTotals() {
  const counts = new Uint8Array(keyCount);
  let values = 0;
  for (let row = 0; row < rowCount; row++) {
    counts[keyOf(row)] = (counts[keyOf(row)] ?? 0) + 1;
    values += row % 1000;
  }
  const groups = counts.filter((count) => count > 0).length;
  const large = counts.filter((count) => count >= 3).length;
  return { groups, rows: rowCount, values, large };
}

const verbs = `.flatMap(t.struct({ key: t.utf8(), value: t.int32() }), (row) => {
        const border = row.text.indexOf(';');
        return [{ key: row.text.slice(0, border), value: Number(row.text.slice(border + 1)) }];
      })
      .keyBy((row) => row.key)
      .aggregate({ count: agg.count(), sum: agg.sum((row) => row.value), top: agg.max((row) => row.value) })
      .derive((row) => ({ isLarge: row.count.ge(3) }))
      .keyBy((row) => row.isLarge)
      .aggregate({ groups: agg.count(), rows: agg.sum((row) => row.count), values: agg.sum((row) => row.sum) })`;

test.each([
  { tasks: 1, memoryMb: 32, times: 10 },
  { tasks: 2, memoryMb: 64, times: 5 },
])('$times times the memory, grouped by $tasks tasks', async ({ tasks, memoryMb, times }) => {
  const cwd = tempFolder({ 'job.ts': jobText(verbs) });
  await writeRows(join(cwd, 'in.txt'));
  const files = ['--input', 'in.txt', '--output', 'out.ndjson', '--spill-dir', 'spill'];
  const flags = ['--memory', `${memoryMb}MB`, '--parallelism', String(tasks), '--json'];
  const run = await runCli(['run', 'job.ts', ...files, ...flags], { cwd, deadlineMs: 200_000 });
  const summary = summaryOf(run);
  expect(Number(summary.bytesIn)).toBeGreaterThan(times * memoryMb * mb);
  const rows = readFileSync(join(cwd, 'out.ndjson'), 'utf8').trim().split('\n');
  const found = rows.map((line) => JSON.parse(line));
  const { groups, rows: all, values, large } = expectedTotals();
  const sumOf = (name: string) => found.reduce((sum, row) => sum + Number(row[name]), 0);
  expect([sumOf('groups'), sumOf('rows'), sumOf('values')]).toEqual([groups, all, values]);
  expect(found.find(({ isLarge }) => isLarge)?.groups).toBe(large);
  const operators = summary.operators as { bytesSpilled: number }[];
  const spilled = operators.reduce((sum, { bytesSpilled }) => sum + bytesSpilled, 0);
  expect(spilled).toBeGreaterThan(2 * memoryMb * mb);
  expect(Number(summary.peakMemoryBytes)).toBeLessThan((memoryMb + 300) * mb);
  expect(existsSync(join(cwd, 'spill')) ? readdirSync(join(cwd, 'spill')) : []).toEqual([]);
});
