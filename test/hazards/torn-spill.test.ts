/**
 * Hazard: spill files are torn while a sort reads them, as by a disk that loses what was written. The task's
 * region runs again, spills anew, and the rows come out once and in order.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli-process.ts';
import { jobText } from '../support/job-text.ts';
import { contentsOf, tempFolder } from '../support/temp-folder.ts';

const lineCount = 500_000;

/** The first row that leaves the sort cuts all spill files in half, once. */
function tearingJob(marker: string, spill: string): string {
  const before = `import { existsSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
let isFirst = true;
function work(line: string): string {
  if (isFirst && !existsSync(${JSON.stringify(marker)})) {
    writeFileSync(${JSON.stringify(marker)}, '');
    for (const name of readdirSync(${JSON.stringify(spill)}, { recursive: true })) {
      const path = join(${JSON.stringify(spill)}, String(name));
      const { size } = statSync(path);
      if (statSync(path).isFile()) truncateSync(path, size >> 1);
    }
  }
  isFirst = false;
  return line;
}`;
  const chain = `.orderBy((row) => row.text.asc())
    .flatMap(t.struct({ line: t.utf8() }), (row) => [{ line: work(row.text) }])`;
  return jobText(chain, { before });
}

test('a sort whose spill files are torn runs again, and gives every row in order', async () => {
  const line = (_: unknown, index: number) =>
    `${String((index * 7_919) % lineCount).padStart(6, '0')} ${'x'.repeat(90)}\n`;
  const cwd = tempFolder({ 'in.txt': Array.from({ length: lineCount }, line).join('') });
  const [marker, spill] = [join(cwd, 'marker'), join(cwd, 'spill')];
  const jobFolder = tempFolder({ 'job.ts': tearingJob(marker, spill) });
  const flags = ['--memory', '32MB', '--parallelism', '1', '--spill-dir', spill, '--json'];
  const ends = ['--input', 'in.txt', '--output', 'o.csv'];
  const result = await runCli(['run', join(jobFolder, 'job.ts'), ...ends, ...flags], { cwd });
  expect(result.exitCode, result.stderr).toBe(0);
  const failed = JSON.parse(result.stdout).stages.map(
    ({ failedCount }: { failedCount: number }) => failedCount,
  );
  expect(failed).toContain(1);
  const rows = readFileSync(join(cwd, 'o.csv'), 'utf8').trimEnd().split('\n').slice(1);
  const numbers = rows.map((row) => Number(row.slice(0, 6)));
  expect(numbers).toEqual(Array.from(numbers, (_, index) => index));
  expect(numbers).toHaveLength(lineCount);
  expect(Object.keys(contentsOf(cwd)).sort()).toEqual(['in.txt', 'marker', 'o.csv', 'spill/']);
});
