/** Goal: the most urgent block is next, among equals the one that waits longest, and none is in there twice. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Urgency, urgencies } from '../../../../dfs/namenode/blocks/redundancy.ts';
import { RedundancyQueue } from '../../../../dfs/namenode/blocks/redundancy-queue.ts';

const put = fc.record({
  row: fc.nat(8),
  urgency: fc.constantFrom<Urgency | null>(null, ...urgencies),
});
const step = fc.oneof({ arbitrary: put, weight: 4 }, { arbitrary: fc.nat(4), weight: 1 });

test('it is a list that is searched', () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), (steps) => {
      const queue = new RedundancyQueue();
      let list: { readonly row: number; readonly urgency: Urgency }[] = [];
      for (const one of steps) {
        if (typeof one === 'number') {
          const next = urgencies
            .filter((urgency) => urgency !== 'none-whole')
            .flatMap((urgency) => list.filter((other) => other.urgency === urgency))
            .slice(0, one);
          list = list.filter((other) => !next.includes(other));
          expect(queue.take(one)).toEqual(next.map(({ row }) => row));
          taken += next.length;
        } else {
          const { row, urgency } = one;
          const isThere = list.some((other) => other.row === row && other.urgency === urgency);
          if (!isThere) list = list.filter((other) => other.row !== row);
          if (!isThere && urgency !== null) list.push({ row, urgency });
          queue.put(row, urgency);
        }
        for (const urgency of urgencies) {
          const count = list.filter((other) => other.urgency === urgency).length;
          expect(queue.countOf(urgency)).toBe(count);
        }
      }
    }),
  );
  expect(taken).toBeGreaterThan(500);
});
