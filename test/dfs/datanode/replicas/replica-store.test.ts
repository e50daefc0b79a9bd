/** Goal: a replica goes through its states as the picture in replica.ts has them, with one writer at a time, and survives restarts. */
import { expect, test } from 'vitest';
import { crc32c } from '../../../../base/checksum.ts';
import type { DiskSpace } from '../../../../base/env/disk.ts';
import { diskError } from '../../../../base/env/disk-error.ts';
import { codeOf } from '../../../../base/typed-error.ts';
import { ReplicaStore } from '../../../../dfs/datanode/replicas/replica-store.ts';
import { readIdentityOf } from '../../../../dfs/datanode/replicas/volume-set.ts';
import { MemoryDisk } from '../../../support/memory-disk.ts';
import {
  appendTo,
  contentOf,
  create,
  openStore,
  promisedDisk,
  readAll,
  sceneOwner,
} from '../../../support/replica-scene.ts';

async function codeFrom(work: Promise<unknown>): Promise<string | null> {
  return await work.then(
    () => null,
    (error: unknown) => codeOf(error) ?? String(error),
  );
}

function scene() {
  const memory = new MemoryDisk();
  return { memory, disk: promisedDisk(memory) };
}

test('what was appended in pieces of any length is read as a whole, before and after it is finalized', async () => {
  const { disk, memory } = scene();
  const { store } = await openStore({ disk });
  const writer = await create(store, 1);
  for (const end of [1, 2, 511, 512, 513, 1_024, 1_030, 3_000]) {
    await appendTo(writer, end);
    expect(await readAll(store, 1)).toEqual(contentOf(0, end));
  }
  await writer.finalize();
  expect(store.find(1)).toMatchObject({ state: 'finalized', lengthBytes: 3_000, writer: null });
  expect(await readAll(store, 1)).toEqual(contentOf(0, 3_000));
  expect(memory.openFiles.size).toBe(0);
});

test('an empty replica is one, too', async () => {
  const { disk } = scene();
  const { store } = await openStore({ disk });
  await (await create(store, 1)).finalize();
  expect(await readAll(store, 1)).toHaveLength(0);
  const again = await openStore({ disk });
  expect(again.store.find(1)).toMatchObject({ state: 'finalized', lengthBytes: 0, damage: null });
});

test('a range comes in whole chunks with their checksums', async () => {
  const { disk } = scene();
  const { store } = await openStore({ disk });
  const writer = await create(store, 1);
  await appendTo(writer, 1_300);
  await writer.finalize();
  const reader = await store.openReader({ blockId: 1, generationStamp: 1 });
  const middle = await reader.read(600, 10);
  expect([middle.startBytes, middle.bytes, [...middle.sums]]).toEqual([
    512,
    contentOf(512, 1_024),
    [crc32c(contentOf(512, 1_024))],
  ]);
  const end = await reader.read(1_299, 500);
  expect([end.startBytes, end.bytes]).toEqual([1_024, contentOf(1_024, 1_300)]);
  await reader.close();
});

test('bytes that come again are skipped, up to the last one that is there', async () => {
  const { disk } = scene();
  const { store } = await openStore({ disk });
  const writer = await create(store, 1);
  await appendTo(writer, 1_300);
  await appendTo(writer, 700, 100);
  await appendTo(writer, 1_300, 1_024);
  expect(writer.replica.lengthBytes).toBe(1_300);
  await appendTo(writer, 2_000, 3);
  await writer.finalize();
  expect(await readAll(store, 1)).toEqual(contentOf(0, 2_000));
});

test('bytes without their checksum, or behind a gap, are refused, and the writer goes on', async () => {
  const { disk } = scene();
  const { store } = await openStore({ disk });
  const writer = await create(store, 1);
  await appendTo(writer, 100);
  const bytes = contentOf(100, 200);
  const sums = Uint32Array.of(crc32c(contentOf(0, 200)));
  bytes[7] = (bytes[7] ?? 0) ^ 1;
  expect(await codeFrom(writer.append(bytes, 100, sums))).toBe('DFS_PACKET_DAMAGED');
  expect(await codeFrom(appendTo(writer, 300, 200))).toBe('DFS_REPLICA_STALE');
  await appendTo(writer, 600);
  await writer.finalize();
  expect(await readAll(store, 1)).toEqual(contentOf(0, 600));
});

