/**
 * Goal: membership holds under seeds of crashes, one-way cuts, pauses, slow and lossy networks and wrong
 * clocks; runs replay exactly; and the simulation would have noticed ten planted mistakes.
 */
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { runMembership } from '../../simulation/membership-scenario.ts';
import { membershipPlants } from './membership-plants.ts';

const seedCount = 300;

test(`${seedCount} seeds pass, and every tenth is the same again`, async () => {
  const counts: Record<string, number> = {};
  await inMacrotask(() => {
    for (let seed = 0; seed < seedCount; seed++) {
      const verdict = runMembership({ seed });
      const hint = `npm run simulate -- --scenario membership --seed ${seed}: ${verdict.failure?.message}`;
      expect(verdict.failure, hint).toBeNull();
      if (seed % 10 === 0) expect(runMembership({ seed })).toEqual(verdict);
      for (const [name, count] of Object.entries(verdict.counts)) {
        counts[name] = (counts[name] ?? 0) + count;
      }
    }
  });
  // The runs are worth something: workers were lost, came back, and ended by themselves.
  expect(counts.lost).toBeGreaterThan(seedCount);
  expect(counts.suspected).toBeGreaterThan(2 * seedCount);
  expect(counts.trusted).toBeGreaterThan(seedCount);
  expect(counts.joined).toBeGreaterThan(4 * seedCount);
  expect(counts.expired).toBeGreaterThan(10);
});

test.each(Object.keys(membershipPlants))(
  'planted mistake is found and replayed: %s',
  async (name) => {
    const plant = membershipPlants[name] ?? {};
    await inMacrotask(() => {
      for (let seed = 0; seed < seedCount; seed++) {
        const { failure, traceHash } = runMembership({ seed, plant });
        if (failure === null) continue;
        expect(runMembership({ seed, plant })).toMatchObject({ failure, traceHash });
        return;
      }
      expect.unreachable(`no seed below ${seedCount} found "${name}"`);
    });
  },
);
