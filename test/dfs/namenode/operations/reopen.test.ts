/** Goal: appending goes on where the file ends, truncating ends where it is told, and nobody does either beside a writer. */
import { expect, test } from 'vitest';
import { setQuota } from '../../../../dfs/namenode/operations/attributes.ts';
import { getBlockLocations } from '../../../../dfs/namenode/operations/locations.ts';
import { getFileInfo } from '../../../../dfs/namenode/operations/look.ts';
import {
  updateBlockForPipeline,
  updatePipeline,
} from '../../../../dfs/namenode/operations/pipeline.ts';
import { commitBlockSynchronization } from '../../../../dfs/namenode/operations/recover.ts';
import { append, truncate } from '../../../../dfs/namenode/operations/reopen.ts';
import { addBlock, complete } from '../../../../dfs/namenode/operations/write.ts';
import { anywhere, WriterScene } from '../../../support/writer-scene.ts';

const path = '/f';
const request = { path, clientName: 'second', newBlock: false };
const cut = (newLengthBytes: number) => ({ path, clientName: 'second', newLengthBytes });

test('the last block is written on with another stamp, and the file is longer', () => {
  const scene = new WriterScene();
  const { fileId } = scene.written(path, [100, 30]);
  const { lastBlock } = scene.write(append, request);
  expect(lastBlock).toMatchObject({ offsetBytes: 100, block: { lengthBytes: 30 } });
  if (lastBlock === null) return;
  const writer = { path, clientName: 'second', fileId };
  const { block } = scene.write(updateBlockForPipeline, {
    ...writer,
    block: lastBlock.block,
  }).block;
  const update = { ...writer, oldBlock: lastBlock.block, newBlock: block };
  scene.write(updatePipeline, { ...update, locations: lastBlock.locations });
  const last = { ...block, lengthBytes: 90 };
  expect(scene.write(complete, { ...writer, last })).toEqual({ isComplete: false });
  scene.report(last);
  expect(scene.write(complete, { ...writer, last })).toEqual({ isComplete: true });
  expect(scene.run(getFileInfo, { path }).lengthBytes).toBe(190);
});

test.each`
  lengths  | newBlock
  ${[]}    | ${false}
  ${[100]} | ${false}
  ${[30]}  | ${true}
`(
  'behind $lengths, with a new block $newBlock, the next bytes are in a block of their own',
  (row) => {
    const scene = new WriterScene();
    const { fileId } = scene.written(path, row.lengths);
    expect(scene.write(append, { ...request, newBlock: row.newBlock }).lastBlock).toBeNull();
    const writer = { path, clientName: 'second', fileId, previous: null };
    const { block } = scene.write(addBlock, { ...writer, ...anywhere });
    expect(block.offsetBytes).toBe(row.lengths[0] ?? 0);
  },
);

test('nothing is appended to a file with a writer, to a directory, to nothing, or beyond a quota', () => {
  const scene = new WriterScene();
  scene.file('/open');
  scene.written(path, [30]);
  expect(scene.attempt(append, { ...request, path: '/open' })).toBe('DFS_BEING_WRITTEN');
  expect(scene.attempt(truncate, { ...cut(0), path: '/open' })).toBe('DFS_BEING_WRITTEN');
  expect(scene.attempt(append, { ...request, path: '/' })).toBe('DFS_NOT_A_FILE');
  expect(scene.attempt(append, { ...request, path: '/none' })).toBe('DFS_NOT_FOUND');
  expect(scene.attempt(append, request, 'bob')).toBe('DFS_PERMISSION');
  scene.run(setQuota, { path: '/', namesMax: null, spaceBytesMax: 200 });
  expect(scene.attempt(append, request)).toBe('DFS_QUOTA');
});

test('a last block without a replica is not written on', () => {
  const scene = new WriterScene();
  scene.written(path, [30]);
  scene.locations.clear();
  expect(scene.attempt(append, request)).toBe('DFS_BLOCK');
});

test.each`
  lengths           | to     | left              | isDone
  ${[100, 100, 50]} | ${250} | ${[100, 100, 50]} | ${true}
  ${[100, 100, 50]} | ${200} | ${[100, 100]}     | ${true}
  ${[100, 100, 50]} | ${100} | ${[100]}          | ${true}
  ${[100, 100, 50]} | ${0}   | ${[]}             | ${true}
  ${[100, 100, 50]} | ${249} | ${[100, 100, 49]} | ${false}
  ${[100, 100, 50]} | ${101} | ${[100, 1]}       | ${false}
  ${[100, 100, 50]} | ${1}   | ${[1]}            | ${false}
`('$lengths cut to $to is $left, done at once: $isDone', ({ lengths, to, left, isDone }) => {
  const scene = new WriterScene();
  const { blocks } = scene.written(path, lengths);
  expect(scene.write(truncate, cut(to))).toEqual({ isDone });
  const [effect] = scene.effects;
  const lengthsNow = () => scene.blocksOf(path).map(({ block }) => block.lengthBytes);
  expect(lengthsNow()).toEqual(left);
  expect(scene.namespace.openFiles.size).toBe(isDone ? 0 : 1);
  if (isDone) return;
  const block = blocks[left.length - 1];
  expect(effect).toMatchObject({ kind: 'recover', newLengthBytes: left.at(-1) });
  if (effect?.kind !== 'recover' || block === undefined) return;
  const { recoveryId } = effect;
  const sync = { datanodeId: 'a', session: 1, block, recoveryId, locations: [] };
  const wrong = { ...sync, newLengthBytes: 100 };
  expect(scene.attempt(commitBlockSynchronization, wrong)).toBe('DFS_BLOCK');
  scene.write(commitBlockSynchronization, { ...sync, newLengthBytes: left.at(-1) ?? 0 });
  expect(lengthsNow()).toEqual(left);
  expect(scene.namespace.openFiles.size).toBe(0);
});

test.each([251, -1, 0.5])('a file of 250 bytes is not cut to %d', (to) => {
  const scene = new WriterScene();
  scene.written(path, [100, 100, 50]);
  expect(scene.attempt(truncate, cut(to))).toBe('DFS_ARGUMENT');
});

test.each`
  offset | length | offsets
  ${0}   | ${250} | ${[0, 100, 200]}
  ${0}   | ${100} | ${[0]}
  ${99}  | ${2}   | ${[0, 100]}
  ${100} | ${1}   | ${[100]}
  ${250} | ${10}  | ${[]}
  ${10}  | ${0}   | ${[0]}
`('bytes $offset and $length more are in the blocks at $offsets', ({ offset, length, offsets }) => {
  const scene = new WriterScene();
  scene.written(path, [100, 100, 50]);
  const range = { offsetBytes: offset, lengthBytes: length, clientHost: null };
  const { blocks, ...rest } = scene.write(getBlockLocations, { path, ...range });
  expect(blocks.map(({ offsetBytes }) => offsetBytes)).toEqual(offsets);
  expect(rest).toEqual({ fileLengthBytes: 250, isUnderConstruction: false });
});

test('the last block of an open file is shown behind its known end: it may have more', () => {
  const scene = new WriterScene();
  scene.written(path, [100, 30]);
  scene.write(append, request);
  const range = { offsetBytes: 500, lengthBytes: 10, clientHost: null };
  const { blocks, isUnderConstruction } = scene.write(getBlockLocations, {
    path,
    ...range,
    offsetBytes: 130,
  });
  expect(isUnderConstruction).toBe(true);
  expect(blocks.map(({ offsetBytes }) => offsetBytes)).toEqual([100]);
});
