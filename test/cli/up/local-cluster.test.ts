/** Goal: a cluster is up when all are ready, children that end come back, and an end leaves nothing, whenever it comes. */
import { beforeEach, describe, expect, test } from 'vitest';
import { LocalCluster } from '../../../cli/up/local-cluster.ts';
import { type FakeChildren, fakeChildren } from '../../support/fake-children.ts';
import { type FakeCliEnv, fakeCliEnv } from '../../support/fake-cli-env.ts';
import { rejectionOf } from '../../support/typed-error-of.ts';

let env: FakeCliEnv;
let children: FakeChildren;
let said: string[];
let changes: number;

beforeEach(() => {
  env = fakeCliEnv();
  children = fakeChildren();
  said = [];
  changes = 0;
});

function clusterOf({ listen = '127.0.0.1:7070', workers = ['worker-1', 'worker-2'] } = {}) {
  const role = (name: string, args: (address: string) => string[]) => ({
    ...{ name, args, logFile: `/logs/${name}.log` },
  });
  return new LocalCluster(env, {
    coordinator: role('coordinator', () => ['coordinator', '--listen', listen]),
    workers: workers.map((name) => {
      return role(name, (address) => ['worker', '--coordinator', address, '--name', name]);
    }),
    ...{ listen, startChild: children.start, say: (text: string) => said.push(text) },
    onChange: () => changes++,
  });
}

