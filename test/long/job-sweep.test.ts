/** Goal: 5,000 seeds of a whole job on one node, for what two hundred do not reach. */
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { runJob } from '../../simulation/job-scenario.ts';

const firstSeed = 1_000_000;
const seedCount = 5_000;
/** One macrotask each, so that the test runner hears from us. */
const seedsPerPiece = 100;

test(`${seedCount} seeds pass`, async () => {
  for (let from = firstSeed; from < firstSeed + seedCount; from += seedsPerPiece) {
    await inMacrotask(() => {
      for (let seed = from; seed < from + seedsPerPiece; seed++) {
        const { failure } = runJob({ seed });
        const replay = `replay: npm run simulate -- --scenario job --seed ${seed}`;
        expect(failure, replay).toBeNull();
      }
    });
  }
});
