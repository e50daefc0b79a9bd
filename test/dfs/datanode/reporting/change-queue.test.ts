/** Goal: changes are told in order, again until they are answered, and never without bound. */
import { expect, test } from 'vitest';
import { ChangeQueue } from '../../../../dfs/datanode/reporting/change-queue.ts';
import type { ReceivedOrDeleted } from '../../../../dfs/protocol/datanode-protocol.ts';

const change = (blockId: number): ReceivedOrDeleted => {
  const block = { blockId, generationStamp: 1, lengthBytes: 1 };
  return { block, storageId: 's', status: 'received' };
};

const idsOf = (queue: ChangeQueue, max: number) =>
  queue.take(max).map(({ block }) => block.blockId);

test('what was taken comes again until it is answered, and nothing newer with it', () => {
  const queue = new ChangeQueue();
  for (const id of [1, 2, 3]) queue.add(change(id));
  expect(idsOf(queue, 2)).toEqual([1, 2]);
  queue.add(change(4));
  expect(idsOf(queue, 9)).toEqual([1, 2]);
  queue.answered();
  expect(idsOf(queue, 9)).toEqual([3, 4]);
  queue.answered();
  expect([queue.length, idsOf(queue, 9)]).toEqual([0, []]);
});

test('too many are given up for a full report', () => {
  const queue = new ChangeQueue();
  for (let id = 0; id < 400_001; id++) queue.add(change(id));
  expect([queue.isOverflown, queue.length]).toEqual([true, 1]);
  queue.clear();
  expect([queue.isOverflown, queue.length]).toEqual([false, 0]);
});
