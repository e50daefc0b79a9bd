/**
 * Goal: both wordcount jobs give, word by word, what plain Node counts on the same real text, at any
 * parallelism and memory, and leave nothing but their output behind.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type CliResult,
  expectFailure,
  projectFolder,
  runCli,
  summaryOf,
} from '../support/cli-process.ts';
import { contentsOf, tempFolder } from '../support/temp-folder.ts';
import { bytesOf, countWords, csvOf, filesBelow, ndjsonOf } from '../support/word-reference.ts';

const wordcount = 'jobs/wordcount/job.ts';
const mapReduce = 'jobs/wordcount-mapreduce/job.ts';
const markdown = filesBelow(join(projectFolder, 'node_modules'), '.md');
const markdownGlob = 'node_modules/**/*.md';
const markdownCounts = countWords(markdown);

/** A copy of our own sources: the tree itself may change while a test reads it. */
function sources(): string {
  const folder = tempFolder();
  for (const name of ['base', 'cli', 'connectors']) {
    cpSync(join(projectFolder, name), join(folder, name), { recursive: true });
  }
  return folder;
}

function run(args: readonly string[]): Promise<CliResult> {
  return runCli(['run', wordcount, '--parallelism', '2', '--json', ...args]);
}

test.each`
  job          | parallelism | memory
  ${wordcount} | ${1}        | ${'32MB'}
  ${wordcount} | ${2}        | ${'64MB'}
  ${wordcount} | ${3}        | ${'2GB'}
  ${mapReduce} | ${1}        | ${'64MB'}
  ${mapReduce} | ${2}        | ${'1GB'}
  ${mapReduce} | ${3}        | ${'96MB'}
`('$job over many files: $parallelism slots, $memory', async ({ job, parallelism, memory }) => {
  const folder = tempFolder();
  const output = join(folder, 'words.csv');
  const flags = ['--parallelism', String(parallelism), '--memory', memory, '--json'];
  const result = await runCli([
    ...['run', job, '--input', markdownGlob, '--output', output, '--invalid-utf8', 'replace'],
    ...flags,
  ]);
  const summary = summaryOf(result);
  expect(readFileSync(output, 'utf8')).toBe(csvOf(markdownCounts));
  expect(readdirSync(folder)).toEqual(['words.csv']);
  expect(summary).toMatchObject({
    job: job === wordcount ? 'wordcount' : 'wordcount-mapreduce',
    status: 'finished',
    bytesIn: bytesOf(markdown),
    rowsOut: markdownCounts.length,
  });
});

test('the summary of --json is one object with all that a program asks for', async () => {
  const folder = tempFolder({ 'in.txt': 'one two\ntwo three\n\nthree three\n' });
  const result = await run(['--input', join(folder, 'in.txt'), '--output', join(folder, 'o.csv')]);
  // Jobs of a cluster have an id.
  const { id: _, seconds, peakMemoryBytes, operators, stages, ...totals } = summaryOf(result);
  expect(totals).toEqual({
    job: 'wordcount',
    status: 'finished',
    rowsIn: 4,
    bytesIn: 31,
    rowsOut: 3,
    deadLetters: 0,
  });
  expect(stages).toMatchObject([{ taskCount: 5, doneCount: 5, failedCount: 0, bytesShuffled: 0 }]);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(result.seconds);
  // A cluster does not know it.
  if (peakMemoryBytes !== null) expect(peakMemoryBytes).toBeGreaterThan(10 * 1024 ** 2);
  const rows = (operators as Record<string, unknown>[]).map(
    ({ name, rowsIn, rowsOut, busySeconds }) => {
      expect(busySeconds).toBeGreaterThan(0);
      return [name, rowsIn, rowsOut];
    },
  );
  expect(rows.slice(0, 2)).toEqual([
    ['source', 4, 4],
    ['explodeWords', 4, 6],
  ]);
  expect(rows.at(-1)?.[1]).toBe(3);
});

test('a folder is read with all folders below it, small files and large ones', async () => {
  const input = sources();
  // Large enough to be split between the slots, cut in the middle of lines and words.
  const line = 'Some words, again and again; the last-one is cut here: abcdefghijklmnop ';
  writeFileSync(join(input, 'large.txt'), line.repeat(200_000).replaceAll(/; /g, ';\r\n'));
  const output = join(tempFolder(), 'words.csv');
  summaryOf(await run(['--input', input, '--output', output]));
  expect(readFileSync(output, 'utf8')).toBe(csvOf(countWords(filesBelow(input))));
});

