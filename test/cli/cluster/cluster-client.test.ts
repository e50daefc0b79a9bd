/**
 * Goal: a cluster is asked as a job of this machine is; whoever leads is found, and an address that is wrong, or a cluster of
 * another version, is said so.
 */
import { expect, test } from 'vitest';
import { codeOf, type TypedError, typedError } from '../../../base/typed-error.ts';
import { clusterOf } from '../../../cli/cluster/cluster-address.ts';
import { cancelCommand } from '../../../cli/commands/cancel.ts';
import { historyCommand } from '../../../cli/commands/history.ts';
import { listCommand } from '../../../cli/commands/list.ts';
import { logsCommand } from '../../../cli/commands/logs.ts';
import { rescaleCommand } from '../../../cli/commands/rescale.ts';
import { savepointCommand } from '../../../cli/commands/savepoint.ts';
import { statusCommand } from '../../../cli/commands/status.ts';
import { workersCommand } from '../../../cli/commands/workers.ts';
import {
  clientMethods,
  type EndedJob,
  type LogsAnswer,
  type LogsRequest,
} from '../../../coordinator/protocol/clients.ts';
import { jobMethods } from '../../../coordinator/protocol/jobs.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';
import { fakeCluster, finished, watched } from '../../support/fake-coordinator.ts';

const leader = 'memory:c1';

/** A cluster with one coordinator, and commands about it. */
async function scene() {
  const { reach, start } = fakeCluster();
  const coordinator = await start(leader);
  const command = async (run: typeof listCommand, ...args: string[]) => {
    const env = fakeCliEnv({ columns: 120, variables: { MILLRACE_CLUSTER: leader } });
    expect(await run(env, args, reach)).toBe(0);
    return { stdout: env.stdout.text, stderr: env.stderr.text };
  };
  return { reach, start, coordinator, command };
}

async function errorOf(work: Promise<unknown>): Promise<TypedError> {
  return await work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: TypedError) => error,
  );
}

test.each`
  given              | variable        | expected
  ${undefined}       | ${''}           | ${null}
  ${undefined}       | ${'a:1'}        | ${['a:1']}
  ${'b:2, [::1]:70'} | ${'a:1'}        | ${['b:2', '[::1]:70']}
  ${'b'}             | ${''}           | ${'--cluster: "b" is no address'}
  ${undefined}       | ${'http://a:1'} | ${'MILLRACE_CLUSTER: "http://a:1" is no address'}
  ${'a:99999'}       | ${''}           | ${'--cluster: "a:99999" is no address'}
`('--cluster $given beside MILLRACE_CLUSTER=$variable', ({ given, variable, expected }) => {
  const env = fakeCliEnv({ variables: { MILLRACE_CLUSTER: variable } });
  if (typeof expected === 'string') expect(() => clusterOf(env, given)).toThrow(expected);
  else expect(clusterOf(env, given)).toEqual(expected);
});

test('list shows the jobs of a cluster, with what they wait for', async () => {
  const { coordinator, command } = await scene();
  const { stdout } = await command(listCommand, '--json');
  expect(JSON.parse(stdout).jobs).toMatchObject([{ id: 'words-1', slots: 2, pid: null }]);
  const queued = { ...watched(null).job, phase: 'queued', reason: 'waits for 2 slots' };
  coordinator.on(clientMethods.jobs, () => ({ jobs: [queued] }));
  expect((await command(listCommand)).stdout).toMatch(/words-1 .* queued .* waits for 2 slots/);
  coordinator.on(clientMethods.jobs, () => ({ jobs: [] }));
  expect((await command(listCommand)).stderr).toBe('no job runs on the cluster, or waits\n');
});

test('a job is asked by its name, and told by its id, through the coordinator', async () => {
  const { coordinator, command } = await scene();
  const asked: unknown[] = [];
  coordinator.on(jobMethods.why, (body) => {
    asked.push(body);
    return { inspection: null, findings: [] };
  });
  const { stdout } = await command(statusCommand, 'words');
  expect(stdout).toContain('job "words" (words-1), 2 slots on w1, w2: running for 2.0 s');
  coordinator.on(jobMethods.savepoint, (body: { folder: string }) => {
    asked.push(body);
    return { checkpointId: 7, path: body.folder };
  });
  expect((await command(savepointCommand, 'words', 'sp')).stdout).toContain('is in /sp');
  coordinator.on(jobMethods.rescale, (body) => {
    asked.push(body);
    return { from: 2, to: 4, checkpointId: 9, pausedMs: 100 };
  });
  await command(rescaleCommand, 'words', '--parallelism', '4');
  expect(asked).toEqual([
    { job: 'words-1' },
    { job: 'words-1', folder: '/sp' },
    { job: 'words-1', parallelism: 4 },
  ]);
});

test('cancel waits until the job has ended', async () => {
  const { coordinator, command } = await scene();
  let looks = 0;
  coordinator.on(jobMethods.cancel, () => ({ isCancelled: true }));
  coordinator.on(clientMethods.watch, () => watched(++looks < 3 ? null : finished));
  const { stdout } = await command(cancelCommand, 'words');
  expect(stdout).toBe('job "words" (words-1) is cancelled: nothing was written\n');
  expect(looks).toBe(3);
});

