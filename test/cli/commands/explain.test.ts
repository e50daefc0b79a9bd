/** Goal: `explain` shows both plans without reading anything, as text or as data. */
import { expect, test } from 'vitest';
import { explainCommand } from '../../../cli/commands/explain.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';

const jobFile = 'jobs/wordcount/job.ts';

async function explain(...args: string[]) {
  const env = fakeCliEnv({ workingFolder: process.cwd() });
  const exitCode = await explainCommand(env, [jobFile, ...args]);
  return { exitCode, text: env.stdout.text };
}

test('the logical plan comes first, the physical one with its parallelism second', async () => {
  const { exitCode, text } = await explain('--input', 'no-such-file', '--parallelism', '3');
  expect(exitCode).toBe(0);
  expect(text).toMatch(
    /^logical graph of wordcount\n[\s\S]*\n\nphysical graph of wordcount, parallelism 3\n/,
  );
  expect(text).toContain('path "no-such-file"');
});

test('a path that was not given is shown as a placeholder', async () => {
  expect((await explain()).text).toContain('path "<input>"');
});

test('with --json both graphs are data', async () => {
  const { text } = await explain('--json', '--parallelism', '2');
  const { job, parallelism, logical, physical } = JSON.parse(text);
  expect([job, parallelism, logical.jobName]).toEqual(['wordcount', 2, 'wordcount']);
  expect(physical.vertices[0].parallelism).toBe(2);
});

test('with --code every operator says what it runs as', async () => {
  const { text } = await explain('--code');
  const code = text.slice(text.indexOf('code of wordcount'));
  expect(code).toMatch(/^code of wordcount\n {2}v1\n {4}source +connector +reader of files\n/);
  expect(code).toMatch(/\n {4}explodeWords +kernels +tokenise\n/);
  expect((await explain()).text).not.toContain('code of');
});

test('with --code --json the code is data beside the graphs', async () => {
  const { code, physical } = JSON.parse((await explain('--code', '--json')).text);
  expect(code.map(({ vertex }: { vertex: string }) => vertex)).toEqual(
    physical.vertices.map(({ id }: { id: string }) => id),
  );
  expect(code[0].operators[0].parts).toEqual([{ runs: 'connector', what: 'reader of files' }]);
});

test('on a terminal no line is cut in two by chance: columns that do not fit go below', async () => {
  const env = fakeCliEnv({ workingFolder: process.cwd(), isTerminal: true, columns: 100 });
  await explainCommand(env, [jobFile]);
  const lines = env.stdout.text.split('\n');
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
  expect(env.stdout.text).toMatch(/\n {2}source-files .*"fail"}\n {4}→ text utf8\n/);
  expect(env.stdout.text.replaceAll(/\s+/g, ' ')).toBe(
    (await explain()).text.replaceAll(/\s+/g, ' '),
  );
});

test('help explains', async () => {
  expect((await explain('--help')).text).toContain('without running it');
});
