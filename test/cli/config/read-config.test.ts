/** Goal: each key comes from the right place, and what is wrong is said with its place and the nearest name. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TypedError } from '../../../base/typed-error.ts';
import { configKeyNames, configKeys, variableOf } from '../../../cli/config/config-keys.ts';
import { readConfig } from '../../../cli/config/read-config.ts';
import { main } from '../../../cli/main.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const gigabyte = 1024 ** 3;

interface Given {
  readonly file?: string | object;
  readonly variables?: Readonly<Record<string, string>>;
  readonly flags?: Readonly<Record<string, string>>;
  readonly role?: 'coordinator' | 'worker' | 'client' | 'all';
}

/** In a working folder of its own. */
function surroundings({ file, variables = {} }: Given) {
  const text = typeof file === 'string' ? file : JSON.stringify(file, null, 2);
  const workingFolder = tempFolder(file === undefined ? {} : { 'millrace.config.json': text });
  return fakeCliEnv({ workingFolder, variables, cores: 4 });
}

async function read(given: Given) {
  const { role = 'all', flags = {} } = given;
  return await readConfig(surroundings(given), { role, flags });
}

async function issue(given: Given) {
  const error = await read(given).catch((thrown: unknown) => thrown);
  if (!(error instanceof TypedError)) throw error;
  const { code, hint = '', details = {} } = error.info;
  return { code, message: error.message, hint, line: details.line, column: details.column };
}

test('without anything there are defaults', async () => {
  const env = surroundings({});
  const { settings, ...config } = await readConfig(env, { role: 'all', flags: {} });
  const data = join(env.workingFolder, 'millrace-data');
  expect(config).toEqual({
    coordinator: {
      listen: '127.0.0.1:7070',
      data: `${data}/coordinator`,
      name: null,
      metadata: 'file',
      etcd: [],
    },
    worker: {
      coordinator: ['127.0.0.1:7070'],
      listen: '127.0.0.1:0',
      data: `${data}/worker`,
      name: null,
      slots: 4,
      memoryBytes: 8 * gigabyte,
    },
    cluster: null,
    tls: null,
  });
  expect(settings.map(({ key }) => key)).toEqual(configKeyNames);
  expect(new Set(settings.map(({ origin }) => origin))).toEqual(new Set(['default']));
});

describe('flags come before variables, variables before the file, the file before defaults', () => {
  const file = { worker: { slots: 5 } };
  const variables = { MILLRACE_WORKER_SLOTS: '6' };
  const flags = { slots: '7' };
  test.each`
    given                                                               | slots | origin
    ${{}}                                                               | ${4}  | ${'default'}
    ${{ file }}                                                         | ${5}  | ${'millrace.config.json:3'}
    ${{ variables }}                                                    | ${6}  | ${'MILLRACE_WORKER_SLOTS'}
    ${{ flags }}                                                        | ${7}  | ${'--slots'}
    ${{ file, variables }}                                              | ${6}  | ${'MILLRACE_WORKER_SLOTS'}
    ${{ file, flags }}                                                  | ${7}  | ${'--slots'}
    ${{ variables, flags }}                                             | ${7}  | ${'--slots'}
    ${{ file, variables, flags }}                                       | ${7}  | ${'--slots'}
    ${{ variables: { ...variables, MILLRACE_WORKER_SLOTS: '' }, file }} | ${5}  | ${'millrace.config.json:3'}
  `('$given', async ({ given, slots, origin }) => {
    const config = await read({ role: 'worker', ...given });
    expect(config.worker.slots).toBe(slots);
    expect(config.settings.find(({ key }) => key === 'worker.slots')?.origin).toBe(origin);
  });
});