test('a job that has ended is shown, and can be told nothing', async () => {
  const { coordinator, command, reach } = await scene();
  coordinator.on(jobMethods.describe, () => ({ ...watched(null).job, phase: 'finished' }));
  coordinator.on(jobMethods.why, () => ({ inspection: null, findings: [] }));
  expect((await command(statusCommand, 'words')).stdout).toContain('finished after 2.0 s');
  const cancelled = cancelCommand(fakeCliEnv(), ['words', '--cluster', leader], reach);
  const error = await errorOf(cancelled);
  expect([error.info.code, error.message]).toEqual([
    ...['JOB_NOT_RUNNING', 'job "words-1" has ended: finished'],
  ]);
  expect(coordinator.calls).not.toContain(jobMethods.cancel);
});

test('logs show what each worker has, and follow until the job has ended', async () => {
  const { coordinator, command } = await scene();
  const answers: LogsAnswer[] = [
    {
      parts: [
        { workerId: 'w1', text: 'a\nb\n' },
        { workerId: 'w2', text: 'c' },
      ],
      ...{ next: { w1: 4, w2: 1 }, isEnd: true },
    },
    { parts: [{ workerId: 'w1', text: 'd\n' }], next: { w1: 6, w2: 1 }, isEnd: true },
    { parts: [], next: { w1: 6, w2: 1 }, isEnd: true },
  ];
  const asked: LogsRequest[] = [];
  coordinator.on(clientMethods.logs, (request: LogsRequest) => {
    asked.push(request);
    return answers[asked.length - 1];
  });
  const { stdout } = await command(logsCommand, 'words', '--follow');
  expect(stdout).toBe('w1 │ a\nw1 │ b\nw2 │ c\nd\n');
  expect(asked.map(({ from }) => from)).toEqual([{}, { w1: 4, w2: 1 }, { w1: 6, w2: 1 }]);
});

test('workers show their slots, and which of them are silent', async () => {
  const { coordinator, command } = await scene();
  const worker = { workerId: 'w1', incarnation: 1, address: '127.0.0.1:9', memoryBytes: 1024 ** 3 };
  const silent = { ...worker, slots: 4, freeSlots: 2, isSuspected: true, jobs: ['words-1'] };
  coordinator.on(clientMethods.workers, () => ({ workers: [silent] }));
  const { stdout } = await command(workersCommand);
  expect(stdout).toMatch(/w1 .* 127\.0\.0\.1:9 .* 4 .* 2 .* 1\.0 GB .* silent .* words-1/);
  coordinator.on(clientMethods.workers, () => ({ workers: [] }));
  expect((await command(workersCommand)).stderr).toBe('the cluster has no worker\n');
});

test('history shows what has ended, and why', async () => {
  const { coordinator, command } = await scene();
  const error = { code: 'DISK_FULL', kind: 'resource', message: 'no room', retryable: false };
  const ended: EndedJob = {
    ...{ id: 'words-1', name: 'words', namespace: 'default', status: 'failed', epoch: 2 },
    ...{ sinceMs: 0, endedMs: 5_000, rowsIn: 9, rowsOut: 0, error: error as EndedJob['error'] },
  };
  coordinator.on(clientMethods.history, () => ({ jobs: [ended] }));
  const { stdout } = await command(historyCommand);
  expect(stdout).toMatch(/words-1 .* failed .* 5\.0 s .* DISK_FULL: no room/);
  const { jobs } = JSON.parse((await command(historyCommand, '--json')).stdout);
  expect(jobs).toMatchObject([{ ended: '1970-01-01T00:00:05.000Z', error: { code: 'DISK_FULL' } }]);
});

test('the coordinator that leads is found, and waited for while none does', async () => {
  const { reach, start } = fakeCluster();
  const [standby, other] = [await start('memory:c2'), await start(leader)];
  let tries = 0;
  standby.on(clientMethods.hello, () => {
    throw typedError('CLUSTER_NOT_LEADING', 'another one leads', {
      // The first time nobody does.
      ...(++tries > 1 && { details: { address: leader } }),
    });
  });
  const env = fakeCliEnv();
  expect(await listCommand(env, ['--cluster', 'memory:c2'], reach)).toBe(0);
  expect(tries).toBe(2);
  expect(other.calls).toEqual([clientMethods.jobs]);
});

test('an address where nobody is, and a cluster of another version, are said so', async () => {
  const { reach, coordinator } = await scene();
  const list = (address: string) => listCommand(fakeCliEnv(), ['--cluster', address], reach);
  const nobody = await errorOf(list('memory:nobody'));
  expect(codeOf(nobody)).toBe('CLUSTER_NOT_REACHABLE');
  expect(nobody.message).toBe('no coordinator answers at memory:nobody');
  coordinator.on(clientMethods.hello, () => ({ version: 99, coordinatorId: 'c1', term: 1 }));
  expect(codeOf(await errorOf(list(leader)))).toBe('CLUSTER_VERSION');
});

test('a job that the cluster does not have is said so, and so is a command without a cluster', async () => {
  const { reach } = await scene();
  const status = statusCommand(fakeCliEnv(), ['nono', '--cluster', leader], reach);
  expect(codeOf(await errorOf(status))).toBe('CLUSTER_JOB_NOT_FOUND');
  const history = await errorOf(historyCommand(fakeCliEnv(), [], reach));
  expect(history.message).toBe('"millrace history" needs --cluster');
});