test('a restart finds what was finalized, and how far the rest had come; copies that were not finished go', async () => {
  const { disk, memory } = scene();
  const { store } = await openStore({ disk });
  const finished = await create(store, 1);
  await appendTo(finished, 700);
  await finished.finalize();
  await appendTo(await create(store, 2, { generationStamp: 7 }), 1_300);
  await appendTo(await create(store, 3, { isTemporary: true }), 50);

  const again = await openStore({ disk });
  expect(again.store.replicas()).toMatchObject([
    { blockId: 1, state: 'finalized', lengthBytes: 700 },
    { blockId: 2, state: 'waiting-to-be-recovered', lengthBytes: 1_300, generationStamp: 7 },
  ]);
  expect(await readAll(again.store, 2)).toEqual(contentOf(0, 1_300, 2));
  expect([...memory.files.keys()].filter((name) => name.includes('blk_3'))).toEqual([]);
});

test('the next writer stops the one before and goes on behind what it wrote', async () => {
  const { disk } = scene();
  const { store } = await openStore({ disk });
  const first = await create(store, 1);
  await appendTo(first, 700);
  const block = { blockId: 1, generationStamp: 1, lengthBytes: 600 };
  const second = await store.reopen(block, 2);
  expect(await codeFrom(appendTo(first, 800))).toBe('DFS_WRITER_REPLACED');
  expect(await codeFrom(first.finalize())).toBe('DFS_WRITER_REPLACED');
  await appendTo(second, 1_500);
  await second.finalize();
  expect(store.find(1)).toMatchObject({ generationStamp: 2, state: 'finalized' });
  expect(await readAll(store, 1, 2)).toEqual(contentOf(0, 1_500));
});

test.each`
  lengthBytes | stamp | code
  ${701}      | ${2}  | ${'DFS_REPLICA_STALE'}
  ${700}      | ${1}  | ${'DFS_REPLICA_STALE'}
  ${700}      | ${0}  | ${'DFS_REPLICA_STALE'}
  ${700}      | ${2}  | ${null}
`(
  'reopening under stamp $stamp with $lengthBytes acknowledged: $code',
  async ({ lengthBytes, stamp, code }) => {
    const { disk } = scene();
    const { store } = await openStore({ disk });
    await appendTo(await create(store, 1), 700);
    const block = { blockId: 1, generationStamp: 1, lengthBytes };
    expect(await codeFrom(store.reopen(block, stamp))).toBe(code);
  },
);

test('a finalized replica is appended to under a new stamp, across restarts', async () => {
  const { disk } = scene();
  let { store } = await openStore({ disk });
  let length = 0;
  for (let stamp = 1; stamp <= 4; stamp++) {
    const block = { blockId: 1, generationStamp: stamp - 1, lengthBytes: length };
    const writer = stamp === 1 ? await create(store, 1) : await store.reopen(block, stamp);
    length += 333;
    await appendTo(writer, length);
    if (stamp % 2 === 1) await writer.finalize();
    ({ store } = await openStore({ disk }));
    expect(store.find(1)?.damage).toBeNull();
    expect(await readAll(store, 1, stamp)).toEqual(contentOf(0, length));
  }
});

test('a reader asks for a version: of an older replica it gets nothing', async () => {
  const { disk } = scene();
  const { store } = await openStore({ disk });
  const writer = await create(store, 1);
  await appendTo(writer, 10);
  await writer.finalize();
  expect(await codeFrom(readAll(store, 1, 1))).toBeNull();
  expect(await codeFrom(readAll(store, 1, 2))).toBe('DFS_REPLICA_STALE');
  expect(await codeFrom(readAll(store, 2, 1))).toBe('DFS_REPLICA_NOT_FOUND');
});

