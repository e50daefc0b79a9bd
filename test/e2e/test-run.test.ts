/**
 * Goal: `npm test` can't pass by accident. No tests, a file that breaks, a runner that dies: each is a
 * failure, and the last line says how many tests passed and failed.
 */
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';

const root = resolve(import.meta.dirname, '../..');
const good = "import { test } from 'vitest'; test('good', () => {});";
const wrong = "import { test } from 'vitest'; test('wrong', () => { throw new Error('no'); });";
const broken =
  "import { test } from 'vitest'; throw new Error('before any test'); test('x', () => {});";
const loose =
  "import { test } from 'vitest'; test('good', () => { void Promise.reject(new Error('x')); });";

/** Runs the sweeps of the long tests, the smallest step there is, in a folder with these tests. */
function runIn(files: Record<string, string>) {
  const folder = tempFolder({
    'package.json': '{ "type": "module" }',
    'vitest.config.ts':
      "export default { test: { projects: [{ test: { name: 'long', include: ['test/long/*.test.ts'] } }] } };",
    'run.mjs': `import { runPlan } from ${JSON.stringify(join(root, 'cli/test-run.mjs'))};
      process.exitCode = await runPlan(import.meta.dirname, 'long', process.argv.slice(2));`,
    ...files,
  });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  const env = { ...process.env, CI: 'true' };
  const result = spawnSync(process.execPath, ['run.mjs', 'test/long'], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  const lines = result.stdout.trimEnd().split('\n');
  return {
    code: result.status,
    last: lines.at(-1),
    step: lines.at(-2)?.split(/ {2,}/).slice(0, 2),
  };
}

test.each`
  what                         | files                     | code | last
  ${'only good tests'}         | ${{ a: good, b: good }}   | ${0} | ${'2 passed, 0 failed'}
  ${'a wrong one'}             | ${{ a: good, b: wrong }}  | ${1} | ${'1 passed, 1 failed'}
  ${'a file that breaks'}      | ${{ a: good, b: broken }} | ${1} | ${'1 passed, 1 failed'}
  ${'an error outside a test'} | ${{ a: loose }}           | ${1} | ${'1 passed, 1 failed'}
  ${'no tests'}                | ${{}}                     | ${1} | ${'0 passed, 1 failed'}
`('$what: $last', ({ files, code, last }) => {
  const tests = Object.entries(files).map(([name, text]) => [`test/long/${name}.test.ts`, text]);
  expect(runIn(Object.fromEntries(tests))).toEqual({
    code,
    last,
    step: [code === 0 ? 'ok' : 'FAILED', 'long tests'],
  });
});

test('a runner that dies is a failure', () => {
  expect(runIn({ 'vitest.config.ts': "throw new Error('no config');" })).toMatchObject({
    code: 1,
    last: '0 passed, 1 failed',
  });
});
