/** Goal: 2,000 seeds of block writes, for what some dozens do not reach. */
import { expect, test } from 'vitest';
import { runBlockWrites } from '../../simulation/blocks/write-scenario.ts';
import { inMacrotask } from '../../simulation/drain.ts';

const firstSeed = 1_000;
const seedCount = 2_000;
/** One macrotask each, so that the test runner hears from us. */
const seedsPerPiece = 50;

test(`${seedCount} seeds of block writes pass`, async () => {
  let recovered = 0;
  for (let from = firstSeed; from < firstSeed + seedCount; from += seedsPerPiece) {
    await inMacrotask(() => {
      for (let seed = from; seed < from + seedsPerPiece; seed++) {
        const verdict = runBlockWrites({ seed });
        const hint = `npm run simulate -- --scenario block-writes --seed ${seed}`;
        expect(verdict.failure, hint).toBeNull();
        if (seed % 10 === 0) expect(runBlockWrites({ seed }).traceHash).toBe(verdict.traceHash);
        recovered += verdict.counts.recovered ?? 0;
      }
    });
  }
  expect(recovered).toBeGreaterThan(seedCount);
});