test.each([0, 1, 511, 512, 513, 1_300])(
  'a recovery stops the writer, tells the length, and cuts to %s bytes',
  async (length) => {
    const { disk } = scene();
    const { store } = await openStore({ disk });
    const writer = await create(store, 1);
    await appendTo(writer, 1_300);
    expect(await store.beginRecovery(1, 5)).toMatchObject({
      ...{ generationStamp: 1, lengthBytes: 1_300, state: 'being-written' },
    });
    expect(await codeFrom(appendTo(writer, 1_400))).toBe('DFS_WRITER_REPLACED');
    expect(await codeFrom(store.updateRecovered(1, 4, length))).toBe('DFS_REPLICA_STALE');
    expect(await codeFrom(store.updateRecovered(1, 5, 1_301))).toBe('DFS_REPLICA_STALE');
    await store.updateRecovered(1, 5, length);
    await store.updateRecovered(1, 5, length); // The answer was lost.
    expect(await readAll(store, 1, 5)).toEqual(contentOf(0, length));
    const again = await openStore({ disk });
    expect(again.store.find(1)).toMatchObject({ state: 'finalized', lengthBytes: length });
    expect(await readAll(again.store, 1, 5)).toEqual(contentOf(0, length));
  },
);

test('of two recoveries the newer one has the replica; an old writer has it no more', async () => {
  const { disk } = scene();
  const { store } = await openStore({ disk });
  await appendTo(await create(store, 1), 100);
  await store.beginRecovery(1, 5);
  expect(await codeFrom(store.beginRecovery(1, 4))).toBe('DFS_REPLICA_STALE');
  expect(await store.beginRecovery(1, 6)).toMatchObject({ state: 'being-written' });
  const block = { blockId: 1, generationStamp: 1, lengthBytes: 0 };
  expect(await codeFrom(store.reopen(block, 3))).toBe('DFS_REPLICA_STALE');
  expect(await codeFrom(store.updateRecovered(1, 5, 100))).toBe('DFS_REPLICA_STALE');
  await store.updateRecovered(1, 6, 100);
});

test('a recovery that meets a writer at work waits for what it does, and has it then', async () => {
  const { disk } = scene();
  const { store } = await openStore({ disk });
  const writer = await create(store, 1);
  await appendTo(writer, 200);
  const appended = codeFrom(appendTo(writer, 600));
  const reopened = codeFrom(store.reopen({ blockId: 1, generationStamp: 1, lengthBytes: 0 }, 3));
  const info = await store.beginRecovery(1, 9);
  await reopened;
  expect(info.lengthBytes).toBe((await appended) === null ? 600 : 200);
  expect(store.find(1)).toMatchObject({ state: 'under-recovery', recovery: { id: 9 } });
  await store.updateRecovered(1, 9, info.lengthBytes);
  expect(store.find(1)).toMatchObject({ state: 'finalized', generationStamp: 9, writer: null });
  expect(await readAll(store, 1, 9)).toEqual(contentOf(0, info.lengthBytes));
});

test('at most one replica of a block, at most one writer of it', async () => {
  const { disk } = scene();
  const { store } = await openStore({ disk });
  const outcomes = await Promise.allSettled([create(store, 1), create(store, 1)]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await codeFrom(create(store, 1, { generationStamp: 2 }))).toBe('DFS_REPLICA_EXISTS');
  const block = { blockId: 1, generationStamp: 1, lengthBytes: 0 };
  const reopened = await Promise.allSettled([store.reopen(block, 3), store.reopen(block, 4)]);
  const writers = reopened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const usable = [];
  for (const writer of writers) {
    if ((await codeFrom(appendTo(writer, 10))) === null) usable.push(writer);
  }
  expect(usable).toEqual([store.find(1)?.writer]);
});

test('a deleted replica is gone, one of a newer stamp is not', async () => {
  const { disk, memory } = scene();
  const { store } = await openStore({ disk });
  const writer = await create(store, 1, { generationStamp: 3 });
  await appendTo(writer, 10);
  expect(await store.delete(1, 2)).toBeNull();
  expect(await store.delete(1, 3)).toMatchObject({ blockId: 1 });
  expect(await codeFrom(appendTo(writer, 20))).toBe('DFS_WRITER_REPLACED');
  expect([...memory.files.keys()].filter((name) => name.includes('blk_'))).toEqual([]);
  expect(memory.openFiles.size).toBe(0);
});

