/**
 * Goal: whole jobs with checkpoints, whose tasks are on two workers with connections between them that break again and again, give
 * each row once and in order, whatever befalls a step of the protocol; and runs replay exactly.
 */
import { expect, test } from 'vitest';
import { runCheckpoints } from '../../simulation/checkpoints/checkpoint-scenario.ts';
import { inMacrotask } from '../../simulation/drain.ts';

const seedCount = 12;
const noFaults = { clocks: {}, faults: [] };

test('jobs go on over connections that break, without starting anew', async () => {
  let breaks = 0;
  await inMacrotask(() => {
    for (let seed = 0; seed < seedCount; seed++) {
      const { failure, counts } = runCheckpoints({ seed, isApart: true, plan: noFaults });
      expect([seed, failure, counts.failed, counts.attempts]).toEqual([seed, null, 0, 1]);
      breaks += counts.breaks ?? 0;
    }
  });
  expect(breaks).toBeGreaterThan(seedCount * 2);
});

test(`${seedCount} seeds with faults pass, and every sixth is the same again`, async () => {
  await inMacrotask(() => {
    for (let seed = 0; seed < seedCount; seed++) {
      const verdict = runCheckpoints({ seed, isApart: true });
      expect([seed, verdict.failure]).toEqual([seed, null]);
      if (seed % 6 === 0) expect(runCheckpoints({ seed, isApart: true })).toEqual(verdict);
    }
  });
});
