/** Goal: commands that ask a cluster find it, and its certificates, in the configuration; others load none of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { clientTls, configuredClient, readTls } from '../../../cli/config/configured-client.ts';
import { main } from '../../../cli/main.ts';
import { prepareAuthority } from '../../../cli/up/private-authority.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { rejectionOf } from '../../support/typed-error-of.ts';

const tls = { authority: 'a.pem', certificate: 'b.pem', key: 'b.key' };

function surroundings(file: unknown, variables: Readonly<Record<string, string>> = {}) {
  const files = file === null ? {} : { 'millrace.config.json': JSON.stringify(file) };
  return fakeCliEnv({ workingFolder: tempFolder(files), variables });
}

test('without a file nothing changes', async () => {
  const env = surroundings(null, { MILLRACE_CLUSTER: 'a:1' });
  expect(await configuredClient(env)).toBe(env);
  expect(clientTls(env)).toBeNull();
});

test.each`
  file                           | variables                      | cluster
  ${{ cluster: 'a:1' }}          | ${{}}                          | ${'a:1'}
  ${{ cluster: ['a:1', 'b:2'] }} | ${{}}                          | ${'a:1,b:2'}
  ${{ cluster: 'a:1' }}          | ${{ MILLRACE_CLUSTER: 'b:2' }} | ${'b:2'}
  ${{ worker: { slots: 1 } }}    | ${{}}                          | ${undefined}
`('of $file and $variables the cluster is $cluster', async ({ file, variables, cluster }) => {
  const configured = await configuredClient(surroundings(file, variables));
  expect(configured.variables.MILLRACE_CLUSTER).toBe(cluster);
  expect(clientTls(configured)).toBeNull();
});

test('certificates come from the file or from variables', async () => {
  const env = surroundings({ tls });
  const within = (name: string) => join(env.workingFolder, name);
  const expected = {
    authority: within('a.pem'),
    certificate: within('b.pem'),
    key: within('b.key'),
  };
  expect(clientTls(await configuredClient(env))).toEqual(expected);
  const variables = {
    ...{ MILLRACE_TLS_AUTHORITY: '/a.pem', MILLRACE_TLS_CERTIFICATE: '/b.pem' },
    MILLRACE_TLS_KEY: '/b.key',
  };
  expect(clientTls(await configuredClient(surroundings(null, variables)))).toEqual({
    ...{ authority: '/a.pem', certificate: '/b.pem', key: '/b.key' },
  });
  const half = configuredClient(surroundings(null, { MILLRACE_TLS_KEY: '/b.key' }));
  expect((await rejectionOf(half)).info.code).toBe('CONFIG_INCOMPLETE');
});

test('certificates are looked at before anything is connected', async () => {
  const env = createRealEnv();
  expect(await readTls(env, null)).toBeUndefined();
  expect((await rejectionOf(readTls(env, tls))).info.code).toBe('TLS_FILE');
  const folder = join(tempFolder(), 'tls');
  const { client } = prepareAuthority({ folder, hosts: ['localhost'], nowMs: Date.now() });
  expect((await readTls(env, client))?.key).toContain('PRIVATE KEY');
});

test('list asks the cluster of the file; a mistake in it is told', async () => {
  const env = surroundings({ cluster: '127.0.0.1:1' });
  expect(await main(['list'], env)).toBe(3);
  expect(env.stderr.text).toContain('no coordinator answers at 127.0.0.1:1');
  writeFileSync(join(env.workingFolder, 'millrace.config.json'), '{ "claster": "a:1" }');
  expect(await main(['list'], env)).toBe(2);
  expect(env.stderr.text).toContain('there is no key "claster" (millrace.config.json:1)');
});
