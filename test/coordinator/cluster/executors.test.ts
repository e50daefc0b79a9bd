/** Goal: a process that was asked for comes to take tasks or is lost, once, and whoever is lost is told to end. */
import { expect, onTestFinished, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { createRpcServer } from '../../../base/rpc/server.ts';
import { toWire } from '../../../base/typed-error.ts';
import { Executors } from '../../../coordinator/cluster/executors.ts';
import { methods } from '../../../coordinator/protocol.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';

const spec = {
  ...{ workerId: 'w1', incarnation: 1, jobId: 'job', epoch: 3, slots: 2 },
  ...{ slotMemoryBytes: 1, bundle: 'b' },
};

function scene() {
  const time = fakeCliEnv();
  const env = { ...createRealEnv({ seed: 1 }), clock: time.clock, timers: time.timers };
  const stopped: string[] = [];
  const started: string[] = [];
  const lost: string[] = [];
  const executors = new Executors(env, {
    ...{ coordinator: 'memory:c', term: 1 },
    calls: {
      startExecutor: async ({ executorId }) => void started.push(executorId),
      stopExecutor: async ({ executorId }) => void stopped.push(executorId),
    },
  });
  onTestFinished(() => executors.close());
  const start = () => executors.start(spec, ({ code, message }) => lost.push(`${code} ${message}`));
  return { time, env, executors, stopped, started, lost, start };
}

const registration = (executorId: string) => {
  return {
    workerId: 'w1',
    executorId,
    address: 'memory:x',
    slotCount: 2,
    exchangeAddress: 'unix:x',
  };
};

test('one that registers is ready, and is told once to end', async () => {
  const { executors, stopped, started, lost, start } = scene();
  const one = start();
  expect([started, one.readyNow]).toEqual([[one.executorId], null]);
  executors.register(registration(one.executorId));
  expect(await one.ready).toMatchObject({ exchangeAddress: 'unix:x' });
  one.end();
  one.end();
  expect([stopped, lost]).toEqual([[one.executorId], []]);
  expect(() => executors.register(registration(one.executorId))).toThrow('nobody waits');
});

test('no two have one name, also for the same attempt', () => {
  const { start } = scene();
  expect(new Set([start(), start(), start()].map(({ executorId }) => executorId)).size).toBe(3);
});

test.each`
  what                             | happens                                                                                                                      | says
  ${'does not register in time'}   | ${({ time }: ReturnType<typeof scene>) => time.advance(30_000)}                                                              | ${/did not register within 30 s/}
  ${'ends before it registers'}    | ${({ executors, started }: ReturnType<typeof scene>) => executors.ended(started[0] ?? '', toWire(new Error('exit code 9')))} | ${/exit code 9/}
  ${'is on a worker that is gone'} | ${({ executors }: ReturnType<typeof scene>) => executors.workerGone('w1')}                                                   | ${/worker "w1"/}
`('one that $what is lost', async ({ happens, says }) => {
  const all = scene();
  const one = all.start();
  happens(all);
  happens(all);
  await expect(one.ready).rejects.toMatchObject({
    info: { code: 'EXECUTOR_LOST', retryable: true },
  });
  expect(all.lost).toHaveLength(1);
  expect(all.lost[0]).toMatch(says);
  expect([one.isLost, all.executors.isWanted(one.executorId)]).toEqual([true, false]);
  expect(all.stopped).toEqual([one.executorId]);
});

test('one that can not be asked for is lost', async () => {
  const { env } = scene();
  const executors = new Executors(env, {
    ...{ coordinator: 'memory:c', term: 1 },
    calls: {
      startExecutor: () => Promise.reject(new Error('no such worker')),
      stopExecutor: async () => undefined,
    },
  });
  const one = executors.start(spec, () => undefined);
  await expect(one.ready).rejects.toThrow('no such worker');
});

test('one that answers no pings any more is lost, one that misses some is not', async () => {
  const { time, env, executors, lost, start } = scene();
  let isFrozen = false;
  const server = createRpcServer(env);
  server.handle(methods.ping, () => (isFrozen ? new Promise(() => undefined) : null));
  await server.listen('memory:x');
  onTestFinished(() => server.close());
  const one = start();
  executors.register(registration(one.executorId));
  const beat = async () => {
    // The ping, its deadline, and the time in between.
    for (const ms of [500, 1_500]) {
      time.advance(ms);
      // A connection, a call and its answer each take a turn of the loop.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  isFrozen = true;
  for (let ping = 0; ping < 3; ping++) await beat();
  isFrozen = false;
  for (let ping = 0; ping < 4; ping++) await beat();
  expect(lost).toEqual([]);
  isFrozen = true;
  for (let ping = 0; ping < 6; ping++) await beat();
  expect(lost).toHaveLength(1);
});