/** Lets what is resolved by now be seen. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function started(options: Parameters<typeof clusterOf>[0] = {}) {
  const cluster = clusterOf(options);
  const start = cluster.start();
  children.named('coordinator').beReady({ address: '127.0.0.1:7070' });
  await settled();
  for (const child of children.all) child.beReady();
  await start;
  return cluster;
}

describe('a start', () => {
  test('starts all at once, and is done when the last one is ready', async () => {
    const cluster = clusterOf();
    let isUp = false;
    const start = cluster.start().then(() => {
      isUp = true;
    });
    expect(children.events).toEqual(['start coordinator', 'start worker-1', 'start worker-2']);
    children.named('worker-1').beReady();
    children.named('coordinator').beReady({ address: '127.0.0.1:7070' });
    await settled();
    expect(isUp).toBe(false);
    children.named('worker-2').beReady();
    await start;
    expect(cluster.processes.map(({ name }) => name)).toEqual([
      'coordinator',
      'worker-1',
      'worker-2',
    ]);
    expect([env.timerCount(), changes, said]).toEqual([0, 0, []]);
  });

  test('has workers wait for the port, where it is any free one', async () => {
    const cluster = clusterOf({ listen: '127.0.0.1:0', workers: ['worker-1'] });
    const start = cluster.start();
    await settled();
    expect(children.events).toEqual(['start coordinator']);
    children.named('coordinator').beReady({ address: '127.0.0.1:4711' });
    await settled();
    expect(children.named('worker-1').args).toContain('127.0.0.1:4711');
    children.named('worker-1').beReady();
    await start;
    expect(cluster.address).toBe('127.0.0.1:4711');
  });

  test.each(['coordinator', 'worker-1'])('fails when %s ends, and leaves nothing', async (name) => {
    const start = clusterOf().start();
    const lastWords = 'error[NET_ADDRESS_IN_USE]: address "a" is in use\nhint: Choose another.\n';
    children.named(name).end({ exitCode: 2, lastWords });
    const { info, message } = await rejectionOf(start);
    expect(info).toMatchObject({ code: 'CLUSTER_START_FAILED', hint: 'Choose another.' });
    expect(message).toBe(
      `${name} ended with exit code 2 while the cluster was starting: address "a" is in use`,
    );
    expect(children.all.filter(({ isRunning }) => isRunning)).toEqual([]);
    expect(env.timerCount()).toBe(0);
  });

  test('fails when the coordinator ends before its port is known', async () => {
    const start = clusterOf({ listen: '127.0.0.1:0' }).start();
    children.named('coordinator').end({ signal: 'SIGKILL' });
    expect((await rejectionOf(start)).message).toContain('coordinator was ended by SIGKILL');
    expect(children.events).toEqual(['start coordinator']);
  });

  test('fails after a minute', async () => {
    const start = clusterOf().start();
    children.named('coordinator').beReady();
    env.advance(60_000);
    expect((await rejectionOf(start)).message).toBe('the cluster is not ready within 1m 0s');
    expect(children.all.filter(({ isRunning }) => isRunning)).toEqual([]);
  });
});

describe('a child that ends', () => {
  test('is started again after a while that grows, and that is said', async () => {
    const cluster = await started();
    children.named('worker-1').end({ signal: 'SIGKILL' });
    await settled();
    expect(said).toEqual(['worker-1 was ended by SIGKILL; it is started again in 500 ms']);
    expect(cluster.processes.map(({ name }) => name)).toEqual(['coordinator', 'worker-2']);
    env.advance(499);
    expect(children.all).toHaveLength(3);
    env.advance(1);
    const again = children.named('worker-1');
    expect(cluster.processes.map(({ pid }) => pid)).toContain(again.pid);
    again.end({ exitCode: 1 });
    await settled();
    expect(said.at(-1)).toBe('worker-1 ended with exit code 1; it is started again in 1.0 s');
    env.advance(1_000);
    children.named('worker-1').beReady();
    await settled();
    expect(said.at(-1)).toBe(`worker-1 is there again, process ${children.named('worker-1').pid}`);
    expect(changes).toBe(4);
  });

  test('that ran for a minute waits least again', async () => {
    await started();
    children.named('worker-2').end({ exitCode: 1 });
    await settled();
    env.advance(500 + 60_000);
    children.named('worker-2').end({ exitCode: 1 });
    await settled();
    expect(said.at(-1)).toContain('in 500 ms');
  });

  test('listens where it did: the coordinator keeps its address, workers are told it', async () => {
    const cluster = clusterOf({ listen: '127.0.0.1:0', workers: ['worker-1'] });
    const start = cluster.start();
    children.named('coordinator').beReady({ address: '127.0.0.1:4711' });
    await settled();
    children.named('worker-1').beReady();
    await start;
    children.named('worker-1').end({ exitCode: 1 });
    await settled();
    env.advance(500);
    expect(children.named('worker-1').args).toContain('127.0.0.1:4711');
  });
});

describe('an end', () => {
  test('is for the workers first', async () => {
    const cluster = await started();
    children.events.length = 0;
    await cluster.end();
    expect(children.events).toEqual([
      'SIGTERM worker-1',
      'SIGTERM worker-2',
      'SIGTERM coordinator',
    ]);
    expect([cluster.processes, env.timerCount(), said]).toEqual([[], 0, []]);
  });

  test('kills who does not end within 15 s', async () => {
    children = fakeChildren({ isDeaf: true });
    const cluster = await started({ workers: ['worker-1'] });
    const end = cluster.end();
    await settled();
    env.advance(15_000);
    await settled();
    env.advance(15_000);
    await end;
    expect(children.events.slice(2)).toEqual([
      'SIGTERM worker-1',
      'SIGKILL worker-1',
      'SIGTERM coordinator',
      'SIGKILL coordinator',
    ]);
  });

  test('starts nobody again, who ended before it or within', async () => {
    const cluster = await started();
    children.named('worker-1').end({ exitCode: 1 });
    await settled();
    await cluster.end();
    env.advance(60_000);
    expect(children.all.filter(({ isRunning }) => isRunning)).toEqual([]);
    expect(children.all).toHaveLength(3);
  });

  test('may come within the start', async () => {
    const cluster = clusterOf();
    const start = cluster.start();
    await cluster.end();
    expect((await rejectionOf(start)).info.code).toBe('CLUSTER_START_FAILED');
    expect([env.timerCount(), cluster.processes]).toEqual([0, []]);
  });
});
