/**
 * Goal: what a reader gets is what was written, whatever has happened to some of the replicas or on the way; damage is told; and
 * where no replica is right it gets an error and not one wrong byte.
 */
import { expect, test } from 'vitest';
import { crc32c } from '../../../base/checksum.ts';
import type { Connection, Net } from '../../../base/env/net.ts';
import { createSeededRngSource } from '../../../base/env/seeded-rng.ts';
import { codeOf } from '../../../base/typed-error.ts';
import { BlockInput } from '../../../dfs/client/block-input.ts';
import { type DatanodeInScene, DatanodeScene } from '../../support/datanode-scene.ts';
import type { MemoryDisk } from '../../support/memory-disk.ts';
import { contentOf } from '../../support/replica-scene.ts';

const lengthBytes = 3_300;
const nodes = ['memory:dn-1', 'memory:dn-2', 'memory:dn-3'];
const path = '/data/blocks/01/blk_1';

async function written(wrapNet?: (net: Net) => Net) {
  const scene = new DatanodeScene(wrapNet);
  await scene.add(3);
  await scene.write(scene.blockOf(1, 1, 0), nodes, lengthBytes);
  return { scene, block: scene.blockOf(1, 1, lengthBytes) };
}

test('a block that was written through a pipeline is read from any of its nodes, any range of it', async () => {
  const { scene, block } = await written();
  for (const node of nodes) {
    const { bytes, damaged } = await scene.read(block, [node]);
    expect([bytes, damaged]).toEqual([contentOf(0, lengthBytes), []]);
  }
  for (const [from, length] of [
    [0, 1],
    [511, 2],
    [1_000, 1_500],
    [1_024, 1_024],
    [3_299, 1],
    [3_200, 100],
  ] as const) {
    const { bytes } = await scene.read(block, nodes, from, length);
    expect(bytes).toEqual(contentOf(from, from + length));
  }
  expect((await scene.read(block, nodes, lengthBytes, 0)).bytes).toHaveLength(0);
});

test('an append goes on in the middle of a chunk, under a stamp that the namenode was told', async () => {
  const { scene, block } = await written();
  await scene.write(block, nodes, 5_000);
  expect(scene.updates).toEqual([[2, nodes, lengthBytes]]);
  const longer = scene.blockOf(1, 2, 5_000);
  for (const node of nodes) {
    expect((await scene.read(longer, [node])).bytes).toEqual(contentOf(0, 5_000));
  }
});

function heal({ memory, store }: DatanodeInScene, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of files) memory.files.set(name, bytes.slice());
  Object.assign(store.find(1) ?? {}, { damage: null });
}

/** Damages a replica by a way that chance chooses. */
function damage(memory: MemoryDisk, rng: { int(low: number, high: number): number }): void {
  const name = rng.int(0, 2) === 0 ? path : `${path}.meta`;
  const bytes = memory.files.get(name) as Uint8Array;
  const at = rng.int(0, bytes.length);
  const kind = rng.int(0, 4);
  if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << rng.int(0, 8));
  if (kind === 1)
    for (let index = at; index < at + 40; index++) bytes[index] = 255 - (bytes[index] ?? 0);
  if (kind === 2) memory.files.set(name, bytes.slice(0, at));
  if (kind === 3) memory.files.delete(name);
}

test('with two of three replicas damaged in any way the bytes are right; with all three there may be an error, and no wrong byte', async () => {
  const { scene, block } = await written();
  const { datanodes } = scene;
  const whole = datanodes.map(({ memory }) => new Map(memory.files));
  const rng = createSeededRngSource(7).stream('damage');
  let toldCount = 0;
  let unreadableCount = 0;
  for (let round = 0; round < 150; round++) {
    for (const [index, datanode] of datanodes.entries()) heal(datanode, whole[index] ?? new Map());
    const spared = round % 4 === 3 ? -1 : rng.int(0, 3);
    for (const [index, { memory }] of datanodes.entries())
      if (index !== spared) damage(memory, rng);
    if (spared >= 0) {
      const { bytes, damaged } = await scene.read(block, nodes);
      expect(bytes).toEqual(contentOf(0, lengthBytes));
      // Each is read up to where it is damaged, and the next one from there on.
      expect(nodes.slice(0, spared)).toEqual(expect.arrayContaining(damaged));
      expect(damaged.slice(0, 1)).toEqual(nodes.slice(0, Math.min(1, spared)));
      toldCount += damaged.length;
      continue;
    }
    const got: Uint8Array[] = [];
    const onDamaged = () => {};
    const input = new BlockInput(scene.env, {
      ...{ block, locations: nodes, checksum: crc32c, token: '', requestBytes: 1_024, onDamaged },
    });
    const reading = (async () => {
      for await (const piece of input.read(0, lengthBytes)) got.push(piece);
    })();
    const error = await reading.then(
      () => null,
      (reason: unknown) => codeOf(reason),
    );
    input.close();
    const bytes = new Uint8Array(Buffer.concat(got));
    expect(bytes).toEqual(contentOf(0, bytes.length));
    // Three that are damaged in three places still have the whole between them.
    if (error === null) expect(bytes).toHaveLength(lengthBytes);
    else expect(error).toBe('DFS_BLOCK_UNREADABLE');
    unreadableCount += error === null ? 0 : 1;
  }
  expect(toldCount).toBeGreaterThan(50);
  expect(unreadableCount).toBeGreaterThan(20);
});

/** Flips a bit of each `every`-th larger frame that comes from that address. */
function flippingNet(from: string, every: number) {
  let count = 0;
  return (net: Net): Net => ({
    ...net,
    connect: async (address, deadlineMs) => {
      const connection = await net.connect(address, deadlineMs);
      if (address !== from) return connection;
      const onFrame = (handler: (frame: Uint8Array) => void) =>
        connection.onFrame((frame) => {
          if (frame.length > 300 && ++count % every === 0) {
            const at = (count * 7) % frame.length;
            frame[at] = (frame[at] ?? 0) ^ 4;
          }
          handler(frame);
        });
      return new Proxy(connection, {
        get(target, name) {
          if (name === 'onFrame') return onFrame;
          const own = target[name as keyof Connection] as unknown;
          return typeof own === 'function' ? own.bind(target) : own;
        },
      });
    },
  });
}

test('bytes that are damaged on the way are read from another node', async () => {
  const { scene, block } = await written(flippingNet('memory:dn-1', 3));
  for (let round = 0; round < 20; round++) {
    expect((await scene.read(block, nodes)).bytes).toEqual(contentOf(0, lengthBytes));
  }
});

test.each([
  ['it is older than the block', 2, lengthBytes],
  ['it is shorter than the block', 1, lengthBytes + 1],
])('a replica is not believed when %s', async (_, stamp, length) => {
  const { scene } = await written();
  const reading = scene.read(scene.blockOf(1, stamp, length), nodes);
  await expect(reading).rejects.toMatchObject({ name: 'DFS_BLOCK_UNREADABLE' });
});

test('a datanode that is gone, or has no such replica, is passed over', async () => {
  const { scene, block } = await written();
  await scene.add(1);
  const { bytes, damaged } = await scene.read(block, ['memory:nobody', 'memory:dn-4', ...nodes]);
  expect([bytes, damaged]).toEqual([contentOf(0, lengthBytes), []]);
});
