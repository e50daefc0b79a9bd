/** Goal: `up` and `down` as a person sees them: what they say, how they end, and what they leave. */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { downCommand } from '../../../cli/commands/down.ts';
import { upCommand } from '../../../cli/commands/up.ts';
import { main } from '../../../cli/main.ts';
import { upFileOf } from '../../../cli/up/up-file.ts';
import { type FakeChildren, fakeChildren } from '../../support/fake-children.ts';
import { type FakeCliEnv, type FakeCliOptions, fakeCliEnv } from '../../support/fake-cli-env.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { rejectionOf } from '../../support/typed-error-of.ts';

interface Up {
  readonly env: FakeCliEnv;
  readonly children: FakeChildren;
  readonly data: string;
  readonly ended: Promise<number>;
}

async function starting(args: readonly string[], options: FakeCliOptions = {}): Promise<Up> {
  const workingFolder = options.workingFolder ?? tempFolder();
  const env = fakeCliEnv({ cores: 2, ...options, workingFolder });
  const children = fakeChildren();
  const ended = upCommand(env, args, children.start);
  ended.catch(() => undefined); // Whoever expects it to fail looks at it later.
  await expect.poll(() => children.all.length, { interval: 5 }).toBe(3);
  return { env, children, data: join(workingFolder, 'millrace-data'), ended };
}

async function ready(args: readonly string[] = [], options: FakeCliOptions = {}): Promise<Up> {
  const up = await starting(args, options);
  up.env.advance(1_234);
  const address = args.includes('--listen') ? args[args.indexOf('--listen') + 1] : '127.0.0.1:7070';
  up.children.named('coordinator').beReady({ address });
  for (const child of up.children.all) child.beReady();
  const said = () => up.env.stderr.text + up.env.stdout.text;
  await expect.poll(said, { interval: 5 }).not.toBe('');
  return up;
}

test('it says when it is ready, where, and what to do; Ctrl-C ends all of it', async () => {
  const { env, children, data, ended } = await ready();
  const pids = children.all.map(({ name, pid }) => `${name} ${pid}`).join(', ');
  expect(env.stderr.text).toBe(
    'ready in 1.2 s: 127.0.0.1:7070, 2 workers with 1 slot each\n' +
      `  processes: ${pids}; what they say is in millrace-data/logs\n` +
      '  now: millrace submit job.ts --cluster 127.0.0.1:7070 …   millrace list --cluster 127.0.0.1:7070\n' +
      '  end: Ctrl-C, or millrace down\n',
  );
  const state = JSON.parse(readFileSync(upFileOf(data), 'utf8'));
  expect(state).toMatchObject({ pid: process.pid, address: '127.0.0.1:7070' });
  expect(state.processes.map(({ pid }: { pid: number }) => pid)).toEqual(
    children.all.map(({ pid }) => pid),
  );
  env.signal('SIGINT');
  expect(await ended).toBe(0);
  expect(children.all.map(({ signals }) => signals)).toEqual(Array(3).fill(['SIGTERM']));
  expect(env.stderr.text).toMatch(/the cluster is ending\n$/);
  expect(existsSync(upFileOf(data))).toBe(false);
  expect([env.signalListenerCount(), env.timerCount()]).toEqual([0, 0]);
});

test('as JSON: one object when it is ready', async () => {
  const { env, data, ended } = await ready(['--json']);
  expect(JSON.parse(env.stdout.text)).toMatchObject({
    ...{ status: 'up', address: '127.0.0.1:7070', workers: 2, slots: 1, data, seconds: 1.234 },
  });
  env.signal('SIGTERM');
  expect(await ended).toBe(0);
});

test('a child that ends is noted', async () => {
  const { env, children, data, ended } = await ready();
  children.named('worker-1').end({ signal: 'SIGKILL' });
  const names = () => JSON.parse(readFileSync(upFileOf(data), 'utf8')).processes.length;
  await expect.poll(names, { interval: 5 }).toBe(2);
  env.advance(500);
  expect(names()).toBe(3);
  env.signal('SIGINT');
  await ended;
});

test('a child comes back also where that can not be noted', async () => {
  const { env, children, data, ended } = await ready();
  rmSync(data, { recursive: true });
  children.named('worker-1').end({ signal: 'SIGKILL' });
  const said = () => env.stderr.text;
  await expect.poll(said, { interval: 5 }).toContain('could not be noted: path "');
  env.advance(500);
  expect(children.all.filter(({ isRunning }) => isRunning)).toHaveLength(3);
  env.signal('SIGINT');
  expect(await ended).toBe(0);
});

test('a Ctrl-C before it is ready ends it all the same', async () => {
  const { env, children, data, ended } = await starting([]);
  env.signal('SIGINT');
  expect(await ended).toBe(0);
  expect(children.all.filter(({ isRunning }) => isRunning)).toEqual([]);
  expect(existsSync(upFileOf(data))).toBe(false);
});

