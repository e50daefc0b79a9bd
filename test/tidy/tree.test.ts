/** Goal: the tree is read with git and without it, new files included, ignored ones not. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readTree } from './tree.ts';

const folders: string[] = [];

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tidy-'));
  folders.push(folder);
  const texts = { 'base/a.ts': 'a', '.ci/run': 'r', 'node_modules/p/x.js': 'x', 'dist/a.js': 'a' };
  for (const [path, text] of Object.entries({ ...texts, '.cache/y.ts': 'y', 'raw.bin': 'a\0b' })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test('a plain folder is read without its caches and binaries', () => {
  expect(readTree(makeFolder())).toEqual([
    { path: '.ci/run', text: 'r' },
    { path: 'base/a.ts', text: 'a' },
  ]);
});

test('in a repository new files count, ignored and deleted ones do not', () => {
  const folder = makeFolder();
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder });
  git('init', '--quiet');
  writeFileSync(join(folder, '.gitignore'), 'node_modules/\ndist/\n.cache/\n');
  writeFileSync(join(folder, 'gone.ts'), 'g');
  git('add', 'gone.ts', 'base/a.ts');
  rmSync(join(folder, 'gone.ts'));
  expect(readTree(folder).map(({ path }) => path)).toEqual(['.ci/run', '.gitignore', 'base/a.ts']);
});