test('blocks go to the volume with the most room, counting what others have reserved', async () => {
  const { memory } = scene();
  const free: Record<string, number> = { '/a': 10_000, '/b': 9_000 };
  const spaceOf = (path: string): DiskSpace => ({
    capacityBytes: 20_000,
    freeBytes: free[path.slice(0, 2)] ?? 0,
  });
  const disk = promisedDisk(Object.assign(memory, { space: spaceOf }));
  const { store } = await openStore({ disk }, ['/a', '/b']);
  const writers = [await create(store, 1), await create(store, 2), await create(store, 3)];
  expect(writers.map(({ replica }) => replica.volume.folder)).toEqual(['/a', '/b', '/a']);
  expect((await store.storageReports()).map(({ remainingBytes }) => remainingBytes)).toEqual([
    10_000 - 2 * 4_096,
    9_000 - 4_096,
  ]);
  await writers[0]?.finalize();
  await create(store, 4);
  await create(store, 5);
  expect(await codeFrom(create(store, 6))).toBe('DFS_NO_SPACE');
});

test('a volume whose disk fails is taken out with its replicas; the others go on', async () => {
  const { disk, memory } = scene();
  let isBroken = false;
  const write = memory.write.bind(memory);
  Object.assign(memory, {
    write: (...[file, bytes, position]: Parameters<typeof write>) => {
      if (isBroken && memory.openFiles.get(file)?.startsWith('/a/')) throw diskError('EIO', '/a');
      write(file, bytes, position);
    },
  });
  const { store, failedVolumes } = await openStore({ disk }, ['/a', '/b']);
  const writers = [await create(store, 1), await create(store, 2)];
  const onA = writers.find(({ replica }) => replica.volume.folder === '/a');
  const onB = writers.find(({ replica }) => replica.volume.folder === '/b');
  isBroken = true;
  if (onA === undefined || onB === undefined) throw new Error('the blocks are on two volumes');
  expect(await codeFrom(appendTo(onA, 100))).toBe('DISK_IO');
  expect(failedVolumes).toEqual(['/a']);
  expect(store.replicas().map(({ blockId }) => blockId)).toEqual([onB.replica.blockId]);
  await appendTo(onB, 100);
  expect((await create(store, 3)).replica.volume.folder).toBe('/b');
  expect((await store.storageReports()).map(({ isFailed }) => isFailed)).toEqual([true, false]);
});

test('a sector that can not be read damages a replica and not the volume', async () => {
  const { disk, memory } = scene();
  const { store, failedVolumes } = await openStore({ disk });
  const writer = await create(store, 1);
  await appendTo(writer, 100);
  await writer.finalize();
  const read = memory.read.bind(memory);
  const broken = (...[file, into, position]: Parameters<typeof read>) => {
    if (memory.openFiles.get(file)?.endsWith('blk_1')) throw diskError('EIO', '/data');
    return read(file, into, position);
  };
  Object.assign(memory, { read: broken });
  expect(await codeFrom(readAll(store, 1))).toBe('DFS_REPLICA_DAMAGED');
  expect(failedVolumes).toEqual([]);
  expect(await codeFrom(create(store, 2))).toBeNull();
});

test('folders of another datanode or cluster are refused, and say whose they are', async () => {
  const { disk, memory } = scene();
  await openStore({ disk }, ['/a', '/b']);
  expect(await readIdentityOf(disk, ['/a', '/b', '/c'])).toEqual(sceneOwner);
  expect(await readIdentityOf(disk, ['/c'])).toBeNull();
  const other = { ...sceneOwner, clusterId: 'cluster-2' };
  const options = { folders: ['/a'], keptFreeBytes: 0, owner: other };
  const env = { disk, checksum: crc32c, observe: { event: () => {} }, secrets: { hex: () => 'x' } };
  const opened = ReplicaStore.open(env, {
    ...options,
    onDamaged: () => {},
    onVolumeFailed: () => {},
  });
  await expect(opened).rejects.toThrow(
    'volume "/a" belongs to datanode datanode-1 of cluster cluster-1, not to datanode datanode-1 of cluster cluster-2',
  );
  memory.files.get('/b/volume')?.fill(0x30, 40, 44);
  expect(await codeFrom(readIdentityOf(disk, ['/a', '/b']))).toBe('DFS_VOLUME_DAMAGED');
});
