/** Goal: while a job runs, signals cancel it; when it has ended nothing of us is left behind. */
import { expect, test } from 'vitest';
import type { EmbeddedRun, RunOptions } from '../../cli/embedded.ts';
import type { JobSummary } from '../../cli/job-summary.ts';
import { runJob } from '../../cli/run-job.ts';
import { fakeCliEnv } from '../support/fake-cli-env.ts';

const options: RunOptions = {
  graph: { jobName: 'fake', nodes: [] },
  jobFile: '/job.ts',
  params: {},
  flags: { overwrite: false },
  parallelism: 1,
  memoryBytes: 1,
};

/** A job that runs until it is cancelled or ended by hand. */
function fakeJob() {
  const { promise, resolve } = Promise.withResolvers<JobSummary>();
  const reasons: string[] = [];
  const end = (status: JobSummary['status']): void =>
    resolve({
      ...{ job: 'fake', status, inputCount: 1, rowsIn: 1, bytesIn: 1, rowsOut: 1, seconds: 1 },
      deadLetters: 0,
      ...{ peakMemoryBytes: 1, operators: [], stages: [] },
    });
  const start = (): EmbeddedRun => ({
    progress: () => ({
      ...{ phase: 'running', rowsIn: 5, bytesIn: 5, bytesTotal: 10, rowsOut: 0, seconds: 1 },
      ...{ deadLetters: 0, stages: [], share: 0.5 },
    }),
    cancel(reason) {
      reasons.push(reason);
      end('cancelled');
    },
    done: promise,
  });
  return { start, end, reasons };
}

test('a job that ends leaves no timer and no signal listener', async () => {
  const env = fakeCliEnv({ isTerminal: true });
  const fake = fakeJob();
  const ended = runJob(env, options, fake.start);
  env.advance(250);
  expect([env.timerCount(), env.signalListenerCount()]).toEqual([1, 1]);
  expect(env.stderr.text).toContain('50%');
  fake.end('finished');
  expect((await ended).status).toBe('finished');
  expect([env.timerCount(), env.signalListenerCount()]).toEqual([0, 0]);
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s cancels once and waits for the end', async (name) => {
  const env = fakeCliEnv();
  const fake = fakeJob();
  const ended = runJob(env, options, fake.start);
  env.signal(name);
  env.signal(name);
  expect((await ended).status).toBe('cancelled');
  expect(fake.reasons).toHaveLength(1);
  expect(env.stderr.text).toBe('cancelling …\n');
});

test('an engine that does not start leaves nothing behind either', async () => {
  const env = fakeCliEnv();
  const start = (): EmbeddedRun => ({
    ...fakeJob().start(),
    done: Promise.reject(new Error('no threads')),
  });
  await expect(runJob(env, options, start)).rejects.toThrow('no threads');
  expect([env.timerCount(), env.signalListenerCount()]).toEqual([0, 0]);
});
