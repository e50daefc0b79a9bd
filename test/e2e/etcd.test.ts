/**
 * Goal: on a real etcd the metadata log keeps the contract of the port and the register that of the leader
 * lease, also when etcd is killed or does not answer; and a standby takes over within five seconds.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Env } from '../../base/env/env.ts';
import { createRealEnv } from '../../base/env/real-env.ts';
import { createRealHttpClient } from '../../base/env/real-http-client.ts';
import { EtcdGateway } from '../../coordinator/etcd/etcd-gateway.ts';
import { openEtcdLog } from '../../coordinator/etcd/etcd-log.ts';
import { createEtcdRegister } from '../../coordinator/etcd/etcd-register.ts';
import { startLeaseKeeper } from '../../coordinator/lease/lease-keeper.ts';
import type { LogPage, MetadataLog } from '../../coordinator/metadata/metadata-log.ts';
import { LogHistory } from '../../simulation/log-history.ts';
import { EtcdServer } from '../support/etcd/etcd-server.ts';
import { codeFrom, metadataLogCases } from '../support/metadata-log-cases.ts';

let server: EtcdServer;
let prefixCount = 0;
const env: Env = createRealEnv();

beforeAll(async () => {
  server = await EtcdServer.start();
});
afterAll(() => server.remove());

const gateway = (deadlineMs = 3_000): EtcdGateway =>
  new EtcdGateway(createRealHttpClient(), { endpoints: [server.endpoint], deadlineMs });
const newPrefix = (): string => `test/${prefixCount++}`;
const openAt = (prefix: string, deadlineMs?: number): Promise<MetadataLog> =>
  openEtcdLog(env, gateway(deadlineMs), prefix);

describe('the contract of the metadata log', () => {
  test.each(Object.entries(metadataLogCases))('%s', async (_, run) => {
    const prefix = newPrefix();
    await run(() => openAt(prefix));
  });
});

test('two coordinators append to one log, and one wins each position', async () => {
  const prefix = newPrefix();
  const logs = [await openAt(prefix), await openAt(prefix)];
  const told: number[][] = [[], []];
  logs.forEach((log, index) => {
    log.watch(0, ({ entries }: LogPage) => {
      for (const { position } of entries) told[index]?.push(position);
    });
  });
  const wins = [0, 0];
  const append = async (log: MetadataLog, index: number): Promise<void> => {
    for (let count = 0; count < 25; ) {
      const { position } = await log.head();
      const { kind } = await log.append({
        after: position,
        term: 1,
        events: [`${index}.${count}`],
      });
      if (kind !== 'ok') continue;
      count++;
      wins[index] = count;
    }
  };
  await Promise.all(logs.map(append));
  const { entries } = await (logs[0] as MetadataLog).read(0);
  expect(new Set(entries.map(({ event }) => event)).size).toBe(50);
  await expect
    .poll(() => told.map((positions) => positions.length), { timeout: 10_000 })
    .toEqual([50, 50]);
  expect(told[0]).toEqual(entries.map(({ position }) => position));
  expect(told[1]).toEqual(told[0]);
  for (const log of logs) await log.close();
});

test('a leader that was replaced is refused by etcd itself, though it knows nothing of it', async () => {
  const prefix = newPrefix();
  const old = await openAt(prefix);
  await old.append({ after: 0, term: 1, events: ['a'] });
  const next = await openAt(prefix);
  await next.append({ after: 1, term: 2, events: ['b'] });
  expect(await old.append({ after: 1, term: 1, events: ['c'] })).toEqual({
    kind: 'fenced',
    term: 2,
  });
  await old.read(0);
  expect(await old.append({ after: 2, term: 1, events: ['d'] })).toEqual({
    kind: 'fenced',
    term: 2,
  });
  expect((await next.read(0)).entries.map(({ event }) => event)).toEqual(['a', 'b']);
  await old.close();
  await next.close();
});

test('etcd that is killed: what was answered is there afterwards, and watchers go on', async () => {
  const prefix = newPrefix();
  const log = await openAt(prefix, 1_000);
  const told: unknown[] = [];
  log.watch(0, ({ entries }) => void told.push(...entries.map(({ event }) => event)));
  await log.append({ after: 0, term: 1, events: ['before'] });
  await expect.poll(() => told).toEqual(['before']);
  await server.kill();
  // A connection that was kept for the next call ends while that is on it.
  const { kind } = await log.append({ after: 1, term: 1, events: ['down'] });
  expect(kind).toMatch(/^(failed|unknown)$/);
  expect(await codeFrom(log.head())).toMatch(/^HTTP_(UNREACHABLE|BROKEN)$/);
  await server.resume();
  expect(await log.head()).toEqual({ position: 1, term: 1 });
  expect(await log.append({ after: 1, term: 1, events: ['after'] })).toEqual({
    kind: 'ok',
    position: 2,
  });
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(['before', 'after']);
  await log.close();
});

test('etcd that does not answer: the outcome is unknown, and a read tells', async () => {
  const prefix = newPrefix();
  const log = await openAt(prefix, 300);
  server.freeze();
  const outcome = await log.append({ after: 0, term: 1, events: ['a'] });
  expect(outcome).toEqual({ kind: 'unknown' });
  server.goOn();
  // What was under way arrives, or conflicts with this: one of them is there.
  await expect
    .poll(() => log.append({ after: 0, term: 1, events: ['a'] }).then(({ kind }) => kind), {
      timeout: 5_000,
    })
    .toMatch(/ok|conflict/);
  expect((await log.read(0)).entries.map(({ event }) => event)).toEqual(['a']);
  await log.close();
});

test('what three coordinators ask of an etcd that is killed and frozen is linearizable', async () => {
  const prefix = newPrefix();
  const history = new LogHistory(() => env.clock.mono());
  const logs = await Promise.all([0, 1, 2].map(() => openAt(prefix, 400)));
  let isOn = true;
  let eventCount = 0;
  let term = 1;
  const outcomes = new Map<string, number>();
  const work = async (log: MetadataLog): Promise<void> => {
    while (isOn) {
      try {
        const { length } = await history.read(() => log.read(0));
        if (eventCount % 20 === 0) term++;
        const request = { after: length, term, events: [`e${eventCount++}`, `e${eventCount++}`] };
        const { kind } = await history.append(request, () => log.append(request));
        outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
      } catch {
        outcomes.set('unread', (outcomes.get('unread') ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 20)); // etcd is down; it comes back.
      }
    }
  };
  const working = Promise.all(logs.map(work));
  const pause = (forMs: number) => new Promise((resolve) => setTimeout(resolve, forMs));
  for (const fault of ['kill', 'freeze'] as const) {
    await pause(300);
    if (fault === 'kill') {
      await server.kill();
      await server.resume();
    } else {
      server.freeze();
      await pause(600);
      server.goOn();
    }
  }
  await pause(300);
  isOn = false;
  await working;
  expect(history.judge()).toBeNull();
  expect(outcomes.get('ok')).toBeGreaterThan(10);
  expect(outcomes.get('conflict')).toBeGreaterThan(2);
  expect((outcomes.get('unknown') ?? 0) + (outcomes.get('unread') ?? 0)).toBeGreaterThan(0);
  for (const log of logs) await log.close();
});

test('the register of the leader lease: a standby leads within five seconds of the death of a leader', async () => {
  const key = `${newPrefix()}/leader`;
  const start = (nodeId: string) => {
    const etcd = gateway(1_000);
    const register = createEtcdRegister(etcd, key);
    const keeper = startLeaseKeeper(env, { register, nodeId, durationMs: 3_000 });
    return { etcd, register, keeper };
  };
  const first = start('c1');
  await expect.poll(() => first.keeper.isLeader(), { timeout: 5_000 }).toBe(true);
  const second = start('c2');
  expect(
    await first.register.compareAndSwap(0, (await first.register.read()).record as never),
  ).toEqual({ kind: 'conflict' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(second.keeper.isLeader()).toBe(false);
  // Dies without a word: its connection is gone, and nothing renews the lease.
  const token = first.keeper.token();
  const dead = { ...first.register, compareAndSwap: async () => ({ kind: 'failed' }) };
  Object.assign(first.register, dead);
  const diedAtMs = env.clock.mono();
  await expect.poll(() => second.keeper.isLeader(), { timeout: 10_000, interval: 20 }).toBe(true);
  expect(first.keeper.isLeader()).toBe(false);
  expect(env.clock.mono() - diedAtMs).toBeLessThan(5_000);
  expect(second.keeper.token()).toBeGreaterThan(token);
  second.keeper.stop();
  first.keeper.stop();
  await new Promise((resolve) => setTimeout(resolve, 100));
  second.etcd.close();
  first.etcd.close();
});
