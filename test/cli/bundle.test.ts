/**
 * Goal: a bundle counts as made of exactly the sources that are there: any change of one, one more or
 * one less is seen, and what is no part of it is not looked at.
 */
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stampOf } from '../../cli/bundle.mjs';
import { tempFolder } from '../support/temp-folder.ts';

const longAgo = new Date('2020-01-01T00:00:00Z');

/** A project with a source in each folder, all of them old. */
function project(): string {
  const names = ['base', 'cli', 'connectors', 'coordinator', 'engine', 'worker'];
  const sources = names.map((name) => `${name}/deep/${name}.ts`);
  const folder = tempFolder({
    ...Object.fromEntries(sources.map((path) => [path, 'export {};'])),
    'base/README.md': 'words',
    'jobs/job.ts': 'export {};',
  });
  for (const path of sources) utimesSync(join(folder, path), longAgo, longAgo);
  return folder;
}

test.each([
  [
    'an edit',
    (folder: string) => writeFileSync(join(folder, 'engine/deep/engine.ts'), 'export{};'),
  ],
  [
    'an edit that keeps the size',
    (folder: string) => writeFileSync(join(folder, 'cli/deep/cli.ts'), 'export {} '),
  ],
  ['a new file', (folder: string) => writeFileSync(join(folder, 'worker/launch.mjs'), '')],
  ['a file that is gone', (folder: string) => rmSync(join(folder, 'base/deep/base.ts'))],
])('%s makes the bundle stale', (_, change) => {
  const folder = project();
  const before = stampOf(folder);
  expect(stampOf(folder)).toBe(before);
  change(folder);
  expect(stampOf(folder)).not.toBe(before);
});

test('pages, and folders that are no part of it, do not', () => {
  const folder = project();
  const before = stampOf(folder);
  writeFileSync(join(folder, 'base/README.md'), 'other words');
  writeFileSync(join(folder, 'jobs/job.ts'), 'export const other = 1;');
  expect(stampOf(folder)).toBe(before);
});
