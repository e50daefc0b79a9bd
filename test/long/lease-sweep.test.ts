/** Goal: 30,000 seeds of the leader lease, for what a thousand do not reach. */
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { runLeaderLease } from '../../simulation/leader-lease-scenario.ts';

const firstSeed = 1_000_000;
const seedCount = 30_000;
/** One macrotask each, so that the test runner hears from us. */
const seedsPerPiece = 500;

test(`${seedCount} seeds pass`, async () => {
  for (let from = firstSeed; from < firstSeed + seedCount; from += seedsPerPiece) {
    await inMacrotask(() => {
      for (let seed = from; seed < from + seedsPerPiece; seed++) {
        const { failure } = runLeaderLease({ seed });
        expect(failure, `replay: npm run simulate -- --seed ${seed}`).toBeNull();
      }
    });
  }
});
