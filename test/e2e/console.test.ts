/** Goal: rows on the terminal are a table on stdout, or on stderr where stdout is for programs. */
import { expect, test } from 'vitest';
import { runCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = `
import { defineJob, t } from 'millrace';
import { console } from 'millrace/console';
import { memory } from 'millrace/memory';

const Word = t.struct({ word: t.utf8().nullable(), count: t.int64() });
const rows = [{ word: 'the', count: 12 }, { word: null, count: 3 }, { word: 'of', count: 7n }];
export default defineJob({
  name: 'words',
  build: ({ read }) => read(memory.source(rows, Word)).writeTo(console.sink({ limit: 2 })),
});`;
const table = [
  '┌──────┬───────┐',
  '│ word │ count │',
  '├──────┼───────┤',
  '│ the  │    12 │',
  '│ null │     3 │',
  '└──────┴───────┘',
  '… 1 more row',
  '',
].join('\n');

test('a table on stdout, what is for people beside it on stderr', async () => {
  const run = await runCli(['run', 'job.ts'], { cwd: tempFolder({ 'job.ts': job }) });
  expect(run.stdout).toBe(table);
  expect(run.stderr).toContain('3 rows to console');
  expect(run.exitCode).toBe(0);
});

test('with --json stdout is one object, and the table on stderr', async () => {
  const run = await runCli(['run', 'job.ts', '--json'], { cwd: tempFolder({ 'job.ts': job }) });
  expect(JSON.parse(run.stdout)).toMatchObject({ status: 'finished', rowsOut: 3 });
  expect(run.stderr).toBe(table);
});

test('rows that only a program could take are refused before anything starts', async () => {
  const text = job.replace('console.sink({ limit: 2 })', 'memory.sink()');
  const run = await runCli(['run', 'job.ts'], { cwd: tempFolder({ 'job.ts': text }) });
  expect(run.stderr).toContain('error[PROGRAM_NOT_ATTACHED]: the sink "rows" of memory');
  expect(run.exitCode).toBe(1);
});
