/**
 * Goal: `millrace worker` says what a person has to know and each of it once; a mistake in its words, an address that is taken and a
 * folder that can't be written to are one message, and nothing is left running.
 */
import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { disconnectedError } from '../../../base/rpc/rpc-error.ts';
import { typedError } from '../../../base/typed-error.ts';
import { changeTeller } from '../../../cli/commands/worker.ts';
import { main } from '../../../cli/main.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function run(...args: string[]) {
  const env = fakeCliEnv({ workingFolder: tempFolder() });
  const exitCode = await main(['worker', ...args], env);
  return { exitCode, stdout: env.stdout.text, stderr: env.stderr.text, env };
}

function teller(isJson = false) {
  const env = fakeCliEnv();
  const failures: unknown[] = [];
  const about = { workerId: 'w1', slots: 2, coordinators: ['a:1', 'b:2'], isJson };
  const tell = changeTeller(env, { ...about, fail: (error) => failures.push(error) });
  return { env, failures, tell };
}

test('it tells of each change of its life once', () => {
  const { env, failures, tell } = teller();
  const cause = new Error('ECONNREFUSED');
  const notThere = { kind: 'notJoined', error: disconnectedError('a:1', 'failed', cause) } as const;
  const joined = { kind: 'joined', coordinator: 'b:2' } as const;
  for (let times = 0; times < 3; times++) tell(notThere);
  for (let times = 0; times < 3; times++) tell({ kind: 'refused' });
  tell(joined);
  tell({ kind: 'ended', reason: 'expired' });
  tell(notThere);
  tell(joined);
  expect(env.stderr.text.split('\n')).toEqual([
    'worker w1: no coordinator at a:1, b:2: asking again (ECONNREFUSED)',
    'worker w1: a worker of that name is there, or was a moment ago: asking again',
    'worker w1: 2 slots, registered with b:2',
    'worker w1: no coordinator has answered for too long; what ran here was ended',
    'worker w1: no coordinator at a:1, b:2: asking again (ECONNREFUSED)',
    'worker w1: 2 slots, registered with b:2',
    '',
  ]);
  expect([env.stdout.text, failures]).toEqual(['', []]);
});

test('with --json its registration is an object on stdout', () => {
  const { env, tell } = teller(true);
  tell({ kind: 'joined', coordinator: 'b:2' });
  expect(JSON.parse(env.stdout.text)).toEqual({ worker: 'w1', slots: 2, coordinator: 'b:2' });
});

test('a coordinator of another version is no use to ask again', () => {
  const { env, failures, tell } = teller();
  const error = typedError('CLUSTER_VERSION', 'the cluster speaks another version');
  tell({ kind: 'notJoined', error });
  expect([failures, env.stderr.text]).toEqual([[error], '']);
});

test.each`
  args                            | code
  ${['--slots', '0']}             | ${'FLAG_VALUE'}
  ${['--slot', '2']}              | ${'FLAG_NOT_FOUND'}
  ${['--coordinator', 'nowhere']} | ${'FLAG_VALUE'}
  ${['--name', 'a/b']}            | ${'FLAG_VALUE'}
  ${['words']}                    | ${'ARGUMENT_NOT_EXPECTED'}
`('with $args it says $code, and starts nothing', async ({ args, code }) => {
  const { exitCode, stderr, env } = await run(...args);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`error[${code}]`)]);
  expect(env.signalListenerCount()).toBe(0);
});

test('its help names its flags', async () => {
  const { exitCode, stdout } = await run('--help');
  expect(exitCode).toBe(0);
  for (const flag of ['--coordinator', '--slots', '--memory', '--data', '--listen', '--name']) {
    expect(stdout).toContain(flag);
  }
});

test('an address that is taken is one message', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const taken = server.address();
  const port = typeof taken === 'object' ? taken?.port : 0;
  const { exitCode, stderr, env } = await run('--listen', `127.0.0.1:${port}`);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('error[NET_ADDRESS_IN_USE]')]);
  expect(env.signalListenerCount()).toBe(0);
});

test('a folder that is none, or that this user can not write to, is named', async () => {
  const folder = tempFolder({ 'file.txt': '', 'closed/x': '' });
  const inFile = await run('--data', join(folder, 'file.txt', 'data'));
  expect([inFile.exitCode, inFile.stderr]).toEqual([2, expect.stringMatching(/file\.txt/)]);
  // Whoever is root may write anywhere.
  if (process.getuid?.() === 0) return;
  chmodSync(join(folder, 'closed'), 0o500);
  const closed = await run('--data', join(folder, 'closed', 'data'));
  expect([closed.exitCode, closed.stderr]).toEqual([2, expect.stringContaining('DISK_PERMISSION')]);
});
