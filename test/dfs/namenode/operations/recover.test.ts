/** Goal: a file whose writer is gone is closed once, with all bytes that were promised, by the newest recovery only. */
import { expect, test } from 'vitest';
import { getFileInfo } from '../../../../dfs/namenode/operations/look.ts';
import {
  commitBlockSynchronization,
  recoverLease,
  releaseLease,
} from '../../../../dfs/namenode/operations/recover.ts';
import { append } from '../../../../dfs/namenode/operations/reopen.ts';
import { addBlock, complete, fsync } from '../../../../dfs/namenode/operations/write.ts';
import type { WriteContext } from '../../../../dfs/namenode/operations/write-operation.ts';
import { anywhere, WriterScene } from '../../../support/writer-scene.ts';

const path = '/f';
const again = { path, clientName: 'reader', newBlock: false };
const release = (context: WriteContext, { fileId }: { fileId: number }) =>
  releaseLease(context, fileId);

/** A file with a block of which 60 bytes were promised. */
function left() {
  const scene = new WriterScene();
  const { fileId } = scene.file(path);
  const writer = { path, clientName: 'writer', fileId };
  const { block } = scene.write(addBlock, { ...writer, previous: null, ...anywhere }).block;
  scene.write(fsync, { ...writer, block: { ...block, lengthBytes: 60 } });
  const sync = (recoveryId: number, newLengthBytes: number) => ({
    ...{ datanodeId: 'a', session: 1, block, recoveryId, newLengthBytes },
    locations: [{ datanodeId: 'a', storageId: 'a-1' }],
  });
  return { scene, writer, block, fileId, sync };
}

test('taken, recovered, closed: the writer is refused from the first step on', () => {
  const { scene, writer, block, fileId, sync } = left();
  expect(scene.write(release, { fileId })).toEqual({ isClosed: false });
  expect(scene.effects).toEqual([
    {
      ...{ kind: 'recover', recoveryId: 1_002, newLengthBytes: null },
      block: { blockId: block.blockId, generationStamp: 1_001, lengthBytes: 60 },
    },
  ]);
  const last = { ...block, lengthBytes: 80 };
  expect(scene.attempt(complete, { ...writer, last })).toBe('DFS_LEASE');
  expect(scene.write(commitBlockSynchronization, sync(1_002, 75))).toEqual({ isDone: true });
  expect(scene.run(getFileInfo, { path }).lengthBytes).toBe(75);
  expect(scene.blocksOf(path)[0]?.block.generationStamp).toBe(1_002);
  expect(scene.namespace.openFiles.size).toBe(0);
  const count = scene.edits.length;
  scene.write(commitBlockSynchronization, sync(1_002, 75));
  expect(scene.edits.length).toBe(count);
});

test('only the newest recovery counts', () => {
  const { scene, fileId, sync } = left();
  scene.write(release, { fileId });
  scene.write(release, { fileId });
  expect(scene.attempt(commitBlockSynchronization, sync(1_002, 75))).toBe('DFS_BLOCK');
  expect(scene.attempt(commitBlockSynchronization, sync(1_003, 75))).toEqual({ isDone: true });
});

test.each([0, 59])('a recovery to %d bytes would lose promised ones, and is refused', (length) => {
  const { scene, fileId, sync } = left();
  scene.write(release, { fileId });
  expect(scene.attempt(commitBlockSynchronization, sync(1_002, length))).toBe('DFS_BLOCK');
  expect(scene.run(getFileInfo, { path }).lengthBytes).toBe(60);
});

test('without a recovery nothing is committed, and a block that is gone is no mistake', () => {
  const { scene, block, sync } = left();
  expect(scene.attempt(commitBlockSynchronization, sync(1_002, 75))).toBe('DFS_BLOCK');
  const gone = { ...sync(1_002, 75), block: { ...block, blockId: 7 } };
  expect(scene.attempt(commitBlockSynchronization, gone)).toEqual({ isDone: true });
});

test('a block that nobody has anything of is taken out', () => {
  const scene = new WriterScene();
  const { fileId } = scene.file(path);
  const writer = { path, clientName: 'writer', fileId };
  const { block } = scene.write(addBlock, { ...writer, previous: null, ...anywhere }).block;
  scene.write(release, { fileId });
  const request = { datanodeId: 'a', session: 1, block, recoveryId: 1_002, locations: [] };
  scene.write(commitBlockSynchronization, { ...request, newLengthBytes: 0 });
  expect(scene.run(getFileInfo, { path })).toMatchObject({ lengthBytes: 0 });
  expect([scene.namespace.blocks.count, scene.namespace.openFiles.size]).toEqual([0, 0]);
});

test('while all datanodes of a block are away it is waited for, not taken for empty', () => {
  const { scene, block, fileId } = left();
  scene.locations.delete(block.blockId);
  expect(scene.write(release, { fileId })).toEqual({ isClosed: false });
  expect(scene.effects).toEqual([]);
  expect(scene.namespace.blocks.count).toBe(1);
});

test('a file whose blocks are all there is closed at once', () => {
  const { scene, writer, block } = left();
  const last = { ...block, lengthBytes: 60 };
  scene.write(complete, { ...writer, last });
  expect(scene.write(recoverLease, again)).toEqual({ isClosed: false });
  scene.report(last);
  expect(scene.write(recoverLease, again)).toEqual({ isClosed: true });
  expect(scene.write(recoverLease, again)).toEqual({ isClosed: true });
});

test('who wants a file gets it when its writer was silent for a minute, not before', () => {
  const { scene, fileId, sync } = left();
  scene.leases.renew('writer', 1_000);
  scene.monoMs = 61_000;
  expect(scene.attempt(append, again)).toBe('DFS_BEING_WRITTEN');
  expect(scene.effects).not.toContainEqual(expect.objectContaining({ kind: 'recover' }));
  scene.monoMs = 61_001;
  expect(scene.attempt(append, again)).toBe('DFS_BEING_WRITTEN');
  expect(scene.effects).toContainEqual(expect.objectContaining({ kind: 'recover' }));
  expect(scene.attempt(append, again)).toBe('DFS_BEING_WRITTEN');
  scene.write(commitBlockSynchronization, sync(1_002, 60));
  expect(scene.write(append, again).lastBlock?.block.lengthBytes).toBe(60);
  expect(scene.namespace.openFiles.get(fileId)?.clientName).toBe('reader');
});
