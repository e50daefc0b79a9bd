/** Goal: `run` reads its command line, hands the job over, and tells the outcome in text or JSON. */
import { expect, test } from 'vitest';
import { toWire, typedError } from '../../../base/typed-error.ts';
import { runCommand } from '../../../cli/commands/run.ts';
import type { EmbeddedRun, RunOptions } from '../../../cli/embedded.ts';
import type { JobSummary } from '../../../cli/job-summary.ts';
import { type FakeCliEnv, fakeCliEnv } from '../../support/fake-cli-env.ts';

const jobFile = 'jobs/wordcount/job.ts';
const mb = 1024 ** 2;

const finished: JobSummary = {
  job: 'wordcount',
  status: 'finished',
  inputCount: 1,
  rowsIn: 1_000,
  bytesIn: 8 * mb,
  rowsOut: 12,
  deadLetters: 0,
  seconds: 2,
  peakMemoryBytes: 100 * mb,
  operators: [
    {
      id: 's',
      name: 'source',
      kind: 'source',
      rowsIn: 0,
      rowsOut: 1_000,
      busySeconds: 1.5,
      bytesSpilled: 0,
    },
  ],
  stages: [],
};

const failure = typedError('SOURCE_NOT_FOUND', 'there is no file "data.txt"', {
  hint: 'Check the path.',
  details: { path: 'data.txt' },
});

function env(): FakeCliEnv {
  return fakeCliEnv({ workingFolder: process.cwd() });
}

/** Runs the command with an engine that ends as told, and keeps what it was given. */
async function run(surroundings: FakeCliEnv, args: readonly string[], summary = finished) {
  const started: RunOptions[] = [];
  const startJob = (options: RunOptions): EmbeddedRun => {
    started.push(options);
    return {
      progress: () => ({ ...finished, phase: 'running', bytesTotal: 8 * mb, share: 0.5 }),
      cancel: () => undefined,
      done: Promise.resolve(summary),
    };
  };
  const exitCode = await runCommand(surroundings, args, startJob);
  return { exitCode, started };
}

test('the job, its typed parameters and the engine’s flags are handed over', async () => {
  const { exitCode, started } = await run(env(), [
    ...[jobFile, '--input', 'data.txt', '--top=5', '--invalidUtf8', 'replace'],
    ...['--parallelism', '2', '--memory', '128MB', '--overwrite', '--format', 'ndjson'],
  ]);
  expect(exitCode).toBe(0);
  expect(started).toHaveLength(1);
  expect(started[0]).toMatchObject({
    graph: { jobName: 'wordcount' },
    jobFile: expect.stringMatching(/^\/.*jobs\/wordcount\/job\.ts$/),
    params: { input: 'data.txt', top: 5, invalidUtf8: 'replace', output: 'wordcount.csv' },
    flags: { overwrite: true, format: 'ndjson' },
    parallelism: 2,
    memoryBytes: 128 * mb,
  });
});

test('flags of the engine may stand before the job file', async () => {
  const { started } = await run(env(), ['--parallelism', '3', '--json', jobFile, '--input', 'a']);
  expect(started[0]).toMatchObject({ parallelism: 3, params: { input: 'a' } });
});

test('without flags all cores are used', async () => {
  const { started } = await run(fakeCliEnv({ workingFolder: process.cwd(), cores: 7 }), [
    jobFile,
    '--input=a',
  ]);
  expect(started[0]?.parallelism).toBe(7);
});

test('a finished job is told on stderr; stdout stays empty', async () => {
  const surroundings = env();
  await run(surroundings, [jobFile, '--input', 'a', '--output', 'out.csv']);
  expect(surroundings.stdout.text).toBe('');
  expect(surroundings.stderr.text).toBe(
    [
      'job "wordcount" finished in 2.0 s',
      '  read     1,000 rows, 8.0 MB of 1 input, 4.0 MB/s',
      '  written  12 rows to out.csv',
      '  memory   100.0 MB at the peak',
      '',
    ].join('\n'),
  );
});

test('with --json stdout is one object with the summary', async () => {
  const surroundings = env();
  const { exitCode } = await run(surroundings, [jobFile, '--input', 'a', '--json']);
  expect(exitCode).toBe(0);
  const { inputCount: _, ...shown } = finished;
  expect(JSON.parse(surroundings.stdout.text)).toEqual(shown);
  expect(surroundings.stderr.text).toBe('');
});

test('a failed job exits with 1; the JSON has the error without a stack', async () => {
  const surroundings = env();
  const summary = { ...finished, status: 'failed', error: toWire(failure) } as const;
  const { exitCode } = await run(surroundings, [jobFile, '--input', 'a', '--json'], summary);
  expect(exitCode).toBe(1);
  expect(surroundings.stderr.text).toContain('error[SOURCE_NOT_FOUND]: there is no file');
  const { error, status } = JSON.parse(surroundings.stdout.text);
  expect({ error, status }).toEqual({
    status: 'failed',
    error: {
      code: 'SOURCE_NOT_FOUND',
      kind: 'user',
      message: 'there is no file "data.txt"',
      hint: 'Check the path.',
      details: { path: 'data.txt' },
    },
  });
});

test('an interrupted job exits with 130 and says that nothing was written', async () => {
  const surroundings = env();
  const summary = { ...finished, status: 'cancelled' } as const;
  const { exitCode } = await run(surroundings, [jobFile, '--input', 'a'], summary);
  expect(exitCode).toBe(130);
  expect(surroundings.stderr.text).toContain('nothing was written');
});

test('help of a job lists its parameters, the engine’s flags and an example', async () => {
  const surroundings = env();
  const { exitCode, started } = await run(surroundings, [jobFile, '--help']);
  expect([exitCode, started]).toEqual([0, []]);
  for (const text of ['--invalid-utf8 <fail|replace>', '--memory <size>', 'Example:']) {
    expect(surroundings.stdout.text).toContain(text);
  }
});

test.each`
  args                                               | code
  ${[]}                                              | ${'ARGUMENT_MISSING'}
  ${['--parallelism', '2']}                          | ${'ARGUMENT_MISSING'}
  ${['jobs/nothing-here.ts']}                        | ${'JOB_FILE_NOT_FOUND'}
  ${['jobs']}                                        | ${'JOB_FILE_NOT_FOUND'}
  ${[jobFile]}                                       | ${'PARAM_MISSING'}
  ${[jobFile, '--input', 'a', '--format', 'x']}      | ${'FLAG_VALUE'}
  ${[jobFile, '--input', 'a', '--parallelism', '0']} | ${'FLAG_VALUE'}
  ${[jobFile, '--input', 'a', '--memory', '1MB']}    | ${'FLAG_VALUE'}
`('$args starts nothing: $code', async ({ args, code }) => {
  await expect(run(env(), args)).rejects.toMatchObject({ info: { code } });
});
