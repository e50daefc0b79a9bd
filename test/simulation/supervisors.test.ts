/**
 * Goal: supervisors keep their slots, executors and lives under seeds of crashes, cuts, pauses, slow and lossy networks, disks that
 * fail and wrong clocks; runs replay exactly; and the simulation would have noticed planted mistakes.
 */
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { runSupervisors } from '../../simulation/supervisor-scenario.ts';
import { supervisorPlants } from './supervisor-plants.ts';

const seedCount = 100;

test(`${seedCount} seeds pass, and every tenth is the same again`, async () => {
  const counts: Record<string, number> = {};
  for (let seed = 0; seed < seedCount; seed++) {
    await inMacrotask(() => {
      const verdict = runSupervisors({ seed });
      const hint = `npm run simulate -- --scenario supervisors --seed ${seed}: ${verdict.failure?.message}`;
      expect(verdict.failure, hint).toBeNull();
      if (seed % 10 === 0) expect(runSupervisors({ seed })).toEqual(verdict);
      for (const [name, count] of Object.entries(verdict.counts)) {
        counts[name] = (counts[name] ?? 0) + count;
      }
    });
  }
  // The runs are worth something: executors ran, were killed, and ended by themselves; workers were lost.
  expect(counts.launched).toBeGreaterThan(20 * seedCount);
  expect(counts.killed).toBeGreaterThan(10 * seedCount);
  expect(counts.told).toBeGreaterThan(seedCount);
  expect(counts.lost).toBeGreaterThan(seedCount);
});

test.each(Object.keys(supervisorPlants))('planted mistake is found: %s', async (name) => {
  const step = supervisorPlants[name];
  expect(step).toBeDefined();
  for (let seed = 0; seed < seedCount; seed++) {
    let isFound = false;
    await inMacrotask(() => {
      isFound = step !== undefined && runSupervisors({ seed, step }).failure !== null;
    });
    if (isFound) return;
  }
  expect.unreachable(`no seed below ${seedCount} found "${name}"`);
});