test('a start that fails leaves nothing', async () => {
  const { env, children, data, ended } = await starting([]);
  children.named('coordinator').end({ exitCode: 2, lastWords: 'error[X_Y]: no port\n' });
  expect((await rejectionOf(ended)).info).toMatchObject({
    code: 'CLUSTER_START_FAILED',
    hint: `What it said is in ${data}/logs/coordinator.log.`,
  });
  expect(children.all.filter(({ isRunning }) => isRunning)).toEqual([]);
  expect([existsSync(upFileOf(data)), env.timerCount(), env.signalListenerCount()]).toEqual([
    ...[false, 0, 0],
  ]);
});

test('a second one in the same folder is refused, and changes nothing', async () => {
  const { env, ended } = await ready();
  const other = fakeCliEnv({ workingFolder: env.workingFolder });
  expect(await main(['up'], other)).toBe(2);
  expect(other.stderr.text).toContain(
    `error[CLUSTER_IS_UP]: the cluster of "millrace-data" is up at 127.0.0.1:7070, process ${process.pid}`,
  );
  expect(existsSync(upFileOf(join(env.workingFolder, 'millrace-data')))).toBe(true);
  env.signal('SIGINT');
  await ended;
});

test('with --tls, or off this host, it makes an authority; clients are told of it', async () => {
  const { env, children, data, ended } = await ready(['--tls']);
  expect(children.named('worker-2').args).toContain(`${data}/tls/worker.key`);
  expect(env.stderr.text).toContain(`export MILLRACE_CONFIG=${data}/tls/client.json\n`);
  const client = JSON.parse(readFileSync(`${data}/tls/client.json`, 'utf8'));
  expect(client).toEqual({
    cluster: '127.0.0.1:7070',
    tls: {
      authority: `${data}/tls/authority.pem`,
      certificate: `${data}/tls/client.pem`,
      key: `${data}/tls/client.key`,
    },
  });
  env.signal('SIGINT');
  await ended;
  const remote = await ready(['--listen', '10.1.2.3:7070']);
  expect(remote.children.named('coordinator').args).toContain('--tls-key');
  expect(statSync(`${remote.data}/tls/worker.key`).mode & 0o777).toBe(0o600);
  remote.env.signal('SIGINT');
  await remote.ended;
});

test('certificates of the configuration are used instead of an authority', async () => {
  const workingFolder = tempFolder({
    'millrace.config.json': JSON.stringify({
      tls: { authority: 'a.pem', certificate: 'b.pem', key: 'b.key' },
    }),
  });
  const { env, children, data, ended } = await ready(['--tls'], { workingFolder });
  expect(children.named('coordinator').args).not.toContain('--tls-key'); // It reads the same file.
  expect(existsSync(`${data}/tls`)).toBe(false);
  env.signal('SIGINT');
  await ended;
});

test('a client of it that calls up again has the same authority, not its own certificate', async () => {
  const first = await ready(['--tls']);
  first.env.signal('SIGINT');
  await first.ended;
  const variables = { MILLRACE_CONFIG: `${first.data}/tls/client.json` };
  const { workingFolder } = first.env;
  const second = await ready([], { workingFolder, variables });
  expect(second.children.named('coordinator').args).toContain(`${first.data}/tls/coordinator.key`);
  second.env.signal('SIGINT');
  await second.ended;
});

test.each`
  args                    | code                       | says
  ${['--workers', '0']}   | ${'FLAG_VALUE'}            | ${'--workers: "0" is not a whole number from 1 to 64'}
  ${['--slots', '200']}   | ${'FLAG_VALUE'}            | ${'--slots: "200" is not a whole number from 1 to 128'}
  ${['--listen', '7070']} | ${'FLAG_VALUE'}            | ${'--listen: "7070" is not an address'}
  ${['now']}              | ${'ARGUMENT_NOT_EXPECTED'} | ${'"now" was not expected'}
`('up $args is refused before anything is made: $says', async ({ args, code, says }) => {
  const env = fakeCliEnv({ workingFolder: tempFolder() });
  expect(await main(['up', ...args], env)).toBe(2);
  expect(env.stderr.text).toContain(`error[${code}]: ${says}`);
  expect(existsSync(join(env.workingFolder, 'millrace-data'))).toBe(false);
});

test('down where nothing is up has nothing to do', async () => {
  const env = fakeCliEnv({ workingFolder: tempFolder() });
  expect(await downCommand(env, [])).toBe(0);
  expect(env.stderr.text).toBe('no cluster is up in millrace-data\n');
  expect(await downCommand(env, ['--json', '--data', 'other'])).toBe(0);
  expect(JSON.parse(env.stdout.text)).toEqual({
    ...{ status: 'notUp', data: join(env.workingFolder, 'other') },
  });
});

test('down of a cluster that was killed clears up', async () => {
  const data = tempFolder();
  const env = { ...fakeCliEnv({ workingFolder: data }) };
  const gone = { ...env, process: { ...env.process, hasEnded: () => true } };
  writeFileSync(upFileOf(data), JSON.stringify({ identity: 'fake_1_1', pid: 1, processes: [] }));
  expect(await downCommand(gone, ['--data', '.'])).toBe(0);
  expect(env.stderr.text).toMatch(/ is down, after 0 ms\n$/);
  expect(existsSync(upFileOf(data))).toBe(false);
});
