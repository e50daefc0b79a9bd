/**
 * Hazard: a user function ends its thread: it exits the process, or throws where nobody can catch. The
 * job fails with a message that says which, and its other threads end as well.
 */
import { expect, test } from 'vitest';
import { expectFailure, runCli } from '../support/cli-process.ts';
import { jobText } from '../support/job-text.ts';
import { contentsOf, tempFolder } from '../support/temp-folder.ts';

test.each`
  what                       | body                                                 | says
  ${'calls process.exit(0)'} | ${'process.exit(0);'}                                | ${/process\.exit\(0\) was called in it\nhint: Throw an error/}
  ${'calls process.exit(3)'} | ${'process.exit(3);'}                                | ${/process\.exit\(3\) was called in it/}
  ${'throws in a timer'}     | ${'setTimeout(() => { throw new Error("late"); });'} | ${/: late\n {4}at .*job\.ts:5:\d+\)?\nhint: .*in a timer/}
  ${'drops a promise'}       | ${'void Promise.reject(new Error("late"));'}         | ${/: late\n {4}at work \(job\.ts:5:\d+\)/}
`('a function that $what ends the job with THREAD_DIED', async ({ body, says }) => {
  const chain = '.flatMap(t.struct({ line: t.utf8() }), (row) => [{ line: work(row.text) }])';
  const before = `function work(line: string): string {
  if (line === '4000')
    ${body}
  return line;
}`;
  const lines = Array.from({ length: 50_000 }, (_, index) => `${index}\n`).join('');
  const cwd = tempFolder({ 'job.ts': jobText(chain, { before }), 'in.txt': lines });
  const args = ['run', 'job.ts', '--input', 'in.txt', '--output', 'o.csv', '--parallelism', '2'];
  const result = await runCli([...args, '--json'], { cwd });
  expectFailure(result, { code: 'THREAD_DIED', exitCode: 1, says });
  expect(Object.keys(contentsOf(cwd))).toEqual(['in.txt', 'job.ts']);
});

test('a thread that dies behind a sort on disk leaves no spill file', async () => {
  const chain = `.orderBy((row) => row.text.desc())
    .flatMap(t.struct({ line: t.utf8() }), (row) => [{ line: work(row.text) }])`;
  const before = `function work(line: string): string {
  if (line.startsWith('1')) process.exit(3);
  return line;
}`;
  const line = (_: unknown, index: number) => `${index} ${'x'.repeat(90)}\n`;
  const lines = Array.from({ length: 500_000 }, line).join('');
  const cwd = tempFolder({ 'job.ts': jobText(chain, { before }), 'in.txt': lines });
  const flags = ['--memory', '32MB', '--parallelism', '1', '--spill-dir', 'spill', '--json'];
  const args = ['run', 'job.ts', '--input', 'in.txt', '--output', 'o.csv', ...flags];
  const result = await runCli(args, { cwd });
  const says = /failed in attempt 2, the last one: .*process\.exit\(3\) was called in it/;
  expectFailure(result, { code: 'THREAD_DIED', exitCode: 1, says });
  expect(Object.keys(contentsOf(cwd))).toEqual(['in.txt', 'job.ts', 'spill/']);
});
