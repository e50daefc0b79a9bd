/** Goal: a copy is under way until it has arrived or is given up, and no datanode sends more than it may. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Copy, PendingCopies } from '../../../../dfs/namenode/blocks/pending-copies.ts';

const limits = { sendsMax: 1, sendsMaxUrgent: 2, timeoutMs: 20 };

test('a datanode sends so many, and one more of what is down to its last replica', () => {
  const copies = new PendingCopies(limits);
  const may = () => [copies.maySend('a', 'few'), copies.maySend('a', 'only-one')];
  const seen = [may()];
  for (const blockRow of [1, 2]) {
    copies.add({ blockRow, sourceId: 'a', targetId: 'b' }, 0);
    seen.push(may());
  }
  copies.arrived(1, 'b');
  expect([...seen, may(), copies.maySend('b', 'few')]).toEqual([
    ...[
      [true, true],
      [false, true],
      [false, false],
    ],
    ...[[false, true], true],
  ]);
});

const step = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'arrived', 'block', 'datanode', 'expire'),
  blockRow: fc.nat(3),
  sourceId: fc.constantFrom('a', 'b', 'c'),
  targetId: fc.constantFrom('d', 'e', 'a'),
  afterMs: fc.nat(8),
});

test('it is a list that is searched', () => {
  let again = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), (steps) => {
      const copies = new PendingCopies(limits);
      let list: (Copy & { readonly atMs: number })[] = [];
      let nowMs = 0;
      const end = (isIt: (copy: Copy & { readonly atMs: number }) => boolean) => {
        const rows = new Set(list.filter(isIt).map(({ blockRow }) => blockRow));
        list = list.filter((copy) => !isIt(copy));
        return [...rows].sort();
      };
      for (const { kind, afterMs, ...copy } of steps) {
        nowMs += afterMs;
        const { blockRow, sourceId, targetId } = copy;
        const actions = {
          add: () => {
            const isThere = list.some(
              (one) => one.blockRow === blockRow && one.targetId === targetId,
            );
            if (isThere || sourceId === targetId) return;
            list.push({ ...copy, atMs: nowMs });
            copies.add(copy, nowMs);
          },
          arrived: () => {
            end((one) => one.blockRow === blockRow && one.targetId === targetId);
            copies.arrived(blockRow, targetId);
          },
          block: () => {
            end((one) => one.blockRow === blockRow);
            copies.forgetBlock(blockRow);
          },
          datanode: () => {
            const rows = end((one) => one.sourceId === targetId || one.targetId === targetId);
            expect(copies.forgetDatanode(targetId).sort()).toEqual(rows);
          },
          expire: () => {
            const rows = end(({ atMs }) => nowMs - atMs >= limits.timeoutMs);
            expect(copies.expire(nowMs).sort()).toEqual(rows);
            again += rows.length;
          },
        };
        actions[kind]();
        const targets = list.filter((one) => one.blockRow === blockRow);
        expect(copies.targetsOf(blockRow)).toEqual(targets.map((one) => one.targetId));
        const sends = list.filter((one) => one.sourceId === sourceId).length;
        expect(copies.maySend(sourceId, 'few')).toBe(sends < limits.sendsMax);
        expect(copies.maySend(sourceId, 'only-one')).toBe(sends < limits.sendsMaxUrgent);
      }
    }),
    { numRuns: 60 },
  );
  expect(again).toBeGreaterThan(50);
});