test('every key may be written in each of the three places', async () => {
  const names = configKeyNames.filter((key) => key !== 'coordinator.metadata');
  const file: Record<string, unknown> = {};
  for (const key of names) {
    const [section = '', last] = key.split('.');
    const { example } = configKeys[key];
    file[section] =
      last === undefined ? example : { ...(file[section] as object), [last]: example };
  }
  const variables = Object.fromEntries(
    names.map((key) => [variableOf(key), configKeys[key].example]),
  );
  const flags = Object.fromEntries(
    names.map((key) => [
      key.replace(/\.(.)/, (_, letter: string) => letter.toUpperCase()),
      configKeys[key].example,
    ]),
  );
  const values = async (given: Given) => {
    const { settings } = await read(given);
    return settings.map(({ key, value }) => [
      key,
      Array.isArray(value) ? value : String(value).split('/').at(-1),
    ]);
  };
  const expected = await values({ file });
  expect(await values({ variables })).toEqual(expected);
  expect(await values({ flags })).toEqual(expected);
  expect(expected.filter(([, value]) => value === 'null')).toEqual([]);
});

test('numbers and lists may be what JSON has for them, sizes are as everywhere', async () => {
  const worker = { slots: 2, memory: 512 * 1024 ** 2, coordinator: ['a:1', 'b:2'] };
  const config = await read({ file: { worker } });
  expect(config.worker).toMatchObject({
    slots: 2,
    memoryBytes: gigabyte / 2,
    coordinator: ['a:1', 'b:2'],
  });
  const flags = { slots: '2', memory: '1.5 GB', coordinator: 'a:1, b:2' };
  const { worker: given } = await read({ role: 'worker', flags });
  expect(given).toMatchObject({ memoryBytes: 1.5 * gigabyte, coordinator: ['a:1', 'b:2'] });
});

test('paths are seen from the file they are written in, or from the working folder', async () => {
  const env = surroundings({ variables: { MILLRACE_TLS_KEY: 'own.key' } });
  const etc = join(env.workingFolder, 'etc');
  mkdirSync(etc);
  const tls = { authority: 'authority.pem', certificate: '../worker.pem' };
  writeFileSync(join(etc, 'cluster.json'), JSON.stringify({ tls }));
  const config = await readConfig(env, { role: 'client', flags: { config: 'etc/cluster.json' } });
  expect(config.tls).toEqual({
    authority: join(etc, 'authority.pem'),
    certificate: join(env.workingFolder, 'worker.pem'),
    key: join(env.workingFolder, 'own.key'),
  });
});

test('etcd follows from its addresses, and needs them', async () => {
  const flags = { etcd: 'http://127.0.0.1:2379' };
  const { coordinator } = await read({ role: 'coordinator', flags });
  expect(coordinator).toMatchObject({ metadata: 'etcd', etcd: ['http://127.0.0.1:2379'] });
  const variables = { MILLRACE_COORDINATOR_METADATA: 'etcd' };
  expect((await issue({ variables })).code).toBe('CONFIG_INCOMPLETE');
});

