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
    committer: () => ({
      prepare: async () => {
        await call('prepare');
        return null;
      },
      commit: () => call('commit'),
      abort: () => call('abort'),
    }),
  };
  const host: TaskHost = {
    slotCount: 1,
    deploy: () => call('deploy'),
    stop: () => call('stop'),
  };
  return { calls, connector, host };
}

function startJob(failing: readonly string[]) {
  const { calls, connector, host } = fakes(failing);
  const job = new JobMaster(createRealEnv(), {
    jobId: 'copy-1',
    epoch: 1,
    graph,
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
  const counters = { rowsOut: 5, busyMs: 10, bytesIn: 100, rowsIn: 5 };
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
