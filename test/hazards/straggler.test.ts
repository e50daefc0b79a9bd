/**
 * Hazard: a task crawls, on a slot that is slow for a reason of its own, while its siblings are done. A copy of
 * it runs in a slot that is idle, and what both have made is there once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli-process.ts';
import { jobText } from '../support/job-text.ts';
import { contentsOf, tempFolder } from '../support/temp-folder.ts';

const lineCount = 4_000;

/** The first thread that meets line 0 is slow from then on: `pause` is what each row of it waits for. */
function crawlingJob(cwd: string, pause: string): string {
  const marker = JSON.stringify(join(cwd, 'marker'));
  const before = `import { openSync } from 'node:fs';
const cell = new Int32Array(new SharedArrayBuffer(4));
let isSlow = false;
function work(line: string): string {
  if (line === '0') {
    try {
      openSync(${marker}, 'wx');
      isSlow = true;
    } catch {
      isSlow = false;
    }
  }
  if (isSlow) ${pause};
  return line;
}`;
  const chain = `.keyBy((row) => row.text).aggregate({ count: agg.count() })
    .flatMap(t.struct({ line: t.utf8() }), (row) => [{ line: work(row.text) }])`;
  return jobText(chain, { before });
}

test.each`
  what                     | pause
  ${'crawls'}              | ${'Atomics.wait(cell, 0, 0, 10)'}
  ${'never ends its loop'} | ${'for (;;) cell[0] = 0'}
`('a task that $what gets a copy, which wins; every row is written once', async ({ pause }) => {
  const line = (_: unknown, index: number) => `${index}\n`;
  const cwd = tempFolder({ 'in.txt': Array.from({ length: lineCount }, line).join('') });
  const files = tempFolder({ 'job.ts': crawlingJob(cwd, pause) });
  const flags = ['--parallelism', '2', '--shuffle', 'disk', '--spill-dir', 'spill', '--json'];
  // Adapted, a stage of so few rows is one task, which has no sibling to be slower than.
  flags.push('--adaptive', 'off');
  const args = ['run', join(files, 'job.ts'), '--input', 'in.txt', '--output', 'o.csv', ...flags];
  const result = await runCli(args, { cwd });
  expect(result.exitCode, result.stderr).toBe(0);
  const [, grouping] = JSON.parse(result.stdout).stages;
  expect(grouping).toMatchObject({ failedCount: 0, speculativeCount: 1, speculativeWonCount: 1 });
  const rows = readFileSync(join(cwd, 'o.csv'), 'utf8').trimEnd().split('\n').slice(1);
  expect(rows.map(Number).sort((a, b) => a - b)).toEqual(Array.from(rows, (_, index) => index));
  expect(rows).toHaveLength(lineCount);
  expect(Object.keys(contentsOf(cwd)).sort()).toEqual(['in.txt', 'marker', 'o.csv', 'spill/']);
});
