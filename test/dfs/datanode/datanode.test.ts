/** Goal: the role as the namenode sees it: what it says of itself and its replicas, and what it does when it is told to. */
import { afterEach, expect, test } from 'vitest';
import { crc32c } from '../../../base/checksum.ts';
import type { Env } from '../../../base/env/env.ts';
import { createMemoryNet } from '../../../base/env/memory-net.ts';
import { createRealClock } from '../../../base/env/real-clock.ts';
import { createRealTimers } from '../../../base/env/real-timers.ts';
import { createSeededRngSource } from '../../../base/env/seeded-rng.ts';
import type { JsonValue } from '../../../base/rpc/message.ts';
import { createRpcServer } from '../../../base/rpc/server.ts';
import { TypedError } from '../../../base/typed-error.ts';
import { type Datanode, startDatanode } from '../../../dfs/datanode/datanode.ts';
import type {
  DatanodeCommand,
  HeartbeatRequest,
  RegisterRequest,
} from '../../../dfs/protocol/datanode-protocol.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { appendTo, contentOf, create, promisedDisk } from '../../support/replica-scene.ts';

type Call = readonly [string, Record<string, never>];

const timers = createRealTimers();
const env = {
  ...{ clock: createRealClock(), timers, net: createMemoryNet(), observe: { event: () => {} } },
  ...{ rng: createSeededRngSource(1) },
};
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A namenode that takes down what it is told, and says what the test wants. */
async function startNamenode() {
  const calls: Call[] = [];
  /** By datanode. */
  const commands = new Map<string, DatanodeCommand[]>();
  const sessions = new Map<string, number>();
  const server = createRpcServer(env);
  const cluster = { clusterId: 'c', blockPoolId: 'pool-1' };
  server.handle('datanode.register', (body) => {
    const { datanode } = body as unknown as RegisterRequest;
    const session = (sessions.get(datanode.datanodeId) ?? 0) + 1;
    sessions.set(datanode.datanodeId, session);
    calls.push(['register', body as never]);
    return { cluster, session, heartbeatIntervalMs: 20, blockReportIntervalMs: 60_000 };
  });
  const handle = (name: string, answer: (datanodeId: string) => object | null) =>
    server.handle(`datanode.${name}`, (body) => {
      const { datanodeId, session } = body as unknown as HeartbeatRequest;
      if (session !== sessions.get(datanodeId)) {
        const info = { code: 'DFS_DATANODE_UNREGISTERED', kind: 'external', retryable: true };
        throw new TypedError('who are you', info as never);
      }
      calls.push([name, body as never]);
      return answer(datanodeId) as JsonValue;
    });
  handle('heartbeat', (id) => ({ commands: commands.get(id)?.splice(0) ?? [] }));
  handle('block-report', () => ({ commands: [] }));
  for (const name of ['block-received-and-deleted', 'report-bad-blocks']) handle(name, () => null);
  handle('commit-block-synchronization', () => null);
  await server.listen('memory:namenode');
  closing.push(() => server.close());
  return { calls, commands, sessions };
}

async function start(
  name: string,
  memory = new MemoryDisk(),
): Promise<Datanode & { readonly memory: MemoryDisk }> {
  const process = { identity: name, hasEnded: () => false } as unknown as Env['process'];
  const secrets = { hex: () => name };
  const datanode = await startDatanode(
    { ...env, process, secrets, disk: promisedDisk(memory) },
    {
      ...{ namenodeAddress: 'memory:namenode', folders: ['/data'], host: 'localhost' },
      ...{ transferAddress: `memory:${name}`, rpcAddress: `memory:${name}-rpc` },
      ...{ networkLocation: '/rack-1', keptFreeBytes: 0, checksum: crc32c, onUseless: () => {} },
    },
  );
  closing.push(() => datanode.stop());
  return Object.assign(datanode, { memory });
}

async function until<T>(find: () => T | undefined | false): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    await timers.sleep(5);
  }
  throw new Error('it did not come to pass within two seconds');
}

const named = (calls: readonly Call[], name: string) =>
  calls.filter(([each]) => each === name).map(([, body]) => body as Record<string, unknown>);

async function finalized(datanode: Datanode, blockId: number, length: number): Promise<void> {
  const writer = await create(datanode.store, blockId);
  await appendTo(writer, length);
  await writer.finalize();
}

const locationOf = (name: string) => ({
  storageId: `storage-${name}`,
  datanode: {
    ...{ datanodeId: `datanode-${name}`, host: 'localhost', networkLocation: '/rack-1' },
    ...{ transferAddress: `memory:${name}`, rpcAddress: `memory:${name}-rpc`, httpAddress: null },
  },
});
const blockOf = (blockId: number, lengthBytes: number) => ({
  ...{ blockPoolId: 'pool-1', blockId, generationStamp: 1, lengthBytes },
});

test('new folders become those of the cluster that the namenode names; a restart says whose they are', async () => {
  const { calls } = await startNamenode();
  const first = await start('a');
  await until(() => named(calls, 'heartbeat').length > 2);
  expect(named(calls, 'register').map(({ cluster }) => cluster)).toEqual([
    null,
    { clusterId: 'c', blockPoolId: 'pool-1' },
  ]);
  expect(named(calls, 'heartbeat')[0]).toMatchObject({
    ...{ datanodeId: 'datanode-a', session: 2, transferCount: 0, replicationCount: 0 },
    storages: [{ storageId: 'storage-a', isFailed: false, capacityBytes: 2 ** 40 }],
  });
  await finalized(first, 5, 700);
  await first.stop();
  closing.pop();
  calls.length = 0;
  await start('a', first.memory);
  const [report] = await until(
    () => named(calls, 'block-report').length > 0 && named(calls, 'block-report'),
  );
  expect(named(calls, 'register')).toHaveLength(1);
  expect(report).toMatchObject({
    ...{ storageId: 'storage-a', part: 0, isLast: true, replicas: [5, 1, 700, 0] },
  });
});

