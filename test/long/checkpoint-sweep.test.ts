/**
 * Goal: all places of all steps of the protocol of checkpoints × everything that can befall them, in eight jobs: more than
 * twenty thousand different runs; and five thousand seeds with up to three faults each;
 * and five hundred each of jobs of two regions, and of barriers that do not wait.
 */
import { expect, test } from 'vitest';
import { runCheckpoints } from '../../simulation/checkpoints/checkpoint-scenario.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import { casesOf, checkCases, type MatrixCase } from '../support/checkpoint-matrix.ts';

const distinctMin = 20_000;
const jobs = [1, 2, 3, 4, 5, 6, 7, 8];
const firstSeed = 1_000_000;
const seedCount = 5_000;
/** One macrotask each, so that the test runner hears from us. */
const runsPerPiece = 50;

test(`every place of ${jobs.length} jobs, at least ${distinctMin} different runs`, async () => {
  const count = { struck: 0, traces: new Set<string>() };
  for (const seed of jobs) {
    const cases = await inMacrotask((): readonly MatrixCase[] => casesOf(seed));
    for (let from = 0; from < cases.length; from += runsPerPiece) {
      await inMacrotask(() => checkCases(cases.slice(from, from + runsPerPiece), count));
    }
  }
  expect(count.traces.size).toBeGreaterThanOrEqual(distinctMin);
});

test(`${seedCount} seeds pass`, async () => {
  for (let from = firstSeed; from < firstSeed + seedCount; from += runsPerPiece) {
    await inMacrotask(() => {
      for (let seed = from; seed < from + runsPerPiece; seed++) {
        const { failure } = runCheckpoints({ seed });
        const replay = `replay: npm run simulate -- --scenario checkpoints --seed ${seed}`;
        expect(failure, replay).toBeNull();
      }
    });
  }
});

const otherSeedCount = 500;

test.each([
  { job: 'twins', mode: 'aligned' },
  { job: 'twins', mode: 'unaligned' },
  { job: 'twins', mode: 'turning' },
  { job: 'twins', mode: 'atLeastOnce' },
  { job: 'sums', mode: 'unaligned' },
  { job: 'sums', mode: 'turning' },
  { job: 'sums', mode: 'atLeastOnce' },
] as const)(`${otherSeedCount} seeds of $job, $mode, pass`, async ({ job, mode }) => {
  for (let from = firstSeed; from < firstSeed + otherSeedCount; from += runsPerPiece) {
    await inMacrotask(() => {
      for (let seed = from; seed < from + runsPerPiece; seed++) {
        const { failure } = runCheckpoints({ seed, job, mode });
        expect([job, mode, seed, failure]).toEqual([job, mode, seed, null]);
      }
    });
  }
});
