/** Goal: a copy is the replica or nothing: nothing damaged, nothing unfinished, nothing of another version is ever spread. */
import { expect, test } from 'vitest';
import { crc32c } from '../../../base/checksum.ts';
import { copyBlock } from '../../../dfs/datanode/block-copier.ts';
import type { ExtendedBlock } from '../../../dfs/protocol/block.ts';
import { type DatanodeInScene, DatanodeScene, sceneTimes } from '../../support/datanode-scene.ts';
import { contentOf } from '../../support/replica-scene.ts';

const lengthBytes = 600_000;

async function written() {
  const scene = new DatanodeScene();
  await scene.add(3);
  await scene.write(scene.blockOf(1, 1, 0), ['memory:dn-1'], lengthBytes);
  const [source, target, other] = scene.datanodes as [
    DatanodeInScene,
    DatanodeInScene,
    DatanodeInScene,
  ];
  return { scene, source, target, other, block: scene.blockOf(1, 1, lengthBytes) };
}

function copy(
  scene: DatanodeScene,
  source: DatanodeInScene,
  block: ExtendedBlock,
  to: string[],
  rate = 1e12,
) {
  return copyBlock(scene.env, {
    ...{ store: source.store, checksum: crc32c, times: sceneTimes, block, token: '' },
    ...{ targets: to, bytesPerSecondMax: rate },
  });
}

test('a copy has every byte, on all targets, and is finalized there', async () => {
  const { scene, source, target, other, block } = await written();
  await copy(scene, source, block, [target.address, other.address]);
  for (const { store, address } of [target, other]) {
    expect(store.find(1)).toMatchObject({ state: 'finalized', generationStamp: 1, lengthBytes });
    const { bytes } = await scene.read(block, [address]);
    expect(Buffer.compare(bytes, contentOf(0, lengthBytes))).toBe(0);
  }
});

test('the rate is kept', async () => {
  const { scene, source, target, block } = await written();
  const startedMs = scene.env.clock.mono();
  await copy(scene, source, block, [target.address], 2_000_000);
  // Of 600,000 bytes all but the last packet wait for their time.
  expect(scene.env.clock.mono() - startedMs).toBeGreaterThan(250);
});

test('what is damaged is not spread, and is told', async () => {
  const { scene, source, target, block } = await written();
  const bytes = source.memory.files.get('/data/blocks/01/blk_1') as Uint8Array;
  bytes[550_000] = 255 - (bytes[550_000] ?? 0);
  await expect(copy(scene, source, block, [target.address])).rejects.toMatchObject({
    name: 'DFS_REPLICA_DAMAGED',
  });
  expect(source.damaged).toHaveLength(1);
  await expect(scene.read(block, [target.address])).rejects.toMatchObject({
    name: 'DFS_BLOCK_UNREADABLE',
  });
  // A later try, from a good replica, takes the place of what was begun.
  bytes[550_000] = 255 - (bytes[550_000] ?? 0);
  Object.assign(source.store.find(1) ?? {}, { damage: null });
  await copy(scene, source, block, [target.address]);
  expect((await scene.read(block, [target.address])).bytes).toHaveLength(lengthBytes);
});

test('what is not finalized, or is another version, is not copied; who has it already refuses', async () => {
  const { scene, source, target, block } = await written();
  const older = { ...block, generationStamp: 0 };
  await expect(copy(scene, source, older, [target.address])).rejects.toMatchObject({
    name: 'DFS_REPLICA_STALE',
  });
  await copy(scene, source, block, [target.address]);
  await expect(copy(scene, source, block, [target.address])).rejects.toMatchObject({
    name: 'DFS_COPY_FAILED',
  });
  await source.store.reopen(block, 2);
  await expect(copy(scene, source, block, [target.address])).rejects.toMatchObject({
    name: 'DFS_REPLICA_STATE',
  });
});
