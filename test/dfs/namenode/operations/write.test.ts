/** Goal: a writer that repeats what was not answered does it once; one that is wrong, or replaced, does nothing. */
import { expect, test } from 'vitest';
import { setQuota } from '../../../../dfs/namenode/operations/attributes.ts';
import { getFileInfo } from '../../../../dfs/namenode/operations/look.ts';
import {
  getAdditionalDatanode,
  updateBlockForPipeline,
  updatePipeline,
} from '../../../../dfs/namenode/operations/pipeline.ts';
import { remove } from '../../../../dfs/namenode/operations/remove.ts';
import {
  abandonBlock,
  addBlock,
  complete,
  fsync,
} from '../../../../dfs/namenode/operations/write.ts';
import type { ExtendedBlock } from '../../../../dfs/protocol/block.ts';
import { anywhere, locationOf, WriterScene } from '../../../support/writer-scene.ts';

const path = '/f';

function begun() {
  const scene = new WriterScene();
  const { fileId } = scene.file(path);
  const writer = { path, clientName: 'writer', fileId };
  const add = (previous: ExtendedBlock | null) =>
    scene.write(addBlock, { ...writer, previous, ...anywhere }).block;
  return { scene, writer, add };
}

test('blocks one behind the other: ids, stamps, places, offsets', () => {
  const { scene, writer, add } = begun();
  const first = add(null);
  expect(first.block).toEqual({
    ...{ blockId: 1_073_741_825, generationStamp: 1_001, lengthBytes: 0, blockPoolId: 'pool' },
  });
  expect(first.locations.map(({ datanode }) => datanode.datanodeId)).toEqual(['a', 'b', 'c']);
  const second = add({ ...first.block, lengthBytes: 100 });
  expect(second).toMatchObject({ offsetBytes: 100, block: { generationStamp: 1_002 } });
  scene.report({ ...first.block, lengthBytes: 100 });
  scene.report({ ...second.block, lengthBytes: 7 });
  scene.nowMs = 9_000;
  const last = { ...second.block, lengthBytes: 7 };
  expect(scene.write(complete, { ...writer, last })).toEqual({ isComplete: true });
  const status = scene.run(getFileInfo, { path });
  expect(status).toMatchObject({ lengthBytes: 107, modificationTimeMs: 9_000 });
});

test('each call may be repeated: the answer is the same, and nothing more is done', () => {
  const { scene, writer, add } = begun();
  const first = add(null);
  expect(add(null)).toEqual(first);
  const previous = { ...first.block, lengthBytes: 100 };
  const second = add(previous);
  expect(add(previous)).toEqual(second);
  const taken = { ...writer, block: second.block };
  scene.write(abandonBlock, taken);
  expect(scene.write(abandonBlock, taken)).toEqual({ isDone: true });
  scene.report(previous);
  scene.write(complete, { ...writer, last: previous });
  const count = scene.edits.length;
  expect(scene.write(complete, { ...writer, last: previous })).toEqual({ isComplete: true });
  expect(scene.edits.length).toBe(count);
});

test('a file is complete when datanodes have its blocks, and what was said of the last one is kept', () => {
  const { scene, writer, add } = begun();
  const last = { ...add(null).block, lengthBytes: 50 };
  expect(scene.write(complete, { ...writer, last })).toEqual({ isComplete: false });
  expect(scene.run(getFileInfo, { path }).lengthBytes).toBe(50);
  // A replica with fewer bytes is not the block.
  scene.report({ ...last, lengthBytes: 49 });
  expect(scene.write(complete, { ...writer, last })).toEqual({ isComplete: false });
  scene.report(last);
  expect(scene.write(complete, { ...writer, last })).toEqual({ isComplete: true });
});

test('no third block before a datanode has the first', () => {
  const { scene, writer, add } = begun();
  const first = { ...add(null).block, lengthBytes: 100 };
  const second = { ...add(first).block, lengthBytes: 100 };
  const request = { ...writer, previous: second, ...anywhere };
  expect(scene.attempt(addBlock, request)).toBe('DFS_NOT_REPORTED');
  scene.report(first);
  expect(scene.attempt(addBlock, request)).toMatchObject({ block: { offsetBytes: 200 } });
});

test('what a writer has that is not the last version is refused', () => {
  const { scene, writer, add } = begun();
  const first = add(null).block;
  const refused = [
    { ...first, blockId: first.blockId + 1 },
    { ...first, generationStamp: first.generationStamp + 1 },
    { ...first, lengthBytes: 101 },
    { ...first, lengthBytes: -1 },
  ];
  for (const last of refused) {
    expect(scene.attempt(complete, { ...writer, last })).toBe('DFS_BLOCK');
    expect(scene.attempt(addBlock, { ...writer, previous: last, ...anywhere })).toBe('DFS_BLOCK');
  }
  scene.write(fsync, { ...writer, block: { ...first, lengthBytes: 60 } });
  const less = { ...first, lengthBytes: 59 };
  expect(scene.attempt(complete, { ...writer, last: less })).toBe('DFS_BLOCK');
  expect(scene.attempt(complete, { ...writer, last: null })).toBe('DFS_BLOCK');
  expect(scene.attempt(addBlock, { ...writer, previous: null, ...anywhere })).toBe('DFS_BLOCK');
});

