/**
 * Goal: `npm run docs` makes a page of every public name, and finds nothing to complain of: no name
 * without words, no parameter that is not there, no link that leads nowhere. (That the examples on the
 * pages run is the matter of test/engine/api.)
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('pages of all entries of the package, without a warning', () => {
  const out = join(tempFolder({}), 'docs');
  const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc');
  const args = [typedoc, '--out', out];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stdout + stderr).not.toMatch(/\[(warning|error)\]/);
  expect(status).toBe(0);
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('Millrace');
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { entryPoints } = JSON.parse(readFileSync(join(root, 'typedoc.json'), 'utf8'));
  const targets = Object.values<string | { default: string }>(exports);
  const sources = targets.map((target) => (typeof target === 'string' ? target : target.default));
  const entries = sources.filter((file) => file.endsWith('.ts'));
  const undocumented = entries.filter((file) => !entryPoints.includes(file.slice(2)));
  expect(undocumented).toEqual(['./simulation/index.ts']);
  expect(existsSync(join(out, 'classes', 'engine_api.Stream.html'))).toBe(true);
});
