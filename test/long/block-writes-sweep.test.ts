/** Goal: 2,000 seeds of block writes, ten times as many as chance needs to find each planted mistake. */
import { expect, test } from 'vitest';
import { runBlockWrites } from '../../simulation/blocks/write-scenario.ts';
import { inMacrotask } from '../../simulation/drain.ts';

const seedCount = 2_000;

test(`${seedCount} seeds of block writes pass`, async () => {
  let recovered = 0;
  await inMacrotask(() => {
    for (let seed = 1_000; seed < 1_000 + seedCount; seed++) {
      const verdict = runBlockWrites({ seed });
      expect(
        verdict.failure,
        `npm run simulate -- --scenario block-writes --seed ${seed}`,
      ).toBeNull();
      if (seed % 10 === 0) expect(runBlockWrites({ seed }).traceHash).toBe(verdict.traceHash);
      recovered += verdict.counts.recovered ?? 0;
    }
  });
  expect(recovered).toBeGreaterThan(seedCount);
});
