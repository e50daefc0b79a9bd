/** Goal: one process has a folder; a killed one leaves it to the next; nothing is signalled by its number alone. */
import { spawn } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createRealProcess, processIdentityOf } from '../../../base/env/real-process.ts';
import { createCliEnv } from '../../../cli/cli-env.ts';
import { endProcesses, signalProcess } from '../../../cli/up/processes.ts';
import {
  readUpFile,
  removeUpFile,
  takeUpFile,
  type UpState,
  upFileOf,
  writeUpFile,
} from '../../../cli/up/up-file.ts';
import { contentsOf, tempFolder } from '../../support/temp-folder.ts';

const env = { process: createRealProcess() };
const host = env.process.identity.replace(/_\d+_\d+$/, '');

function stateOf(more: Partial<UpState> = {}): UpState {
  const { identity } = env.process;
  return { identity, pid: process.pid, address: null, processes: [], ...more };
}

/** The same number as ours, but of a process before it. */
const killed = () => stateOf({ identity: `${host}_${process.pid}_1` });

test('who comes first has the folder, until it lets go', () => {
  const data = `${tempFolder()}/new/data`;
  expect(takeUpFile(env, data, stateOf())).toEqual({ isOwn: true, left: [] });
  expect(statSync(data).mode & 0o777).toBe(0o700);
  expect(statSync(upFileOf(data)).mode & 0o777).toBe(0o600);
  const up = stateOf({ address: '127.0.0.1:7070' });
  writeUpFile(data, up);
  expect(takeUpFile(env, data, stateOf({ pid: 4711 }))).toEqual({ isOwn: false, by: up });
  removeUpFile(data);
  removeUpFile(data);
  expect(contentsOf(data)).toEqual({});
  expect(takeUpFile(env, data, stateOf()).isOwn).toBe(true);
});

test('a process that was killed leaves the folder, and what it had started', () => {
  const data = tempFolder();
  const processes = [{ name: 'worker-1', pid: 4711, identity: `${host}_4711_1` }];
  writeUpFile(data, { ...killed(), processes });
  expect(takeUpFile(env, data, stateOf())).toEqual({ isOwn: true, left: processes });
  expect(readUpFile(data)).toEqual(stateOf());
});

test('what can not be read or written is said with its path', () => {
  const folder = tempFolder({ file: '' });
  expect(() => takeUpFile(env, `${folder}/file/data`, stateOf())).toThrow(
    `path "${folder}/file/data" is no folder`,
  );
  writeFileSync(upFileOf(folder), 'half a li');
  expect(() => readUpFile(folder)).toThrow(`path "${upFileOf(folder)}" could not be read`);
  expect(readUpFile(`${folder}/file`)).toBeNull();
  expect(existsSync(`${upFileOf(folder)}.${process.pid}`)).toBe(false);
});

test('another process of the same number is not signalled', () => {
  const { identity } = killed();
  signalProcess(env, { name: 'up', pid: process.pid, identity }, 'SIGKILL'); // Else this test ends here.
  const known = (one: string) => ({ name: 'up', pid: process.pid, identity: one });
  expect(() => signalProcess(env, known(`${host}_${process.pid}_0`), 'SIGKILL')).toThrow(
    'this system does not say when it began',
  );
  expect(() => signalProcess(env, known(`elsewhere_1_${process.pid}_1`), 'SIGKILL')).toThrow(
    'it was started on another host',
  );
});

test('a process that does not end in time is killed', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const closed = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  const pid = child.pid ?? 0;
  const identity = processIdentityOf(pid);
  await endProcesses(createCliEnv(), [{ name: 'worker-1', pid, identity }], 50);
  expect(await closed).toBe('SIGKILL');
});
