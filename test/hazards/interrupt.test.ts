/**
 * Hazard: a job is interrupted: by Ctrl-C, over the launcher of another Node or not, in the middle of a
 * user function that never returns, or because its launcher was killed. It ends soon, with 130, and
 * leaves neither processes nor temporary files, and older output as it was.
 */
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { type CliProcess, projectFolder, startCli } from '../support/cli-process.ts';
import { jobText } from '../support/job-text.ts';
import { isAlive } from '../support/launcher.ts';
import { contentsOf, tempFolder } from '../support/temp-folder.ts';

/** Says which process runs it, then takes its time for each row, or never returns. */
const slow = (body: string) =>
  jobText('.flatMap(t.struct({ line: t.utf8() }), (row) => [{ line: work(row.text) }])', {
    before: `import { writeFileSync } from 'node:fs';
let isFirst = true;
function work(line: string): string {
  if (isFirst) writeFileSync('running', String(process.pid));
  isFirst = false;
  ${body}
  return line.repeat(500);
}`,
  });
const spinning = slow('for (const end = performance.now() + 0.1; performance.now() < end; );');
const endless = slow('for (;;);');
/** The launcher's way, as on Node 20: a parent that starts the command on Node 24. */
const overLauncher = `import { runOnNode24 } from ${JSON.stringify(
  pathToFileURL(join(projectFolder, 'cli/node-24.mjs')).href,
)};
await runOnNode24([${JSON.stringify(join(projectFolder, 'cli/millrace.mjs'))}, ...process.argv.slice(2)]);
`;

interface Running {
  readonly cwd: string;
  readonly cli: CliProcess;
  /** The process that runs the job: the command itself, or the launcher's child. */
  readonly jobProcessId: number;
}

/** Starts the job and waits until a user function of it runs. */
async function start(job: string, isLaunched: boolean): Promise<Running> {
  const cwd = tempFolder({
    'job.ts': job,
    'in.txt': 'line\n'.repeat(500_000),
    'o.csv': 'older',
    'over.mjs': overLauncher,
  });
  const args = ['run', 'job.ts', '--input', 'in.txt', '--output', 'o.csv', '--parallelism', '2'];
  const script = isLaunched ? { script: join(cwd, 'over.mjs') } : {};
  const cli = startCli(args, { cwd, ...script });
  const marker = join(cwd, 'running');
  const processId = () => (existsSync(marker) ? Number(readFileSync(marker, 'utf8')) : 0);
  await expect.poll(processId, { timeout: 30_000 }).toBeGreaterThan(0);
  expect(processId() === cli.id).toBe(!isLaunched);
  return { cwd, cli, jobProcessId: processId() };
}

function leftClean(cwd: string): void {
  expect(Object.keys(contentsOf(cwd))).toEqual([
    'in.txt',
    'job.ts',
    'o.csv',
    'over.mjs',
    'running',
  ]);
  expect(readFileSync(join(cwd, 'o.csv'), 'utf8')).toBe('older');
}

/** A generous limit: it finds what hangs, and not a machine that other work slows down. */
async function endsWithin(secondsMax: number, { cli, jobProcessId }: Running, send: () => void) {
  const sentAtMs = performance.now();
  send();
  const result = await cli.ended;
  expect((performance.now() - sentAtMs) / 1000).toBeLessThan(secondsMax);
  await expect.poll(() => isAlive(jobProcessId)).toBe(false);
  return result;
}

/** Waits until rows have come to the sink, so that there is a temporary file to be removed. */
async function startWriting(isLaunched: boolean): Promise<Running> {
  const running = await start(spinning, isLaunched);
  await expect.poll(() => temporaryFiles(running.cwd), { timeout: 30_000 }).toHaveLength(1);
  return running;
}

function temporaryFiles(cwd: string): string[] {
  return readdirSync(cwd).filter((name) => name.endsWith('.tmp'));
}

test.each`
  signal       | to           | isLaunched
  ${'SIGINT'}  | ${'process'} | ${false}
  ${'SIGINT'}  | ${'group'}   | ${true}
  ${'SIGINT'}  | ${'process'} | ${true}
  ${'SIGTERM'} | ${'process'} | ${true}
`('$signal to the $to, launcher $isLaunched: clean, 130', async ({ signal, to, isLaunched }) => {
  const running = await startWriting(isLaunched);
  const send = () => running.cli.kill(signal, to);
  const { exitCode, stdout, stderr } = await endsWithin(20, running, send);
  expect([exitCode, stdout]).toEqual([130, '']);
  expect(stderr.match(/cancelling …/g)).toHaveLength(1);
  expect(stderr).toMatch(/job "mine" interrupted after .*: nothing was written/);
  expect(stderr).not.toContain('error[');
  leftClean(running.cwd);
});

test('an interrupt in the middle of an endless user function ends it all the same', async () => {
  const running = await start(endless, false);
  const { exitCode, stderr } = await endsWithin(30, running, () => running.cli.kill('SIGINT'));
  expect(exitCode).toBe(130);
  expect(stderr).toContain('interrupted after');
  leftClean(running.cwd);
});

test('a second Ctrl-C ends an endless user function at once', async () => {
  const running = await start(endless, false);
  const { cli } = running;
  cli.kill('SIGINT');
  await cli.hasSaid('cancelling');
  // Sooner ones count as the same key press.
  const again = setInterval(() => cli.kill('SIGINT'), 400);
  const result = await endsWithin(20, running, () => undefined).finally(() => clearInterval(again));
  expect(result.exitCode).toBe(130);
});

test('a launcher that is killed takes the job with it', async () => {
  const running = await startWriting(true);
  const { signal } = await endsWithin(6, running, () => running.cli.kill('SIGKILL'));
  expect(signal).toBe('SIGKILL');
  leftClean(running.cwd);
});

test('what a killed job has left is removed by a run a day later', async () => {
  const { cwd, cli } = await startWriting(false);
  cli.kill('SIGKILL');
  await cli.ended;
  const [left = ''] = temporaryFiles(cwd);
  const yesterday = Date.now() / 1000 - 25 * 3600;
  utimesSync(join(cwd, left), yesterday, yesterday);
  const wordcount = join(projectFolder, 'jobs/wordcount/job.ts');
  const args = ['run', wordcount, '--input', 'in.txt', '--output', 'o.csv'];
  expect((await startCli(args, { cwd }).ended).exitCode).toBe(0);
  expect(readFileSync(join(cwd, 'o.csv'), 'utf8')).toBe('word,count\nline,500000\n');
  expect(temporaryFiles(cwd)).toEqual([]);
});
