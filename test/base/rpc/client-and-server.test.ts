/**
 * Goal: a call ends once, within its deadline, as ok, failed or unknown, over every net: in memory,
 * over TCP, over a Unix socket, and simulated.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Env } from '../../../base/env/env.ts';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { createRpcClient, type RpcClient } from '../../../base/rpc/client.ts';
import type { JsonValue } from '../../../base/rpc/message.ts';
import { outcomeOf } from '../../../base/rpc/rpc-error.ts';
import {
  createRpcServer,
  type RpcServer,
  type RpcServerOptions,
} from '../../../base/rpc/server.ts';
import { codeOf, typedError } from '../../../base/typed-error.ts';
import { runOnNode } from '../../support/run-on-node.ts';

interface Bench {
  readonly env: Env;
  readonly server: RpcServer;
  readonly client: RpcClient;
}
type OnNet = (work: (bench: Bench) => Promise<void>, options?: RpcServerOptions) => Promise<void>;

const folder = mkdtempSync(join(tmpdir(), 'millrace-rpc-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function withBench(
  env: Env,
  address: string,
  work: (bench: Bench) => Promise<void>,
  options: RpcServerOptions = {},
): Promise<void> {
  const server = createRpcServer(env, options);
  const client = createRpcClient(env, { address: await server.listen(address), backoffMs: 5 });
  try {
    await work({ env, server, client });
  } finally {
    client.close();
    await server.close();
  }
}

const onReal =
  (address: string): OnNet =>
  (work, options) =>
    withBench(createRealEnv({ seed: 1 }), address, work, options);
const onSimulated: OnNet = (work, options) =>
  runOnNode((env) => withBench(env, 'node:1', work, options));

async function endOf(call: Promise<JsonValue>): Promise<readonly unknown[]> {
  return await call.then(
    (body) => ['ok', body],
    (error: unknown) => [codeOf(error), outcomeOf(error)],
  );
}

const deadlineMs = 2_000;

describe.each<[string, OnNet]>([
  ['memory', onReal('memory:server')],
  ['tcp', onReal('127.0.0.1:0')],
  ['unix socket', onReal(`unix:${folder}/socket`)],
  ['simulated net', onSimulated],
])('over %s', (_, onNet) => {
  test('a server knows which connection a call came on, and when that has ended', async () => {
    let ended: (connection: number) => void = () => undefined;
    const hasEnded = new Promise<number>((resolve) => {
      ended = resolve;
    });
    const work = async ({ server, client }: Bench): Promise<void> => {
      server.handle('which', (_body, { connection }) => connection);
      const which = await client.call('which', null, { deadlineMs });
      expect(await client.call('which', null, { deadlineMs })).toBe(which);
      client.close();
      expect(await hasEnded).toBe(which);
    };
    await onNet(work, { onDisconnected: (connection) => ended(connection) });
  });

  test('an answer comes back, many at once and in any order', () =>
    onNet(async ({ env, server, client }) => {
      server.handle('double', async (body) => {
        await env.timers.sleep(Number(body) % 3);
        return Number(body) * 2;
      });
      const numbers = Array.from({ length: 50 }, (__, index) => index);
      const answers = numbers.map((number) => client.call('double', number, { deadlineMs }));
      expect(await Promise.all(answers)).toEqual(numbers.map((number) => number * 2));
    }));

  test('an error crosses with code, kind, message and hint; an unexpected one is unknown', () =>
    onNet(async ({ server, client }) => {
      server.handle('full', () => {
        throw typedError('DISK_FULL', 'no room', { hint: 'Make room.', retryable: true });
      });
      server.handle('broken', () => {
        throw new RangeError('oops');
      });
      const error = await client.call('full', null, { deadlineMs }).catch((reason) => reason);
      expect(error.message).toBe('no room');
      expect(error.info).toEqual({
        code: 'DISK_FULL',
        kind: 'resource',
        retryable: true,
        hint: 'Make room.',
      });
      const broken = await endOf(client.call('broken', null, { deadlineMs }));
      expect(broken).toEqual(['INTERNAL_UNEXPECTED', 'unknown']);
      const none = await endOf(client.call('nothing', null, { deadlineMs }));
      expect(none).toEqual(['RPC_NO_METHOD', 'failed']);
    }));

  test('no answer within the deadline is unknown, and later calls still work', () =>
    onNet(async ({ env, server, client }) => {
      server.handle('sleep', async (body) => {
        await env.timers.sleep(Number(body));
        return 'awake';
      });
      const late = await endOf(client.call('sleep', 1_000, { deadlineMs: 30 }));
      expect(late).toEqual(['RPC_DEADLINE', 'unknown']);
      expect(await client.call('sleep', 0, { deadlineMs })).toBe('awake');
    }));

  test('a server that goes away leaves open calls unknown and new ones failed', () =>
    onNet(async ({ env, server, client }) => {
      server.handle('hang', () => env.timers.sleep(500).then(() => null));
      const open = endOf(client.call('hang', null, { deadlineMs }));
      await env.timers.sleep(50);
      await server.close();
      expect(await open).toEqual(['RPC_DISCONNECTED', 'unknown']);
      const refused = await endOf(client.call('hang', null, { deadlineMs }));
      expect(refused).toEqual(['RPC_DISCONNECTED', 'failed']);
    }));

  test('an older term or epoch is refused after a newer one', () =>
    onNet(
      async ({ server, client }) => {
        server.handle('write', (body) => body);
        const write = (fence: { term?: number; epoch?: number }) =>
          endOf(client.call('write', 'x', { deadlineMs, ...fence }));
        expect(await write({ term: 3 })).toEqual(['RPC_STALE_EPOCH', 'failed']);
        expect(await write({ term: 4, epoch: 9 })).toEqual(['ok', 'x']);
        expect(await write({ term: 5, epoch: 8 })).toEqual(['RPC_STALE_EPOCH', 'failed']);
        expect(await write({ term: 4, epoch: 9 })).toEqual(['ok', 'x']);
        expect(await write({ term: 6 })).toEqual(['ok', 'x']);
        expect(await write({ term: 5 })).toEqual(['RPC_STALE_EPOCH', 'failed']);
      },
      { term: 4 },
    ));

  test('a repeated key is done once, also while the first is in work; a failure is not kept', () =>
    onNet(async ({ env, server, client }) => {
      let workCount = 0;
      server.handle('add', async () => {
        const count = ++workCount;
        await env.timers.sleep(10);
        if (count === 1) throw typedError('DISK_FULL', 'no room');
        return count;
      });
      const add = (idempotencyKey: string) =>
        endOf(client.call('add', null, { deadlineMs, idempotencyKey }));
      expect(await add('a')).toEqual(['DISK_FULL', 'failed']);
      expect(await Promise.all([add('a'), add('a')])).toEqual([
        ['ok', 2],
        ['ok', 2],
      ]);
      expect(await add('a')).toEqual(['ok', 2]);
      expect(await add('b')).toEqual(['ok', 3]);
    }));

  test('repeats reach a server that comes back, within one deadline', () =>
    onNet(async ({ env, server, client }) => {
      let callCount = 0;
      server.handle('flaky', () => {
        callCount++;
        if (callCount < 3) throw typedError('RPC_BUSY', 'busy', { retryable: true });
        return callCount;
      });
      const options = { deadlineMs, isRead: true };
      expect(await client.call('flaky', null, { ...options, retries: 5 })).toBe(3);
      callCount = 0;
      expect(await endOf(client.call('flaky', null, { ...options, retries: 1 }))).toEqual([
        'RPC_BUSY',
        'failed',
      ]);
      const startedAtMs = env.clock.mono();
      await server.close();
      const last = await endOf(
        client.call('flaky', null, { ...options, deadlineMs: 100, retries: 1_000 }),
      );
      expect(last[0]).toBe('RPC_DISCONNECTED');
      expect(env.clock.mono() - startedAtMs).toBeLessThan(1_000);
    }));

  test('an unknown attempt followed by a failed one is unknown', () =>
    onNet(async ({ env, server, client }) => {
      server.handle('hang', () => env.timers.sleep(300).then(() => null));
      const call = endOf(client.call('hang', null, { deadlineMs, isRead: true, retries: 2 }));
      await env.timers.sleep(50);
      await server.close();
      expect(await call).toEqual(['RPC_DISCONNECTED', 'unknown']);
    }));

  test('a server takes only so many calls at a time', () =>
    onNet(
      async ({ env, server, client }) => {
        server.handle('hang', () => env.timers.sleep(50).then(() => 'done'));
        const calls = [1, 2, 3].map(() => endOf(client.call('hang', null, { deadlineMs })));
        const ends = await Promise.all(calls);
        expect(ends).toEqual([
          ['ok', 'done'],
          ['ok', 'done'],
          ['RPC_BUSY', 'failed'],
        ]);
      },
      { callsInWorkMax: 2 },
    ));

  test('closing the client ends its open calls as unknown', () =>
    onNet(async ({ env, server, client }) => {
      server.handle('hang', () => env.timers.sleep(50).then(() => null));
      const open = endOf(client.call('hang', null, { deadlineMs }));
      await env.timers.sleep(20);
      client.close();
      expect(await open).toEqual(['RPC_STOPPED', 'unknown']);
      expect(await endOf(client.call('hang', null, { deadlineMs }))).toEqual([
        'RPC_STOPPED',
        'failed',
      ]);
    }));
});

test('only idempotent calls may be repeated', async () => {
  const client = createRpcClient(createRealEnv(), { address: 'memory:nobody' });
  await expect(client.call('write', 1, { deadlineMs, retries: 1 })).rejects.toThrow('idempotent');
});

test('a frame that is no message ends the connection and harms nobody', () =>
  onReal('127.0.0.1:0')(async ({ env, server, client }) => {
    server.handle('echo', (body) => body);
    await client.call('echo', 1, { deadlineMs });
    const address = await server.listen('127.0.0.1:0');
    for (const text of ['', '{', '{"v":2}', '{"v":1,"kind":"ok","id":1,"body":2}', '[1]']) {
      const connection = await env.net.connect(address, 1_000);
      const closed = new Promise((resolve) => connection.onClose(resolve));
      connection.onFrame(() => {});
      connection.send(new TextEncoder().encode(text));
      expect(await closed).toBeNull();
    }
    expect(await client.call('echo', 2, { deadlineMs })).toBe(2);
  }));

test('an answer that is too large for a frame is an error and not silence', async () => {
  const env = createRealEnv({ frameBytesMax: 1_000 });
  await withBench(env, 'memory:server', async ({ server, client }) => {
    server.handle('long', () => 'x'.repeat(2_000));
    server.handle('echo', (body) => body);
    const long = await endOf(client.call('long', null, { deadlineMs }));
    expect(long).toEqual(['NET_FRAME_TOO_LARGE', 'unknown']); // The handler ran.
    const sent = await endOf(client.call('echo', 'x'.repeat(2_000), { deadlineMs }));
    expect(sent).toEqual(['NET_FRAME_TOO_LARGE', 'failed']);
  });
});