test.each`
  file                                           | code                      | says                                                                                               | hint
  ${'{\n  "wroker": {}\n}'}                      | ${'CONFIG_KEY_NOT_FOUND'} | ${'there is no key "wroker" (millrace.config.json:2)'}                                             | ${'Did you mean "worker"? '}
  ${'{"worker":\n {"slot": 1}}'}                 | ${'CONFIG_KEY_NOT_FOUND'} | ${'there is no key "worker.slot" (millrace.config.json:2)'}                                        | ${'Did you mean "worker.slots"? The keys of "worker" are slots, '}
  ${'{"coordinator": {"slots": 1}}'}             | ${'CONFIG_KEY_NOT_FOUND'} | ${'there is no key "coordinator.slots" (millrace.config.json:1)'}                                  | ${'Did you mean "worker.slots"? '}
  ${'{"__proto__": {}}'}                         | ${'CONFIG_KEY_NOT_FOUND'} | ${'there is no key "__proto__" (millrace.config.json:1)'}                                          | ${'The keys there are '}
  ${'{"worker":\n {"slots": "two"}}'}            | ${'CONFIG_VALUE'}         | ${'worker.slots: "two" is not a whole number from 1 to 128 (millrace.config.json:2)'}              | ${'Write "slots": "4", for example.'}
  ${'{"worker": {"slots": 0}}'}                  | ${'CONFIG_VALUE'}         | ${'worker.slots: 0 is not a whole number'}                                                         | ${''}
  ${'{"worker": {"slots": 1.5}}'}                | ${'CONFIG_VALUE'}         | ${'worker.slots: 1.5 is not a whole number'}                                                       | ${''}
  ${'{"worker": {"slots": null}}'}               | ${'CONFIG_VALUE'}         | ${'worker.slots: null is not a whole number'}                                                      | ${''}
  ${'{"worker": {"memory": "much"}}'}            | ${'CONFIG_VALUE'}         | ${'worker.memory: "much" is not a size such as 4GB'}                                               | ${''}
  ${'{"worker": {"listen": 7070}}'}              | ${'CONFIG_VALUE'}         | ${'worker.listen: 7070 is not an address such as'}                                                 | ${''}
  ${'{"worker": {"listen": "0.0.0.0:1"}}'}       | ${'CONFIG_VALUE'}         | ${'worker.listen: "0.0.0.0:1" is not an address such as 127.0.0.1:7070, at which others reach it'} | ${''}
  ${'{"worker": {"listen": "7070"}}'}            | ${'CONFIG_VALUE'}         | ${'worker.listen: "7070" is not an address such as'}                                               | ${''}
  ${'{"worker": {"name": "a b"}}'}               | ${'CONFIG_VALUE'}         | ${'worker.name: "a b" is not letters'}                                                             | ${''}
  ${'{"coordinator": {"metadata": "disk"}}'}     | ${'CONFIG_VALUE'}         | ${'coordinator.metadata: "disk" is not file or etcd'}                                              | ${''}
  ${'{"coordinator": {"etcd": "a:1"}}'}          | ${'CONFIG_VALUE'}         | ${'coordinator.etcd: "a:1" is not an address such as http://'}                                     | ${''}
  ${'{"cluster": []}'}                           | ${'CONFIG_VALUE'}         | ${'cluster: [] is not an address'}                                                                 | ${''}
  ${'{"cluster": ["a:1", "b"]}'}                 | ${'CONFIG_VALUE'}         | ${'is not an address such as 127.0.0.1:7070, or several'}                                          | ${''}
  ${'{"tls": "here"}'}                           | ${'CONFIG_VALUE'}         | ${'"tls" is not an object with keys (millrace.config.json:1)'}                                     | ${''}
  ${'[]'}                                        | ${'CONFIG_VALUE'}         | ${'the configuration is not an object with keys'}                                                  | ${''}
  ${'{"cluster": "a:1",}'}                       | ${'CONFIG_FILE'}          | ${'"millrace.config.json", line 1 is not JSON: '}                                                  | ${'JSON has '}
  ${''}                                          | ${'CONFIG_FILE'}          | ${'"millrace.config.json" is not JSON: unexpected end'}                                            | ${''}
  ${'{"cluster": "a:1",\n "cluster": "b:1"}'}    | ${'CONFIG_FILE'}          | ${'key "cluster" is in "millrace.config.json" twice'}                                              | ${'Remove'}
  ${'{"tls": {"key": "a"}}'}                     | ${'CONFIG_INCOMPLETE'}    | ${'tls needs "authority" and "certificate", too'}                                                  | ${''}
  ${'{"worker": {"slots": 9, "memory": "1MB"}}'} | ${'CONFIG_VALUE'}         | ${'worker.memory (millrace.config.json:1) is too little for 9 slots'}                              | ${'The size is for all slots together, at least 32MB each: give 288MB'}
`('$file is refused: $says', async ({ file, code, says, hint }) => {
  const found = await issue({ file });
  expect(found.code).toBe(code);
  expect(found.message).toContain(says);
  expect(found.hint).toContain(hint);
});

test('the place of a mistake in the file is its line and column', async () => {
  const file = '{\n  "worker": {\n    "slotz": 2\n  }\n}';
  expect(await issue({ file })).toMatchObject({ line: 3, column: 5 });
  expect(await issue({ file: '{\n  "a"\n}' })).toMatchObject({ line: 3, column: 1 });
});

