/**
 * Goal: jobs are sent to a cluster of real processes and told of as those of this machine: their results, their npm packages,
 * the errors of their functions with file and line, what they print, and their end by hand.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliOptions, expectFailure, runCli, summaryOf } from '../support/cli-process.ts';
import { type StandingCluster, startStandingCluster } from '../support/standing-cluster.ts';
import { tempFolder } from '../support/temp-folder.ts';

let cluster: StandingCluster;
beforeAll(async () => {
  cluster = await startStandingCluster({ workers: 2, slots: 2 });
});
afterAll(() => cluster?.stop());

/** A command about the cluster. */
function ask(args: readonly string[], options: CliOptions = {}) {
  return runCli(args, { ...options, env: { MILLRACE_CLUSTER: cluster.address } });
}

const job = `import { defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';
import { rated } from 'rater';
import { parse } from './lib/parse.ts';

export default defineJob({
  name: 'rates',
  params: { input: t.path(), output: t.path() },
  build: ({ read, params }) =>
    read(files.source({ path: params.input, format: text() }))
      .map(t.struct({ rate: t.float64() }), ({ text }) => ({ rate: rated(parse(text)) }))
      .writeTo(files.sink({ path: params.output })),
});
`;
const parse = `export type Rate = number;

export function parse(text: string): Rate {
  if (!/^[0-9]+$/.test(text)) throw new Error(\`no number: \${text}\`);
  console.log('read', text);
  return Number(text);
}
`;
const ratesFiles = {
  'job.ts': job,
  'lib/parse.ts': parse,
  'node_modules/rater/package.json': '{ "name": "rater", "version": "1.0.0", "main": "index.js" }',
  'node_modules/rater/index.js':
    "const { EOL } = require('node:os');\nexports.rated = (n) => n / 2 + EOL.length;\n",
};

test('wordcount gives on a cluster what it gives on this machine', async () => {
  const folder = tempFolder();
  const flags = ['jobs/wordcount/job.ts', '--input', 'README.md', '--parallelism', '3'];
  const [here, there] = [join(folder, 'here.csv'), join(folder, 'there.csv')];
  const alone = summaryOf(await runCli(['run', ...flags, '--output', here, '--json']));
  const sent = await ask(['submit', ...flags, '--output', there, '--wait', '--json']);
  const { rowsIn, rowsOut } = alone;
  expect(summaryOf(sent)).toMatchObject({ status: 'finished', rowsIn, rowsOut });
  expect(readFileSync(there, 'utf8')).toBe(readFileSync(here, 'utf8'));
});

test('a job has its npm packages with it; what it prints, and how it ended, is known', async () => {
  const cwd = tempFolder({ ...ratesFiles, 'in.txt': '4\n10\n' });
  const flags = ['--input', 'in.txt', '--output', 'out.csv', '--parallelism', '1'];
  const sent = await ask(['submit', 'job.ts', ...flags, '--wait', '--json'], { cwd });
  const { id } = summaryOf(sent);
  expect(readFileSync(join(cwd, 'out.csv'), 'utf8')).toBe('rate\n3\n6\n');
  const logs = await ask(['logs', String(id)]);
  expect(logs.stdout).toContain('read 4\nread 10\n');
  const history = await ask(['history', '--json']);
  const { jobs } = JSON.parse(history.stdout);
  expect(jobs).toContainEqual(expect.objectContaining({ id, status: 'finished', rowsOut: 2 }));
});

test('an error in a function leads to the file and line of the user, and to the record', async () => {
  const cwd = tempFolder({ ...ratesFiles, 'in.txt': '4\nfour\n' });
  const flags = ['--input', 'in.txt', '--output', 'out.csv', '--parallelism', '1'];
  const result = await ask(['submit', 'job.ts', ...flags, '--wait'], { cwd });
  expectFailure(result, { code: 'USER_FUNCTION_FAILED', exitCode: 1, says: /no number: four/ });
  expect(result.stderr).toContain('at parse (lib/parse.ts:4:37)');
  expect(result.stderr).toMatch(/at .*\(?job\.ts:11:\d+\)?\n/);
  expect(result.stderr).toContain('record: {"text":"four"}');
});

test('a bundle that does not load on a worker is told of with its place', async () => {
  const lib =
    'export const home = (() => {\n  if (process.env.HERE) return 1;\n  throw new Error("not here");\n})();\n';
  const own = job.replace('import { parse }', "import './lib/home.ts';\nimport { parse }");
  const cwd = tempFolder({ ...ratesFiles, 'job.ts': own, 'lib/home.ts': lib, 'in.txt': '4\n' });
  const flags = ['--input', 'in.txt', '--output', 'out.csv', '--parallelism', '1'];
  const env = { MILLRACE_CLUSTER: cluster.address, HERE: '1' };
  const result = await runCli(['submit', 'job.ts', ...flags, '--wait'], { cwd, env });
  expectFailure(result, { code: 'JOB_FILE_THREW', exitCode: 1, says: /not here/ });
  expect(result.stderr).toContain('lib/home.ts:3:9');
});

test('a job waits for its slots and says so; it is listed, and ended by hand', async () => {
  const cwd = tempFolder({ ...ratesFiles, 'in.txt': '4\n' });
  const flags = ['--input', 'in.txt', '--output', 'out.csv', '--parallelism', '5'];
  const { stdout, exitCode } = await ask(['submit', 'job.ts', ...flags], { cwd });
  const id = stdout.trim();
  expect([exitCode, id]).toEqual([0, expect.stringMatching(/^rates-[0-9a-f]{8}$/)]);
  const [list, status] = await Promise.all([ask(['list', '--json']), ask(['status', id])]);
  const waits = { id, phase: 'queued', reason: expect.stringContaining('5 slots') };
  expect(JSON.parse(list.stdout).jobs).toEqual([expect.objectContaining(waits)]);
  expect(status.stdout).toMatch(/5 slots: queued for .*: needs 5 slots/);
  const cancelled = await ask(['cancel', 'rates', '--json']);
  expect(JSON.parse(cancelled.stdout)).toMatchObject({ id, status: 'cancelled' });
  expect((await ask(['list'])).stderr).toBe('no job runs on the cluster, or waits\n');
  const refused = await ask(['submit', 'job.ts', ...flags, '--fail-fast'], { cwd });
  expectFailure(refused, { code: 'SLOTS_NOT_THERE', exitCode: 2, says: /needs 5 slots/ });
});

test('a cluster that is not there is said so', async () => {
  const flags = ['jobs/wordcount/job.ts', '--input', 'README.md', '--cluster', '127.0.0.1:1'];
  const result = await runCli(['submit', ...flags]);
  expectFailure(result, { code: 'CLUSTER_NOT_REACHABLE', exitCode: 3, says: /127\.0\.0\.1:1/ });
});
