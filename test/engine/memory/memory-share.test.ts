/** Goal: shares never come to more than the memory, and the least memory for a share gives that share. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryShare } from '../../../engine/memory/memory-share.ts';

const mb = 1 << 20;

test.each`
  budget | weight | share
  ${32}  | ${1}   | ${24}
  ${32}  | ${3}   | ${8}
  ${512} | ${0}   | ${384}
  ${512} | ${2}   | ${192}
  ${512} | ${1.5} | ${256}
  ${4}   | ${1}   | ${0}
`('weight $weight in $budget MB: shares of $share MB', ({ budget, weight, share }) => {
  const options = { budgetBytes: budget * mb, weight, slotCount: 2 };
  expect(new MemoryShare(options).bytes).toBe(share * mb);
});

test('the least memory that has a share', () => {
  fc.assert(
    fc.property(
      fc.nat(mb * 1024),
      fc.nat(9),
      fc.integer({ min: 1, max: 8 }),
      (wanted, weight, slotCount) => {
        const options = { weight, slotCount };
        const total = new MemoryShare({ ...options, budgetBytes: mb }).totalFor(wanted);
        const budgetBytes = total / slotCount;
        expect(new MemoryShare({ ...options, budgetBytes }).bytes).toBeGreaterThanOrEqual(wanted);
        const less = new MemoryShare({ ...options, budgetBytes: budgetBytes - 16 }).bytes;
        expect(less).toBeLessThanOrEqual(wanted);
      },
    ),
  );
});
