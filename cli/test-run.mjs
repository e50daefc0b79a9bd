/**
 * The steps of `npm test` and `npm run check`: each with a header and its duration, all of them even
 * when one fails, so that one run shows all that is wrong.
 *
 * The last line is `N passed, N failed`: the tests, where a step that fails without a failed test (the
 * compiler, the linter, a runner that dies) counts as one failed. It can't read "0 failed" on a
 * failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { findNode24 } from './node-24.mjs';

const checks = [
  { name: 'types', script: 'typescript/bin/tsc', args: ['--noEmit'] },
  {
    name: 'style',
    script: '@biomejs/biome/bin/biome',
    args: ['check', '--error-on-warnings', '.'],
  },
  {
    name: 'layers',
    script: 'dependency-cruiser/bin/dependency-cruise.mjs',
    args: ['.'],
    // With a compiler that it can't use it reads nothing, finds nothing and is content.
    proof: /\([1-9]\d* modules/,
  },
  { name: 'dead code', script: 'knip/bin/knip.js', args: [] },
];

const vitest = (name, args, env = {}) => ({
  ...{ name, env, isTest: true },
  script: 'vitest/vitest.mjs',
  args: ['run', ...args],
});

const plans = {
  check: [
    ...checks,
    vitest('tidy', ['--project', 'quick', 'test/tidy', 'test/errors-page.test.ts']),
  ],
  test: [
    ...checks,
    vitest('quick tests', ['--project', 'quick']),
    vitest('end-to-end tests', ['--project', 'e2e']),
    vitest('some of them on a cluster', ['--project', 'cluster']),
  ],
  long: [
    // With cases that no run before has had; left out where the arguments name sweeps.
    {
      ...vitest('quick tests', ['--project', 'quick'], { MILLRACE_SEED: 'random' }),
      isOfAll: true,
    },
    // Arguments name sweeps, or end-to-end tests that are to run on a cluster.
    { ...vitest('end-to-end tests on a cluster', ['--project', 'cluster-all']), isOfAll: true },
    vitest('long tests', ['--project', 'long']),
  ],
};

/** Runs the steps of a plan; `extra` goes to the test runner. Resolves to the exit code. */
export async function runPlan(root, plan, extra) {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  try {
    const steps = plans[plan].filter(({ isOfAll = false }) => !isOfAll || extra.length === 0);
    const outcomes = steps.map((step, index) =>
      runStep(root, step, { extra, report: join(scratch, `${index}.json`) }),
    );
    return summarise(outcomes);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function runStep(root, step, { extra, report }) {
  const { name, isTest = false } = step;
  process.stdout.write(`\n── ${name} ${'─'.repeat(Math.max(1, 70 - name.length))}\n`);
  const startedMs = performance.now();
  const args = [...step.args];
  if (isTest) {
    args.push('--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...extra);
  }
  const isDone = runTool(root, step, args);
  const seconds = (performance.now() - startedMs) / 1_000;
  const { passed, failed } = isTest ? countTests(report) : { passed: 0, failed: 0 };
  const isOk = isDone && failed === 0 && (!isTest || passed > 0);
  process.stdout.write(`${isOk ? 'ok' : 'FAILED'}: ${name}, ${seconds.toFixed(1)} s\n`);
  return { name, isOk, seconds, passed, failed: isOk ? 0 : Math.max(1, failed) };
}

function runTool(root, { name, script, proof, env = {} }, args) {
  const bin = join(root, 'node_modules', '.bin');
  const { status, error, stdout } = spawnSync(
    findNode24(root),
    [join(root, 'node_modules', script), ...args],
    {
      cwd: root,
      env: { ...process.env, ...env, PATH: `${bin}${delimiter}${process.env.PATH}` },
      stdio: ['ignore', proof === undefined ? 'inherit' : 'pipe', 'inherit'],
      encoding: 'utf8',
    },
  );
  if (error !== undefined) process.stdout.write(`${name} does not start: ${error.message}\n`);
  if (proof === undefined) return status === 0;
  process.stdout.write(stdout ?? '');
  return status === 0 && proof.test(stdout);
}

/** A file that breaks before its first test counts as one failed test. */
function countTests(report) {
  if (!existsSync(report)) return { passed: 0, failed: 0 };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const broken = testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
  );
  return { passed: numPassedTests, failed: numFailedTests + broken.length };
}

function summarise(outcomes) {
  const sum = (key) => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  process.stdout.write('\n');
  for (const { name, isOk, seconds } of outcomes) {
    process.stdout.write(`${isOk ? 'ok    ' : 'FAILED'}  ${name}  ${seconds.toFixed(1)} s\n`);
  }
  process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed\n`);
  return outcomes.every((outcome) => outcome.isOk) ? 0 : 1;
}
