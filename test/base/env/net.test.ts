/** Goal: frames arrive whole and in order on every net, and sockets never leave this host. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createMemoryNet } from '../../../base/env/memory-net.ts';
import type { Connection, Net } from '../../../base/env/net.ts';
import { parseAddress } from '../../../base/env/socket-address.ts';
import { createTcpNet } from '../../../base/env/tcp-net.ts';
import { codeOf } from '../../../base/typed-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-net-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Pair {
  readonly near: Connection;
  readonly far: Connection;
  readonly address: string;
}

async function withPair(net: Net, address: string, work: (pair: Pair) => Promise<void>) {
  const accepted = Promise.withResolvers<Connection>();
  const listener = await net.listen(address, accepted.resolve);
  const near = await net.connect(listener.address, 1_000);
  const far = await accepted.promise;
  try {
    await work({ near, far, address: listener.address });
  } finally {
    near.close();
    far.close();
    await listener.close();
  }
}

/** Resolves with `count` frames, in the order of their arrival. */
function frames(connection: Connection, count: number): Promise<Uint8Array[]> {
  return new Promise((resolve) => {
    const seen: Uint8Array[] = [];
    connection.onFrame((frame) => {
      seen.push(frame);
      if (seen.length === count) resolve(seen);
    });
  });
}

const closed = (connection: Connection): Promise<string | null> =>
  new Promise((resolve) => connection.onClose((error) => resolve(error && codeOf(error))));

async function codeFrom(work: () => unknown): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

describe.each<[string, () => Net, string]>([
  ['memory', () => createMemoryNet({ frameBytesMax: 4_000_000 }), 'memory:a'],
  ['tcp', () => createTcpNet({ frameBytesMax: 4_000_000 }), '127.0.0.1:0'],
  ['unix socket', () => createTcpNet({ frameBytesMax: 4_000_000 }), `unix:${folder}/a`],
])('%s net', (_, createNet, address) => {
  test('frames of all sizes arrive whole, in order, both ways', () =>
    withPair(createNet(), address, async ({ near, far }) => {
      const sizes = [0, 1, 3, 70_000, 0, 3_000_000, 2];
      const arrived = [frames(far, sizes.length), frames(near, sizes.length)];
      for (const size of sizes) {
        near.send(new Uint8Array(size).fill(size % 251));
        far.send(new Uint8Array(size).fill(size % 251));
      }
      for (const list of await Promise.all(arrived)) {
        expect(list.map((frame) => frame.length)).toEqual(sizes);
        expect(list.every((frame) => frame.every((byte) => byte === frame.length % 251))).toBe(
          true,
        );
      }
    }));

  test('a frame is copied: the sender may reuse its bytes at once', () =>
    withPair(createNet(), address, async ({ near, far }) => {
      const frame = new Uint8Array([1, 2, 3]);
      const arrived = frames(far, 1);
      near.send(frame);
      frame.fill(9);
      expect([...((await arrived)[0] ?? [])]).toEqual([1, 2, 3]);
    }));

  test('frames that come before anybody listens are kept', () =>
    withPair(createNet(), address, async ({ near, far }) => {
      near.send(new Uint8Array([7]));
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect([...((await frames(far, 1))[0] ?? [])]).toEqual([7]);
    }));

  test('a full queue asks the sender to wait, and says when it may go on', () =>
    withPair(createNet(), address, async ({ near, far }) => {
      const drained = new Promise<void>((resolve) => near.onDrain(resolve));
      let sentCount = 1;
      while (near.send(new Uint8Array(500_000))) sentCount++;
      expect(sentCount).toBeLessThan(100);
      const arrived = frames(far, sentCount);
      await drained;
      expect((await arrived).length).toBe(sentCount);
    }));

  test('a close comes after all frames, once on each side', () =>
    withPair(createNet(), address, async ({ near, far }) => {
      const order: string[] = [];
      far.onFrame(() => order.push('frame'));
      const ends = [closed(near), closed(far)];
      near.send(new Uint8Array(100_000));
      near.send(new Uint8Array(1));
      near.close();
      near.close();
      expect(await Promise.all(ends)).toEqual([null, null]);
      expect(order).toEqual(['frame', 'frame']);
      expect(await codeFrom(() => near.send(new Uint8Array(1)))).toBe('NET_BROKEN');
    }));

  test('who asks late still hears of the close', () =>
    withPair(createNet(), address, async ({ near, far }) => {
      near.onFrame(() => {});
      far.close();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await closed(near)).toBeNull();
      expect(await closed(far)).toBeNull();
    }));

  test('frames above the limit, taken addresses and silent ones are refused', () =>
    withPair(createNet(), address, async ({ near, address: taken }) => {
      expect(await codeFrom(() => near.send(new Uint8Array(4_000_001)))).toBe(
        'NET_FRAME_TOO_LARGE',
      );
      const net = createNet();
      const nobody = address.startsWith('127') ? '127.0.0.1:1' : `${address}-nobody`;
      expect(await codeFrom(() => net.connect(nobody, 500))).toBe('NET_UNREACHABLE');
      if (address.startsWith('memory:')) return; // Another net has other names.
      expect(await codeFrom(() => net.listen(taken, () => {}))).toBe('NET_ADDRESS_IN_USE');
    }));
});