test('a folder has one datanode at a time', async () => {
  await startNamenode();
  const { memory } = await start('a');
  await expect(start('b', memory)).rejects.toMatchObject({ name: 'DFS_IN_USE' });
});

test('a namenode that has forgotten the session is registered with again, and told all', async () => {
  const { calls, sessions } = await startNamenode();
  const datanode = await start('a');
  await until(() => named(calls, 'heartbeat').length > 0);
  await finalized(datanode, 5, 700);
  calls.length = 0;
  sessions.set('datanode-a', 10);
  const reports = await until(
    () => named(calls, 'block-report').length > 0 && named(calls, 'block-report'),
  );
  expect(named(calls, 'register')).toHaveLength(1);
  expect(reports[0]).toMatchObject({ replicas: [5, 1, 700, 0] });
});

test('a replica is deleted, copied and reported when the namenode says so, and it hears of it', async () => {
  const { calls, commands } = await startNamenode();
  const [a, b] = [await start('a'), await start('b')];
  await until(() => named(calls, 'block-report').length === 2);
  await finalized(a, 5, 70_000);
  await finalized(a, 6, 100);
  const changesOf = (name: string) =>
    named(calls, 'block-received-and-deleted')
      .filter(({ datanodeId }) => datanodeId === `datanode-${name}`)
      .flatMap(({ changes }) => changes);
  const targets = [locationOf('b')];
  const blocks = [{ blockId: 6, generationStamp: 1, lengthBytes: 100 }];
  const others = [{ blockId: 5, generationStamp: 9, lengthBytes: 0 }];
  commands.set('datanode-a', [
    { kind: 'replicate', block: blockOf(5, 70_000), token: '', targets, bytesPerSecondMax: 1e12 },
    { kind: 'delete', blockPoolId: 'another', blocks: others },
    { kind: 'delete', blockPoolId: 'pool-1', blocks },
    { kind: 'delete', blockPoolId: 'pool-1', blocks },
    { kind: 'report', storageId: 'storage-a' },
  ]);
  await until(() => b.store.find(5)?.state === 'finalized' && changesOf('b').length > 0);
  const block = { blockId: 5, generationStamp: 1, lengthBytes: 70_000 };
  expect(changesOf('b')).toEqual([{ block, storageId: 'storage-b', status: 'received' }]);
  await until(() => changesOf('a').length > 0);
  expect(changesOf('a')).toEqual([{ block: blocks[0], storageId: 'storage-a', status: 'deleted' }]);
  const reports = await until(() => {
    const found = named(calls, 'block-report').filter(({ storageId }) => storageId === 'storage-a');
    return found.length > 1 && found;
  });
  expect(reports.at(-1)).toMatchObject({ reportId: 2, replicas: [5, 1, 70_000, 0] });
});

test('damage that a read finds is told', async () => {
  const { calls } = await startNamenode();
  const a = await start('a');
  await finalized(a, 5, 700);
  a.memory.files.get('/data/blocks/05/blk_5')?.fill(0);
  await expect(
    (async () => {
      const reader = await a.store.openReader({ blockId: 5, generationStamp: 1 });
      await a.store.noticingDamage(reader.replica, () => reader.read(0, 700));
    })(),
  ).rejects.toMatchObject({ name: 'DFS_REPLICA_DAMAGED' });
  const [told] = await until(
    () => named(calls, 'report-bad-blocks').length > 0 && named(calls, 'report-bad-blocks'),
  );
  expect(told?.replicas).toEqual([
    { block: blockOf(5, 700), datanodeId: 'datanode-a', storageId: 'storage-a' },
  ]);
});

test('a recovery is led over rpc, and the namenode is told what it came to', async () => {
  const { calls, commands } = await startNamenode();
  const a = await start('a');
  await appendTo(await create(a.store, 5), 900);
  await until(() => named(calls, 'heartbeat').length > 0);
  const b = await start('b');
  await appendTo(await create(b.store, 5), 700);
  commands.set('datanode-a', [
    {
      ...{ kind: 'recover', block: blockOf(5, 0), token: '', recoveryId: 9, newLengthBytes: null },
      locations: [locationOf('a'), locationOf('b')],
    },
  ]);
  const [commit] = await until(
    () =>
      named(calls, 'commit-block-synchronization').length > 0 &&
      named(calls, 'commit-block-synchronization'),
  );
  expect(commit).toMatchObject({
    ...{ block: blockOf(5, 0), recoveryId: 9, newLengthBytes: 700 },
    locations: [
      { datanodeId: 'datanode-a', storageId: 'storage-a' },
      { datanodeId: 'datanode-b', storageId: 'storage-b' },
    ],
  });
  for (const { store } of [a, b]) {
    expect(store.find(5)).toMatchObject({
      state: 'finalized',
      generationStamp: 9,
      lengthBytes: 700,
    });
    const reader = await store.openReader({ blockId: 5, generationStamp: 9 });
    expect((await reader.read(0, 700)).bytes).toEqual(contentOf(0, 700, 5));
    await reader.close();
  }
});
