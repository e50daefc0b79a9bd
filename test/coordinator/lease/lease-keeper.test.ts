/** Goal: the keeper carries out the rules on real clocks and registers, alone and among others. */
import { expect, test } from 'vitest';
import type { Env } from '../../../base/env/env.ts';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { createRpcClient } from '../../../base/rpc/client.ts';
import { createRpcServer } from '../../../base/rpc/server.ts';
import { startLeaseKeeper } from '../../../coordinator/lease/lease-keeper.ts';
import type { LeaseRegister } from '../../../coordinator/lease/lease-register.ts';
import { createMemoryRegister } from '../../../coordinator/lease/memory-register.ts';
import { createRpcRegister, serveRegister } from '../../../coordinator/lease/rpc-register.ts';
import { runOnNode } from '../../support/run-on-node.ts';

test('an embedded coordinator leads at once, and no timer is left when it stops', async () => {
  const events: string[] = [];
  const keeper = startLeaseKeeper(createRealEnv(), {
    register: createMemoryRegister(),
    nodeId: 'embedded',
    onGained: (token) => events.push(`gained ${token}`),
    onLost: (token, reason) => events.push(`lost ${token} ${reason}`),
  });
  expect(keeper.isLeader()).toBe(false);
  await new Promise((resolve) => setImmediate(resolve));
  expect([keeper.isLeader(), keeper.token()]).toEqual([true, 1]);
  keeper.stop();
  keeper.stop();
  expect([keeper.isLeader(), keeper.token()]).toEqual([false, 0]);
  expect(events).toEqual(['gained 1', 'lost 1 stopped']);
});

/** Starts a keeper whose register may be switched off. */
function member(env: Env, register: LeaseRegister, nodeId: string) {
  const link = { isUp: true };
  const refused = async (): Promise<never> => {
    throw new Error('cut off');
  };
  const through: LeaseRegister = {
    read: () => (link.isUp ? register.read() : refused()),
    compareAndSwap: async (version, record) =>
      link.isUp ? register.compareAndSwap(version, record) : { kind: 'failed' },
  };
  return { link, keeper: startLeaseKeeper(env, { register: through, nodeId, durationMs: 1_000 }) };
}

test('a leader that is cut off stops before another begins, and a stop hands over at once', () =>
  runOnNode(async (env) => {
    const register = createMemoryRegister();
    const a = member(env, register, 'a');
    await env.timers.sleep(10);
    const b = member(env, register, 'b');
    await env.timers.sleep(5_000);
    expect([a.keeper.token(), b.keeper.token()]).toEqual([1, 0]);
    a.link.isUp = false;
    const cutAtMs = env.clock.mono();
    while (!b.keeper.isLeader()) {
      await env.timers.sleep(1);
      expect(a.keeper.isLeader() && b.keeper.isLeader()).toBe(false);
    }
    expect(env.clock.mono() - cutAtMs).toBeLessThan(1_500);
    expect([a.keeper.token(), b.keeper.token()]).toEqual([0, 2]);
    a.link.isUp = true;
    await env.timers.sleep(2_000);
    expect([a.keeper.token(), b.keeper.token()]).toEqual([0, 2]);
    b.keeper.stop();
    await env.timers.sleep(200); // One poll, and no waiting for the old lease.
    expect([a.keeper.token(), b.keeper.token()]).toEqual([3, 0]);
  }));

test('a register behind rpc is a register, and what is malformed is refused', () =>
  runOnNode(async (env) => {
    const server = createRpcServer(env);
    serveRegister(server, createMemoryRegister());
    const client = createRpcClient(env, { address: await server.listen('node:1') });
    const register = createRpcRegister(client, { deadlineMs: 500 });
    const keeper = startLeaseKeeper(env, { register, nodeId: 'a', durationMs: 1_000 });
    await env.timers.sleep(3_000);
    expect([keeper.token(), (await register.read()).record?.holder]).toEqual([1, 'a']);
    const record = (await register.read()).record;
    expect(record !== null && (await register.compareAndSwap(0, record)).kind).toBe('conflict');
    const malformed = client.call(
      'lease.compareAndSwap',
      { expectedVersion: -1 },
      { deadlineMs: 500 },
    );
    await expect(malformed).rejects.toThrow('not the arguments of a swap');
    await server.close();
    // The connection still looks open here: the call is sent, and nobody answers.
    expect(record !== null && (await register.compareAndSwap(0, record)).kind).toBe('unknown');
    await env.timers.sleep(200);
    expect(record !== null && (await register.compareAndSwap(0, record)).kind).toBe('failed');
    await expect(register.read()).rejects.toThrow();
    await env.timers.sleep(2_000);
    expect(keeper.isLeader()).toBe(false);
  }));
