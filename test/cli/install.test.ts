/** Goal: an install that is not what the lock file says is noticed, and one that is costs nothing. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { ensureInstalled, mismatchOf } from '../../cli/install.mjs';
import { tempFolder } from '../support/temp-folder.ts';

const root = resolve(import.meta.dirname, '../..');
const lock = {
  '': { version: '1.0.0' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/b': { version: '2.0.0', integrity: 'sha512-b', optional: true },
};
const a = lock['node_modules/a'];
const b = lock['node_modules/b'];

test.each`
  installed                                                      | folders       | mismatch
  ${{ 'node_modules/a': a, 'node_modules/b': b }}                | ${['a', 'b']} | ${null}
  ${{ 'node_modules/a': a }}                                     | ${['a']}      | ${null}
  ${{ 'node_modules/b': b }}                                     | ${['b']}      | ${'node_modules/a'}
  ${{ 'node_modules/a': { ...a, version: '1.0.1' } }}            | ${['a']}      | ${'node_modules/a'}
  ${{ 'node_modules/a': { ...a, integrity: 'sha512-x' } }}       | ${['a']}      | ${'node_modules/a'}
  ${{ 'node_modules/a': a, 'node_modules/b': { version: '1' } }} | ${['a', 'b']} | ${'node_modules/b'}
  ${{ 'node_modules/a': a }}                                     | ${[]}         | ${'node_modules/a'}
`('with $installed in $folders the mismatch is $mismatch', ({ installed, folders, mismatch }) => {
  const packages = folders.map((name: string) => [`node_modules/${name}/package.json`, '{}']);
  const folder = tempFolder({
    'node_modules/.package-lock.json': JSON.stringify({ packages: installed }),
    ...Object.fromEntries(packages),
  });
  expect(mismatchOf(lock, folder)).toBe(mismatch);
});

test('no install, or a torn one, is a mismatch', () => {
  expect(mismatchOf(lock, tempFolder())).toBe('node_modules');
  const torn = tempFolder({ 'node_modules/.package-lock.json': '{ "packages": {' });
  expect(mismatchOf(lock, torn)).toBe('node_modules');
});

test('this clone is installed as its lock file says: nothing is done', async () => {
  expect(await ensureInstalled(root)).toBeNull();
});

test('a folder that is no clone is told so', async () => {
  expect(await ensureInstalled(tempFolder())).toContain('No package.json');
  const text = await ensureInstalled(tempFolder({ 'package.json': '{}' }));
  expect(text).toContain('package-lock.json is missing');
});