test.each`
  what             | input                  | expected
  ${'a file'}      | ${'notes/a.txt'}       | ${['notes/a.txt']}
  ${'a folder'}    | ${'notes'}             | ${['notes/a.txt', 'notes/deep/b.md', 'notes/deep/c.txt']}
  ${'with a /'}    | ${'notes/'}            | ${['notes/a.txt', 'notes/deep/b.md', 'notes/deep/c.txt']}
  ${'a glob'}      | ${'notes/**/*.txt'}    | ${['notes/a.txt', 'notes/deep/c.txt']}
  ${'two endings'} | ${'*/deep/*.{md,txt}'} | ${['notes/deep/b.md', 'notes/deep/c.txt']}
`('$what is an input: $input', async ({ input, expected }) => {
  const cwd = tempFolder({
    'notes/a.txt': 'Apple pear\nAPPLE',
    'notes/deep/b.md': 'plum\r\nplum, apple',
    'notes/deep/c.txt': 'fig fig fig fig\n',
    'notes/.hidden.txt': 'secret',
  });
  const job = join(projectFolder, wordcount);
  summaryOf(await runCli(['run', job, '--input', input, '--output', 'o.csv', '--json'], { cwd }));
  const files = expected.map((name: string) => join(cwd, name));
  expect(readFileSync(join(cwd, 'o.csv'), 'utf8')).toBe(csvOf(countWords(files)));
});

test.each`
  output        | flags                     | isNdjson
  ${'o.csv'}    | ${[]}                     | ${false}
  ${'o.ndjson'} | ${[]}                     | ${true}
  ${'o.jsonl'}  | ${[]}                     | ${true}
  ${'o'}        | ${[]}                     | ${false}
  ${'o.txt'}    | ${['--format', 'ndjson']} | ${true}
  ${'o.ndjson'} | ${['--format', 'csv']}    | ${false}
  ${'o.csv'}    | ${['--format=ndjson']}    | ${true}
`('$output $flags', async ({ output, flags, isNdjson }) => {
  const folder = tempFolder({ 'in.txt': 'b a b' });
  const path = join(folder, output);
  summaryOf(await run(['--input', join(folder, 'in.txt'), '--output', path, ...flags]));
  const counts = countWords([join(folder, 'in.txt')]);
  expect(readFileSync(path, 'utf8')).toBe(isNdjson ? ndjsonOf(counts) : csvOf(counts));
});

test.each`
  top          | rows
  ${'1'}       | ${1}
  ${'25'}      | ${25}
  ${'9000000'} | ${markdownCounts.length}
  ${'0'}       | ${0}
`('--top $top keeps the first $rows', async ({ top, rows }) => {
  const output = join(tempFolder(), 'top.csv');
  const args = ['--input', markdownGlob, '--invalid-utf8', 'replace', '--top', top];
  const summary = summaryOf(await run([...args, '--output', output]));
  expect(readFileSync(output, 'utf8')).toBe(csvOf(markdownCounts.slice(0, rows)));
  expect(summary.rowsOut).toBe(rows);
});

test('an output file that exists is replaced; one run leaves nothing else behind', async () => {
  const folder = tempFolder({ 'in.txt': 'new', 'o.csv': 'old '.repeat(1_000) });
  summaryOf(await run(['--input', join(folder, 'in.txt'), '--output', join(folder, 'o.csv')]));
  expect(contentsOf(folder)).toEqual({ 'in.txt': 'new', 'o.csv': 'word,count\nnew,1\n' });
});

test('a folder as output appears; it is replaced with --overwrite only', async () => {
  const folder = tempFolder({ 'in.txt': 'b a b', 'other.txt': 'c' });
  const output = join(folder, 'parts/');
  const runFor = (name: string, ...flags: string[]) =>
    run(['--input', join(folder, name), '--output', output, ...flags]);
  summaryOf(await runFor('in.txt'));
  const parts = join(folder, 'parts');
  expect(contentsOf(parts)).toEqual({ 'part-00000.csv': 'word,count\nb,2\na,1\n' });
  writeFileSync(join(parts, 'mine.txt'), 'kept');
  expectFailure(await runFor('other.txt'), { code: 'SINK_FOLDER_EXISTS', exitCode: 1 });
  expect(Object.keys(contentsOf(parts))).toEqual(['mine.txt', 'part-00000.csv']);
  summaryOf(await runFor('other.txt', '--overwrite'));
  expect(contentsOf(parts)).toEqual({ 'part-00000.csv': 'word,count\nc,1\n' });
  expect(readdirSync(folder).sort()).toEqual(['in.txt', 'other.txt', 'parts']);
});

test('an empty file has no words, and a header in the output all the same', async () => {
  const folder = tempFolder({ 'in.txt': '' });
  const summary = summaryOf(
    await run(['--input', join(folder, 'in.txt'), '--output', join(folder, 'o.csv')]),
  );
  expect(readFileSync(join(folder, 'o.csv'), 'utf8')).toBe('word,count\n');
  expect(summary).toMatchObject({ rowsIn: 0, bytesIn: 0, rowsOut: 0 });
});

test('without --json the summary is for people, on stderr, and stdout is empty', async () => {
  const folder = tempFolder({ 'in.txt': 'a b a' });
  mkdirSync(join(folder, 'out'));
  const output = join(folder, 'out/o.csv');
  const result = await runCli(['run', wordcount, '--input', folder, '--output', output]);
  expect([result.exitCode, result.stdout]).toEqual([0, '']);
  expect(result.stderr).toMatch(
    /^job "wordcount" finished in .*\n {2}read .*1 row.* 5 B of 1 input/,
  );
  expect(result.stderr).toContain(`written  2 rows to ${output}`);
});