test.each`
  address                | code
  ${'0.0.0.0:80'}        | ${'NET_NOT_LOOPBACK'}
  ${'10.0.0.1:80'}       | ${'NET_NOT_LOOPBACK'}
  ${'example.com:443'}   | ${'NET_NOT_LOOPBACK'}
  ${'localhost.evil:80'} | ${'NET_NOT_LOOPBACK'}
  ${'127.0.0.1.evil:80'} | ${'NET_NOT_LOOPBACK'}
  ${'[::]:80'}           | ${'NET_NOT_LOOPBACK'}
  ${'127.0.0.1'}         | ${'NET_ADDRESS_FORM'}
  ${'127.0.0.1:99999'}   | ${'NET_ADDRESS_FORM'}
  ${'unix:'}             | ${'NET_ADDRESS_FORM'}
  ${'memory:a'}          | ${'NET_ADDRESS_FORM'}
`('$address is refused with $code, both ways', async ({ address, code }) => {
  const net = createTcpNet();
  expect(await codeFrom(() => net.listen(address, () => {}))).toBe(code);
  expect(await codeFrom(() => net.connect(address, 100))).toBe(code);
});

test('loopback has several spellings', () => {
  expect(parseAddress('localhost:0')).toEqual({ host: '127.0.0.1', port: 0 });
  expect(parseAddress('127.9.0.1:5')).toEqual({ host: '127.9.0.1', port: 5 });
  expect(parseAddress('[::1]:5')).toEqual({ host: '::1', port: 5 });
});

test('a socket file of a dead process is taken over, and only its user may connect', async () => {
  const path = join(folder, 'stale');
  const { spawnSync } = await import('node:child_process');
  const script = `require('net').createServer().listen(${JSON.stringify(path)},()=>process.kill(process.pid,'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  expect(statSync(path).isSocket()).toBe(true);
  const listener = await createTcpNet().listen(`unix:${path}`, () => {});
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await listener.close();
});

test('a peer that announces too long a frame, or ends inside one, is cut off', async () => {
  const net = createTcpNet({ frameBytesMax: 100 });
  const codes: (string | null)[] = [];
  const listener = await net.listen('127.0.0.1:0', (connection) => {
    connection.onFrame(() => {});
    connection.onClose((error) => codes.push(error && codeOf(error)));
  });
  const port = Number(listener.address.split(':')[1]);
  for (const bytes of [[101, 0, 0, 0], [5, 0, 0, 0, 1], []]) {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('error', () => {});
    const end = new Promise((resolve) => socket.on('close', resolve));
    socket.end(new Uint8Array(bytes));
    await end;
  }
  await expect.poll(() => codes).toEqual(['NET_FRAME_TOO_LARGE', 'NET_BROKEN', null]);
  await listener.close();
});
