/** Goal: a full report names each replica of its volume once, in parts of the right size, and nothing that is no replica. */
import { expect, test } from 'vitest';
import { reportPartsOf } from '../../../../dfs/datanode/reporting/report-parts.ts';
import { MemoryDisk } from '../../../support/memory-disk.ts';
import { appendTo, create, openStore, promisedDisk } from '../../../support/replica-scene.ts';

test('parts have four numbers a replica, and the last may be short; a volume without replicas has one that is empty', async () => {
  const { store } = await openStore({ disk: promisedDisk(new MemoryDisk()) });
  const storageId = store.workingVolumes[0]?.identity.storageId ?? '';
  expect(reportPartsOf(store.replicas(), storageId)).toEqual([[]]);
  for (const blockId of [3, 1, 2, 5, 4]) {
    const writer = await create(store, blockId, { isTemporary: blockId === 4 });
    await appendTo(writer, 10 * blockId);
    if (blockId < 3) await writer.finalize();
  }
  await store.beginRecovery(3, 9);
  expect(reportPartsOf(store.replicas(), storageId, 2)).toEqual([
    [1, 1, 10, 0, 2, 1, 20, 0],
    [3, 1, 30, 3, 5, 1, 50, 1],
  ]);
  expect(reportPartsOf(store.replicas(), storageId, 3).map(({ length }) => length)).toEqual([
    12, 4,
  ]);
  store.markDamaged(store.replicas()[0] as never, 'a test');
  expect(reportPartsOf(store.replicas(), storageId)[0]?.slice(0, 4)).toEqual([2, 1, 20, 0]);
  expect(reportPartsOf(store.replicas(), 'another')).toEqual([[]]);
});
