/** Goal: whatever fails while a job is cleaned up, the rest of the clean-up is done and the first
 * reason is reported. */
import { expect, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { toWire, typedError } from '../../../base/typed-error.ts';
import { JobMaster } from '../../../coordinator/job/job-master.ts';
import type { TaskHost } from '../../../coordinator/job/task-host.ts';
import type { Connector } from '../../../engine/contracts/connector.ts';
import type { Json } from '../../../engine/contracts/json.ts';
import type { PhysicalGraph } from '../../../engine/plan/physical-graph.ts';

const graph: PhysicalGraph = {
  jobName: 'copy',
  parallelism: 1,
  vertices: [
    {
      id: 'v1',
      name: 'copy',
      parallelism: 1,
      chain: [
        {
          kind: 'source',
          id: 'read',
          name: 'read',
          output: { fields: [] },
          source: { connector: 'fake', options: null, schema: { fields: [] } },
        },
        {
          kind: 'sink',
          id: 'write',
          name: 'write',
          output: { fields: [] },
          sink: { connector: 'fake', options: null, isParallel: false },
        },
      ],
    },
  ],
  edges: [],
};

/** Notes what it is asked for; `commit` and what is listed as failing reject. */
function fakes(failing: readonly string[]) {
  const calls: string[] = [];
  const call = async (name: string) => {
    calls.push(name);
    if (failing.includes(name)) throw typedError('DISK_IO', `${name} failed`);
  };
  const connector: Connector = {
    name: 'fake',
    enumerator: () => ({ discover: async () => ({ splits: [], sizeBytes: 0, inputCount: 1 }) }),
    committer: (options) => {
      const named = (what: string) => (options === null ? what : `${what} ${options}`);
      return {
        prepare: async () => {
          await call(named('prepare'));
          return null;
        },
        commit: async (writes) => {
          await call(named('commit'));
          if (options !== null) calls.push(...writes.map(String));
        },
        abort: () => call(named('abort')),
      };
    },
  };
  const host: TaskHost = {
    slotCount: 6,
    deploy: () => call('deploy'),
    stopTasks: ({ attempt, taskIds }) => call(`stop try ${attempt} of ${taskIds}`),
    stop: () => call('stop'),
    ask: async () => [],
    triggerCheckpoint: async () => undefined,
    orderSources: async () => undefined,
    cancelCheckpoint: async () => undefined,
  };
  return { calls, connector, host };
}

/** The source's rows go to two sinks, each with two tasks. */
const twoSinks: PhysicalGraph = {
  ...graph,
  vertices: ['read', 'first', 'second'].map((id, index) => {
    const spec = { id, name: id, output: { fields: [] } };
    const source = { connector: 'fake', options: null, schema: { fields: [] } };
    const sink = { connector: 'fake', options: id, isParallel: true };
    const operator =
      index === 0
        ? ({ ...spec, kind: 'source', source } as const)
        : ({ ...spec, kind: 'sink', sink } as const);
    return { id: `v${index + 1}`, name: id, parallelism: 2, chain: [operator] };
  }),
};

function startJob(failing: readonly string[], planned: PhysicalGraph = graph) {
  const { calls, connector, host } = fakes(failing);
  const job = new JobMaster(createRealEnv(), {
    jobId: 'copy-1',
    epoch: 1,
    graph: planned,
    module: { file: 'job.ts', params: {}, flags: { overwrite: false }, fingerprint: '' },
    host,
    connectors: new Map([['fake', connector]]),
  });
  job.start();
  return { job, calls };
}

const noCounters = {
  ...{ bytesIn: 0, bytesShuffled: 0, operators: [] },
  skipped: { rows: 0, rowGroups: 0, pages: 0 },
};

function finish(job: JobMaster, taskId: string, write: Json, attempt = 1): void {
  const metrics = { ...noCounters, taskId, attempt };
  job.finishTask({ taskId, attempt, write, metrics, partitionBytes: {}, source: null });
}

test('a job that goes well is deployed, committed and reported once', async () => {
  const { job, calls } = startJob([]);
  await expect.poll(() => calls).toContain('deploy');
  finish(job, 'v1[0]', { rows: 1 });
  expect((await job.done).status).toBe('finished');
  expect(calls).toEqual(['prepare', 'deploy', 'stop', 'commit']);
});

test('a stop that fails does not keep the sink from being aborted', async () => {
  const { job, calls } = startJob(['stop', 'abort']);
  await expect.poll(() => calls).toContain('deploy');
  job.fail(toWire(typedError('THREAD_DIED', 'the reason')));
  const { status, error } = await job.done;
  expect([status, error?.message]).toEqual(['failed', 'the reason']);
  expect(calls).toEqual(['prepare', 'deploy', 'stop', 'abort']);
});

test('a sink that can not be prepared fails the job before a task is deployed', async () => {
  const { job, calls } = startJob(['prepare']);
  const { status, error } = await job.done;
  expect([status, error?.code]).toEqual(['failed', 'DISK_IO']);
  expect(calls).toEqual(['prepare', 'abort']);
});

test('counters of the same logical operator in two vertices stay apart', async () => {
  const { job, calls } = startJob([]);
  await expect.poll(() => calls).toContain('deploy');
  const read = { rowsOut: 5, busyMs: 10, rowsIn: 5, bytesSpilled: 0 };
  const report = (rowsOut: number, attempt = 1) => {
    const operators = [
      { ...read, rowsOut },
      { ...read, rowsIn: 4 },
    ];
    job.updateMetrics([{ ...noCounters, taskId: 'v1[0]', attempt, bytesIn: 100, operators }]);
  };
  report(5);
  report(7);
  report(9, 2); // There is no such attempt.
  expect(job.progress()).toMatchObject({ rowsIn: 7, bytesIn: 100, rowsOut: 4 });
  job.cancel('enough');
  expect((await job.done).operators.map(({ id, rowsOut }) => [id, rowsOut])).toEqual([
    ['read', 7],
    ['write', 5],
  ]);
});

/** Nothing joins the tasks: each is deployed for itself. */
const deploys = new Array<string>(6).fill('deploy');
const sinkTasks = ['v2[0]', 'v2[1]', 'v3[0]', 'v3[1]'];

function finishAll(job: JobMaster): void {
  for (const taskId of ['v1[0]', 'v1[1]']) finish(job, taskId, null);
  for (const taskId of [...sinkTasks].reverse()) finish(job, taskId, taskId);
}

test('several sinks are all prepared, and committed one after the other with their own writes', async () => {
  const { job, calls } = startJob([], twoSinks);
  await expect.poll(() => calls).toContain('deploy');
  finishAll(job);
  expect((await job.done).status).toBe('finished');
  expect(calls).toEqual([
    ...['prepare first', 'prepare second', ...deploys, 'stop'],
    ...['commit first', 'v2[0]', 'v2[1]', 'commit second', 'v3[0]', 'v3[1]'],
  ]);
});

test('when one of several sinks fails, all of them are aborted', async () => {
  const { job, calls } = startJob(['commit second', 'abort first'], twoSinks);
  await expect.poll(() => calls).toContain('deploy');
  finishAll(job);
  const { status, error } = await job.done;
  expect([status, error?.message]).toEqual(['failed', 'commit second failed']);
  expect(calls.slice(-3)).toEqual(['stop', 'abort first', 'abort second']);
});

test('a sink that can not be prepared ends the job before a task runs; the others are aborted', async () => {
  const { job, calls } = startJob(['prepare first'], twoSinks);
  expect((await job.done).error?.message).toBe('prepare first failed');
  expect(calls).toEqual(['prepare first', 'prepare second', 'abort first', 'abort second']);
});

test('a task that fails by a mishap is stopped and deployed again, and only what counts is committed', async () => {
  const { job, calls } = startJob([]);
  await expect.poll(() => calls).toContain('deploy');
  job.failTask({ taskId: 'v1[0]', attempt: 1, error: toWire(typedError('DISK_IO', 'a mishap')) });
  await expect.poll(() => calls.filter((call) => call === 'deploy')).toHaveLength(2);
  finish(job, 'v1[0]', 'late', 1);
  finish(job, 'v1[0]', 'right', 2);
  expect((await job.done).status).toBe('finished');
  expect(calls).toEqual(['prepare', 'deploy', 'stop try 1 of v1[0]', 'deploy', 'stop', 'commit']);
});
