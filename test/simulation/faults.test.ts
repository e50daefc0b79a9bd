/** Goal: a plan follows from its seed, stays within its limits, and seeds differ in their mix. */
import { expect, test } from 'vitest';
import { createSeededRngSource } from '../../base/env/seeded-rng.ts';
import { drawFaultPlan, type FaultPlan } from '../../simulation/faults.ts';
import { shrinkFaults } from '../../simulation/shrink.ts';

const options = { nodes: ['a', 'b', 'c'], diskNodes: ['c'], untilMs: 10_000, driftMax: 0.01 };
const planOf = (seed: number): FaultPlan =>
  drawFaultPlan(createSeededRngSource(seed).stream('faults'), options);

test('a plan follows from its seed, and is plain data', () => {
  for (let seed = 0; seed < 50; seed++) {
    expect(planOf(seed)).toEqual(planOf(seed));
    expect(JSON.parse(JSON.stringify(planOf(seed)))).toEqual(planOf(seed));
  }
});

test('all faults are over in time, and no clock is more wrong than it may', () => {
  for (let seed = 0; seed < 500; seed++) {
    const { faults, clocks } = planOf(seed);
    for (const fault of faults) {
      if (!('atMs' in fault)) continue;
      const lastingMs = 'forMs' in fault ? fault.forMs : 'downMs' in fault ? fault.downMs : 0;
      expect(fault.atMs + lastingMs).toBeLessThanOrEqual(options.untilMs);
    }
    for (const { drift } of Object.values(clocks))
      expect(Math.abs(drift)).toBeLessThanOrEqual(0.01);
  }
});

test('each seed has a mix of its own: some without a kind, some with much of it', () => {
  const crashCounts = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    crashCounts.add(planOf(seed).faults.filter(({ kind }) => kind === 'crash').length);
  }
  expect([...crashCounts].sort()).toEqual([0, 1, 2, 3, 4, 5]);
});

test('shrinking keeps just the faults that a failure needs', () => {
  const plan = planOf(3);
  const needed = [plan.faults[1], plan.faults[4]];
  const smaller = shrinkFaults(plan, ({ faults }) =>
    needed.every((fault) => fault !== undefined && faults.includes(fault)),
  );
  expect(smaller.faults).toEqual(needed);
});