test.each`
  what                     | change
  ${'another client'}      | ${{ clientName: 'other' }}
  ${'a client of no name'} | ${{ clientName: '' }}
  ${'another file'}        | ${{ fileId: 5 }}
`('$what is refused by every call of writers', ({ change }) => {
  const { scene, writer, add } = begun();
  const { block } = add(null);
  const as = { ...writer, ...change };
  const before = scene.edits.length;
  expect(scene.attempt(addBlock, { ...as, previous: block, ...anywhere })).toBe('DFS_LEASE');
  expect(scene.attempt(abandonBlock, { ...as, block })).toBe('DFS_LEASE');
  expect(scene.attempt(fsync, { ...as, block })).toBe('DFS_LEASE');
  expect(scene.attempt(complete, { ...as, last: block })).toBe('DFS_LEASE');
  expect(scene.attempt(updateBlockForPipeline, { ...as, block })).toBe('DFS_LEASE');
  expect(scene.edits.length).toBe(before);
});

test('a file that is removed under its writer takes nothing any more', () => {
  const { scene, writer, add } = begun();
  const { block } = add(null);
  scene.run(remove, { path, isRecursive: false });
  expect(scene.attempt(complete, { ...writer, last: block })).toBe('DFS_LEASE');
  expect(scene.namespace.blocks.count).toBe(0);
});

test('without a datanode no block, and the one before is still being written', () => {
  const { scene, writer, add } = begun();
  const first = { ...add(null).block, lengthBytes: 100 };
  scene.datanodes = [];
  const request = { ...writer, previous: first, ...anywhere };
  expect(scene.attempt(addBlock, request)).toBe('DFS_NO_DATANODES');
  scene.datanodes = ['b', 'c'];
  expect(scene.attempt(addBlock, { ...request, excludedDatanodeIds: ['b'] })).toMatchObject({
    block: { locations: [locationOf('c')] },
  });
});

test('a block counts as full until its length is known', () => {
  const { scene, writer, add } = begun();
  // Three replicas of 100 bytes: room for two full blocks, or one full and a part of another.
  scene.run(setQuota, { path: '/', namesMax: null, spaceBytesMax: 600 });
  const first = { ...add(null).block, lengthBytes: 100 };
  scene.report(first);
  const second = { ...add(first).block, lengthBytes: 40 };
  scene.report(second);
  const request = { ...writer, previous: second, ...anywhere };
  expect(scene.attempt(addBlock, request)).toBe('DFS_QUOTA');
  scene.write(complete, { ...writer, last: second });
  expect(scene.namespace.quotas.at(0)?.used.spaceBytes).toBe(420);
});

test('a pipeline made anew: the stamp is given once, and only the second call changes the block', () => {
  const { scene, writer, add } = begun();
  const { block } = add(null);
  const given = scene.write(updateBlockForPipeline, { ...writer, block }).block.block;
  const next = scene.write(updateBlockForPipeline, { ...writer, block }).block.block;
  expect([given.generationStamp, next.generationStamp]).toEqual([1_002, 1_003]);
  const made = { ...next, lengthBytes: 30 };
  const request = { ...writer, oldBlock: block, newBlock: made, locations: [locationOf('b')] };
  for (const wrong of [
    { ...request, newBlock: { ...made, generationStamp: 1_004 } },
    { ...request, newBlock: { ...made, generationStamp: 1_001 } },
    { ...request, oldBlock: { ...block, generationStamp: 1_000 } },
  ]) {
    expect(scene.attempt(updatePipeline, wrong)).toBe('DFS_BLOCK');
  }
  scene.write(updatePipeline, request);
  scene.write(updatePipeline, request);
  const [located] = scene.blocksOf(path);
  expect(located).toMatchObject({ block: made, locations: [locationOf('b')] });
  const more = { ...writer, block: made, existing: [locationOf('b')], count: 1 };
  expect(scene.write(getAdditionalDatanode, { ...more, excludedDatanodeIds: ['a'] })).toEqual({
    locations: [locationOf('c')],
  });
  // The old version can't end the file any more.
  expect(scene.attempt(complete, { ...writer, last: { ...block, lengthBytes: 40 } })).toBe(
    'DFS_BLOCK',
  );
});
