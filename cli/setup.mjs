/**
 * `npm start`, `npm test`, `npm run check`, `npm run test:long`: plain JavaScript that needs nothing
 * installed. Looks at the machine, installs what the lock file asks for, then does the verb.
 *
 *     start       the first job, on the project's own files (start.ts)
 *     test        types, style, layers, dead code, then the quick and the e2e tests, some of these on a cluster too
 *     check       the same without most tests: what to run before a commit
 *     test:long   all that can run on a cluster there, and the sweeps
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { launch } from './launch.mjs';

const usageExitCode = 2;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [verb, ...args] = process.argv.slice(2);

const verbs = {
  start: () => launch(() => new URL('./start.ts', import.meta.url), args),
  test: () => runSteps('test'),
  check: () => runSteps('check'),
  'test:long': () => runSteps('long'),
};

if (Object.hasOwn(verbs, verb ?? '')) {
  process.chdir(root);
  const problem = await ensureInstalled(root);
  if (problem === null) await verbs[verb]();
  else {
    process.stderr.write(`${problem}\n`);
    process.exitCode = usageExitCode;
  }
} else {
  process.stderr.write(`usage: node cli/setup.mjs ${Object.keys(verbs).join('|')} [arguments]\n`);
  process.exitCode = usageExitCode;
}

async function runSteps(plan) {
  const { runPlan } = await import('./test-run.mjs');
  process.exitCode = await runPlan(root, plan, args);
}
