/**
 * Goal: text that is not what it should be ends the job with file and byte offset, wherever the
 * splits are; lines up to the limit work, through an exchange as well.
 */
import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFailure, projectFolder, runCli, summaryOf } from '../support/cli-process.ts';
import { jobText } from '../support/job-text.ts';
import { tempFolder } from '../support/temp-folder.ts';

const wordcount = join(projectFolder, 'jobs/wordcount/job.ts');
const mb = 1024 ** 2;
/** Every distinct line is counted, so every line travels to the thread that has its key. */
const keyedByLine = jobText(`.keyBy((row) => row.text).aggregate({ count: agg.count() })
      .orderBy((row) => row.count.desc())`);

function run(cwd: string, job: string, ...flags: string[]) {
  const args = ['run', job, '--input', 'in.txt', '--output', 'o.csv', '--parallelism', '2'];
  return runCli([...args, '--json', ...flags], { cwd });
}

/** Writes pieces, each so many times, without holding them all. */
function writePieces(path: string, pieces: readonly (readonly [text: string, times: number])[]) {
  const file = openSync(path, 'w');
  for (const [text, times] of pieces) {
    const many = Math.min(times, Math.ceil(mb / text.length));
    const chunk = text.repeat(many);
    for (let left = times; left > 0; left -= many) {
      writeSync(file, left >= many ? chunk : text.repeat(left));
    }
  }
  closeSync(file);
}

test.each`
  what                   | before                       | bytes
  ${'in the first line'} | ${'good '}                   | ${[0xff]}
  ${'in a later split'}  | ${'good line\n'.repeat(4e5)} | ${[0xc3, 0x28]}
  ${'cut at the end'}    | ${'good line\n'.repeat(3)}   | ${[0xe2, 0x82]}
  ${'a lone surrogate'}  | ${'é\n'.repeat(1e5)}         | ${[0xed, 0xa0, 0x80]}
`('bytes that are not UTF-8 $what are an error with file and offset', async ({ before, bytes }) => {
  const start = Buffer.from(before);
  const cwd = tempFolder({ 'in.txt': Buffer.concat([start, Buffer.from(bytes)]) });
  const says = new RegExp(`file "in\\.txt" .* from byte ${start.length} on\nhint: .*"replace"`);
  expectFailure(await run(cwd, wordcount), { code: 'TEXT_INVALID_UTF8', exitCode: 1, says });
  expect(existsSync(join(cwd, 'o.csv'))).toBe(false);
  summaryOf(await run(cwd, wordcount, '--invalid-utf8', 'replace'));
  expect(readFileSync(join(cwd, 'o.csv'), 'utf8')).not.toContain('�');
});

test('a line of 60 MB works, as words and as a key', async () => {
  const cwd = tempFolder({ 'job.ts': keyedByLine });
  writePieces(join(cwd, 'in.txt'), [
    ['first\n', 1],
    ['x', 60 * mb],
    ['\nlast\nlast\n', 1],
  ]);
  const words = summaryOf(await run(cwd, wordcount));
  expect(words).toMatchObject({ rowsIn: 4, rowsOut: 3 });
  const keyed = summaryOf(await run(cwd, 'job.ts'));
  expect(keyed).toMatchObject({ rowsIn: 4, rowsOut: 3 });
  const header = 'text,count\nlast,2\n';
  expect(statSync(join(cwd, 'o.csv')).size).toBe(header.length + 'first,1\n,1\n'.length + 60 * mb);
  expect(readFileSync(join(cwd, 'o.csv'), 'latin1').slice(0, header.length)).toBe(header);
});

test('two equal lines of 60 MB in different splits are one key', async () => {
  const cwd = tempFolder({ 'job.ts': keyedByLine });
  writePieces(join(cwd, 'in.txt'), [
    ['y', 60 * mb],
    ['\n', 1],
    ['y', 60 * mb],
    ['\n', 1],
  ]);
  expect(summaryOf(await run(cwd, 'job.ts'))).toMatchObject({ rowsIn: 2, rowsOut: 1 });
});

test('a line of 100 MB is an error with file and byte offset', async () => {
  const cwd = tempFolder({ 'job.ts': keyedByLine });
  writePieces(join(cwd, 'in.txt'), [
    ['first\n', 1],
    ['x', 100 * mb],
    ['\n', 1],
  ]);
  const says = /file "in\.txt" has a line longer than 64 MB, which begins at byte 6\n/;
  for (const job of [wordcount, 'job.ts']) {
    expectFailure(await run(cwd, job), { code: 'TEXT_LINE_TOO_LONG', exitCode: 1, says });
  }
});

test('a long line in too little memory says so, and how much would do', async () => {
  const cwd = tempFolder();
  writePieces(join(cwd, 'in.txt'), [['x', 60 * mb]]);
  const result = await run(cwd, wordcount, '--memory', '128MB');
  const says = /"source" asked for [\d.]+ MB[\s\S]*held by: [\s\S]*hint: .*--memory/;
  expectFailure(result, { code: 'MEMORY_EXHAUSTED', exitCode: 1, says });
});
