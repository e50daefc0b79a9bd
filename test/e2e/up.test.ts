/** Goal: `millrace up` and `millrace down` with real processes: what dies comes back, what is ended leaves nothing, with TLS as without. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createRealProcess } from '../../base/env/real-process.ts';
import type { UpState } from '../../cli/up/up-file.ts';
import { expectFailure, runCli, startCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const { hasEnded } = createRealProcess();
const anyPort = ['--listen', '127.0.0.1:0', '--slots', '1'];

const stateIn = (cwd: string): UpState =>
  JSON.parse(readFileSync(`${cwd}/millrace-data/up.json`, 'utf8'));
const logOf = (cwd: string, name: string) =>
  readFileSync(`${cwd}/millrace-data/logs/${name}.log`, 'utf8');

/** Of a test that fails half way. */
function downAtEnd(cwd: string): void {
  onTestFinished(async () => {
    await runCli(['down'], { cwd });
  });
}

test('a worker that is killed comes back; Ctrl-C ends all', async () => {
  const cwd = tempFolder();
  downAtEnd(cwd);
  const up = startCli(['up', '--workers', '2', ...anyPort], { cwd });
  await up.hasSaid(/ready in .*: 127\.0\.0\.1:\d+, 2 workers with 1 slot each\n/);
  const { address, processes } = stateIn(cwd);
  const cluster = ['--cluster', address ?? ''];
  const worker = processes.find(({ name }) => name === 'worker-2');
  process.kill(worker?.pid ?? 0, 'SIGKILL');
  await up.hasSaid('worker-2 was ended by SIGKILL; it is started again in 500 ms\n');
  await up.hasSaid(/worker-2 is there again, process \d+\n/);
  const { exitCode, stdout } = await runCli(['workers', '--json', ...cluster], { cwd });
  expect(exitCode).toBe(0);
  const names = JSON.parse(stdout).workers.map((one: { workerId: string }) => one.workerId);
  expect(names.sort()).toEqual(['worker-1', 'worker-2']);
  const there = stateIn(cwd).processes;
  up.kill('SIGINT', 'group');
  expect((await up.ended).exitCode).toBe(0);
  expect(there.filter(({ identity }) => !hasEnded(identity))).toEqual([]);
  // Workers said goodbye: nobody had to be killed.
  expect(logOf(cwd, 'worker-1')).toMatch(/stopping\n$/);
});

test('processes of an up that was killed end by themselves; down clears up', async () => {
  const cwd = tempFolder();
  downAtEnd(cwd);
  const up = startCli(['up', '--workers', '1', ...anyPort], { cwd });
  await up.hasSaid('ready in ');
  const { processes } = stateIn(cwd);
  up.kill('SIGKILL');
  await up.ended;
  const { exitCode, stderr } = await runCli(['down'], { cwd });
  expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^the cluster of .* is down/)]);
  expect(processes.filter(({ identity }) => !hasEnded(identity))).toEqual([]);
  expect(await runCli(['down'], { cwd })).toMatchObject({
    ...{ exitCode: 0, stderr: 'no cluster is up in millrace-data\n' },
  });
});

test('with --detach and --tls only who has a certificate is let in', async () => {
  const cwd = tempFolder();
  downAtEnd(cwd);
  const start = ['up', '--detach', '--tls', '--workers', '1', ...anyPort, '--json'];
  const up = await runCli(start, { cwd });
  expect([up.exitCode, up.stderr]).toEqual([0, '']);
  const { address, workers, data } = JSON.parse(up.stdout);
  expect(workers).toBe(1);
  const env = { MILLRACE_CONFIG: `${data}/tls/client.json` };
  const listed = await runCli(['list', '--json'], { cwd, env });
  expect([listed.exitCode, listed.stdout]).toEqual([0, '{"jobs":[]}\n']);
  const plain = await runCli(['list', '--cluster', address], { cwd });
  const says = /hint: A cluster with TLS needs tls\.authority/;
  expectFailure(plain, { code: 'CLUSTER_NOT_REACHABLE', exitCode: 3, says });
  const { exitCode, stdout } = await runCli(['down', '--json'], { cwd });
  expect([exitCode, JSON.parse(stdout).status]).toEqual([0, 'down']);
});

test('a port in use is said, and nothing is left', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  const cwd = tempFolder();
  const result = await runCli(['up', '--listen', `127.0.0.1:${port}`], { cwd });
  const says =
    /coordinator ended with exit code 2 while the cluster was starting: address .* is in use/;
  expectFailure(result, { code: 'CLUSTER_START_FAILED', exitCode: 2, says });
  expect((await runCli(['down'], { cwd })).stderr).toBe('no cluster is up in millrace-data\n');
});
