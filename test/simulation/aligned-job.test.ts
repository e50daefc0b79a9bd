/**
 * Goal: in a whole job sources of a group stay together within their drift, whatever the speeds of slots, and the job ends,
 * also where one of them has to be read to its end before the other; and the simulation would notice if they did not.
 */
import { expect, test } from 'vitest';
import { runAligned } from '../../simulation/aligned-scenario.ts';
import { inMacrotask } from '../../simulation/drain.ts';

const seedCount = 40;
const timeout = 120_000;

test(`${seedCount} seeds pass, and every tenth is the same again`, { timeout }, async () => {
  await inMacrotask(() => {
    for (let seed = 0; seed < seedCount; seed++) {
      const verdict = runAligned({ seed });
      const hint = `npm run simulate -- --scenario aligned --seed ${seed}`;
      expect(verdict.failure, hint).toBeNull();
      expect(verdict.counts.finished, hint).toBe(1);
      if (seed % 10 === 0) expect(runAligned({ seed })).toEqual(verdict);
    }
  });
});

test('sources that are not aligned are seen to run apart', { timeout }, async () => {
  await inMacrotask(() => {
    const failures = [0, 1, 2, 3, 4].map(
      (seed) => runAligned({ seed, form: 'union', isAligned: false }).failure,
    );
    expect(
      failures.filter((failure) => failure?.judge === 'within the drift').length,
    ).toBeGreaterThan(2);
  });
});
