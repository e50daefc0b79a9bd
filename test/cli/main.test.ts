/** Goal: the command line finds its command; whatever goes wrong becomes a message and an exit code. */
import { expect, test } from 'vitest';
import { main } from '../../cli/main.ts';
import { fakeCliEnv } from '../support/fake-cli-env.ts';

async function run(...argv: string[]) {
  const env = fakeCliEnv({ workingFolder: process.cwd() });
  const exitCode = await main(argv, env);
  return { exitCode, stdout: env.stdout.text, stderr: env.stderr.text };
}

test('help names every command and has examples', async () => {
  const { exitCode, stdout } = await run('--help');
  expect(exitCode).toBe(0);
  for (const text of ['run FILE', 'explain FILE', 'Examples:']) expect(stdout).toContain(text);
});

test('the version is the package’s', async () => {
  expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('a command that is not there is a usage error with the nearest one', async () => {
  const { exitCode, stderr } = await run('rnu', 'job.ts');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('run');
});

test('no command at all shows the help as a usage error', async () => {
  const { exitCode, stderr } = await run();
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Usage: millrace');
});

test('flags of the job reach the command, help included', async () => {
  const { exitCode, stdout } = await run('run', 'jobs/wordcount/job.ts', '--help');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('--invalid-utf8');
});

test('a user’s mistake is one message, exit code 2, no stack', async () => {
  const { exitCode, stderr, stdout } = await run('run', 'jobs/wordcount/job.ts', '--inptu', 'x');
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(
    /^error\[FLAG_NOT_FOUND\]: there is no flag --inptu\nhint: Did you mean --input/,
  );
  expect(stderr).not.toContain('    at ');
});

test('with --json stdout is one object even then', async () => {
  const { stdout } = await run('run', 'nothing-here.ts', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    job: 'nothing-here.ts',
    status: 'failed',
    error: { code: 'JOB_FILE_NOT_FOUND', kind: 'user' },
  });
});
