/** Goal: what is to be deleted is told until it is gone, a few at a time, and nothing else is told. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PendingDeletions } from '../../../../dfs/namenode/blocks/pending-deletions.ts';

const limits = { perHeartbeatMax: 2, retryMs: 10 };
const blockOf = (blockId: number, generationStamp = 1) => ({
  ...{ blockId, generationStamp, lengthBytes: 50 },
});

test('a few with each heartbeat; what is not reported as deleted is told again', () => {
  const deletions = new PendingDeletions(limits);
  for (const blockId of [1, 2, 3]) deletions.add('a', blockOf(blockId));
  const next = (nowMs: number) => deletions.next('a', nowMs).map(({ blockId }) => blockId);
  expect([next(0), next(1), next(9)]).toEqual([[1, 2], [3], []]);
  deletions.remove('a', 1);
  expect([next(10), next(11), deletions.has('a', 1), deletions.has('a', 2)]).toEqual([
    ...[[2], [3], false, true],
  ]);
  expect(deletions.next('b', 11)).toEqual([]);
});

test('a newer stamp is told at once, an older one changes nothing', () => {
  const deletions = new PendingDeletions(limits);
  deletions.add('a', blockOf(1, 5));
  deletions.next('a', 0);
  deletions.add('a', blockOf(1, 4));
  expect(deletions.next('a', 1)).toEqual([]);
  deletions.add('a', blockOf(1, 6));
  expect(deletions.next('a', 1)).toEqual([blockOf(1, 6)]);
});

test('of a datanode that registers nothing is told', () => {
  const deletions = new PendingDeletions(limits);
  deletions.add('a', blockOf(1));
  deletions.forgetDatanode('a');
  expect([deletions.has('a', 1), deletions.next('a', 0)]).toEqual([false, []]);
});

const step = fc.record({
  kind: fc.constantFrom('add', 'add', 'remove', 'next', 'next', 'forget'),
  datanodeId: fc.constantFrom('a', 'a', 'b'),
  blockId: fc.nat(6),
  generationStamp: fc.nat(2),
  afterMs: fc.nat(6),
});

interface Listed {
  readonly datanodeId: string;
  readonly block: ReturnType<typeof blockOf>;
  readonly dueAtMs: number;
}

test('it is a list that is searched', () => {
  let told = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), (steps) => {
      const deletions = new PendingDeletions(limits);
      let list: Listed[] = [];
      let nowMs = 0;
      for (const { kind, datanodeId, blockId, generationStamp, afterMs } of steps) {
        nowMs += afterMs;
        const isIt = (one: Listed) =>
          one.datanodeId === datanodeId && one.block.blockId === blockId;
        if (kind === 'add') {
          const block = blockOf(blockId, generationStamp);
          const known = list.find(isIt);
          if (known === undefined || known.block.generationStamp < generationStamp) {
            list = [...list.filter((one) => !isIt(one)), { datanodeId, block, dueAtMs: 0 }];
          }
          deletions.add(datanodeId, block);
        } else if (kind === 'remove') {
          list = list.filter((one) => !isIt(one));
          deletions.remove(datanodeId, blockId);
        } else if (kind === 'forget') {
          list = list.filter((one) => one.datanodeId !== datanodeId);
          deletions.forgetDatanode(datanodeId);
        } else {
          const isDue = (one: Listed) => one.datanodeId === datanodeId && one.dueAtMs <= nowMs;
          const due = list.filter(isDue).slice(0, limits.perHeartbeatMax);
          const dueAtMs = nowMs + limits.retryMs;
          const again = due.map((one) => ({ ...one, dueAtMs }));
          list = [...list.filter((one) => !due.includes(one)), ...again];
          expect(deletions.next(datanodeId, nowMs)).toEqual(due.map(({ block }) => block));
          told += due.length;
        }
        expect(deletions.has(datanodeId, blockId)).toBe(list.some(isIt));
      }
    }),
    { numRuns: 60 },
  );
  expect(told).toBeGreaterThan(300);
});
