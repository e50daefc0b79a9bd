/** Goal: whatever fails while a job is cleaned up, the rest of the clean-up is done and the first
 * reason is reported. */
import { expect, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { toWire, typedError } from '../../../base/typed-error.ts';
import { JobMaster, type TaskHost } from '../../../coordinator/job/job-master.ts';
import type { Connector } from '../../../engine/contracts/connector.ts';
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
    slotCount: 1,
    deploy: () => call('deploy'),
    stop: () => call('stop'),
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

test('a job that goes well is deployed, committed and reported once', async () => {
  const { job, calls } = startJob([]);
  await expect.poll(() => calls).toContain('deploy');
  job.finishTask('v1[0]', { rows: 1 });
  expect((await job.done).status).toBe('finished');
  expect(calls).toEqual(['prepare', 'deploy', 'commit']);
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
  const counters = { rowsOut: 5, busyMs: 10, bytesIn: 100, rowsIn: 5, bytesSpilled: 0 };
  job.updateMetrics([
    { taskId: 'v1[0]', operatorIndex: 0, ...counters },
    { taskId: 'v1[0]', operatorIndex: 1, ...counters, rowsIn: 4 },
  ]);
  job.updateMetrics([{ taskId: 'v1[0]', operatorIndex: 0, ...counters, rowsOut: 7 }]);
  expect(job.progress()).toMatchObject({ rowsIn: 7, bytesIn: 100, rowsOut: 4 });
  job.cancel('enough');
  expect((await job.done).operators.map(({ id, rowsOut }) => [id, rowsOut])).toEqual([
    ['read', 7],
    ['write', 5],
  ]);
});

const sinkTasks = ['v2[0]', 'v2[1]', 'v3[0]', 'v3[1]'];

function finishAll(job: JobMaster): void {
  for (const taskId of ['v1[0]', 'v1[1]']) job.finishTask(taskId, null);
  for (const taskId of [...sinkTasks].reverse()) job.finishTask(taskId, taskId);
}

test('several sinks are all prepared, and committed one after the other with their own writes', async () => {
  const { job, calls } = startJob([], twoSinks);
  await expect.poll(() => calls).toContain('deploy');
  finishAll(job);
  expect((await job.done).status).toBe('finished');
  expect(calls).toEqual([
    ...['prepare first', 'prepare second', 'deploy'],
    ...['commit first', 'v2[1]', 'v2[0]', 'commit second', 'v3[1]', 'v3[0]'],
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