test.each`
  variable                            | value    | says
  ${'MILLRACE_WORKER_SLOTS'}          | ${'x'}   | ${'MILLRACE_WORKER_SLOTS: "x" is not a whole number from 1 to 128'}
  ${'MILLRACE_WORKER_SLOT'}           | ${'1'}   | ${'there is no variable MILLRACE_WORKER_SLOT'}
  ${'MILLRACE_CLUSTERS'}              | ${'a:1'} | ${'there is no variable MILLRACE_CLUSTERS'}
  ${'MILLRACE_DEBUG'}                 | ${'1'}   | ${null}
  ${'MILLRACE_SOMETHING_ELSE'}        | ${'1'}   | ${null}
  ${'MILLRACE_COORDINATOR_PORT'}      | ${'tcp'} | ${null}
  ${'MILLRACE_COORDINATOR_PORT_7070'} | ${'tcp'} | ${null}
`('$variable=$value: $says', async ({ variable, value, says }) => {
  const given = { variables: { [variable]: value } };
  if (says === null) await read(given);
  else expect((await issue(given)).message).toBe(says);
});

test('a mistake in one layer is told although another has a better value', async () => {
  const given = {
    file: { worker: { slots: 'x' } },
    flags: { slots: '2' },
    role: 'worker',
  } as const;
  expect((await issue(given)).code).toBe('CONFIG_VALUE');
});

test('a wrong flag is a wrong flag', async () => {
  const found = await issue({ role: 'worker', flags: { slots: '0' } });
  expect(found).toMatchObject({ code: 'FLAG_VALUE', hint: 'Write --slots 4, for example.' });
});

test('a file that was named has to be there', async () => {
  const flags = { config: 'nowhere.json' };
  expect(await issue({ flags })).toMatchObject({
    code: 'CONFIG_FILE',
    message: '"nowhere.json" can not be read: ENOENT',
  });
  expect((await issue({ variables: { MILLRACE_CONFIG: '.' } })).message).toContain('EISDIR');
});

describe('millrace config', () => {
  const file = { coordinator: { etcd: 'http://root:secret@127.0.0.1:2379' } };

  test('prints each key with its value and origin', async () => {
    const env = surroundings({ file, variables: { MILLRACE_CLUSTER: 'a:1,b:2' } });
    expect(await main(['config', '--worker-slots', '2'], env)).toBe(0);
    const lines = env.stdout.text
      .split('\n')
      .map((line) => line.split('│').map((cell) => cell.trim()));
    const row = (key: string) => lines.find((cells) => cells[1] === key)?.slice(2, 4);
    expect(row('cluster')).toEqual(['a:1, b:2', 'MILLRACE_CLUSTER']);
    expect(row('worker.slots')).toEqual(['2', '--worker-slots']);
    expect(row('worker.memory')).toEqual(['4.0 GB', 'default']);
    expect(row('coordinator.etcd')).toEqual([
      'http://***@127.0.0.1:2379',
      'millrace.config.json:3',
    ]);
    expect(row('tls.key')).toEqual(['-', 'default']);
  });

  test('as JSON: one object, without secrets', async () => {
    const env = surroundings({ file });
    expect(await main(['config', '--json'], env)).toBe(0);
    const { settings } = JSON.parse(env.stdout.text);
    expect(Object.keys(settings)).toEqual(configKeyNames);
    expect(settings['coordinator.metadata']).toEqual({ value: 'etcd', origin: 'default' });
    expect(env.stdout.text).not.toContain('secret');
  });

  test('a mistake is exit code 2, with the line it is on', async () => {
    const env = surroundings({ file: '{\n  "claster": "a:1"\n}' });
    expect(await main(['config'], env)).toBe(2);
    expect(env.stderr.text).toContain('error[CONFIG_KEY_NOT_FOUND]: there is no key "claster"');
    expect(env.stderr.text).toContain('  2 │   "claster": "a:1"\n    │   ^');
  });
});
