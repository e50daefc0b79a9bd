/** Goal: two dozen planted mistakes in jobs with checkpoints are each noticed by the simulation, and replayed exactly. */
import { expect, test } from 'vitest';
import { allFaults } from '../../simulation/checkpoints/checkpoint-faults.ts';
import { runCheckpoints, stepsOf } from '../../simulation/checkpoints/checkpoint-scenario.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import type { StepFault } from '../../simulation/faults.ts';
import type { Verdict } from '../../simulation/leader-lease-scenario.ts';
import { aimsOf, plantedMistakes } from './checkpoint-plants.ts';

const timeout = 240_000;
const seedCount = 16;
/** Of runs without faults, which are cheap. */
const calmSeedCount = 80;
/** Of the places in a run where a mistake may show. */
const aimsPerSeed = 12;

test.each(Object.keys(plantedMistakes))(
  'planted mistake is found and replayed: %s',
  { timeout },
  async (name) => {
    await inMacrotask(() => {
      const found = firstFailure(name);
      const replayed = withMistake(name, found.seed, found.plan.faults as readonly StepFault[]);
      expect(replayed).toEqual(found);
      // The same run without the mistake passes: it is the mistake that was found.
      expect(runCheckpoints({ seed: found.seed, plan: found.plan }).failure).toBeNull();
    });
  },
);

function firstFailure(name: string): Verdict {
  const mistake = plantedMistakes[name] ?? { at: null };
  const count = mistake.at === null ? calmSeedCount : seedCount;
  for (let seed = 1; seed <= count; seed++) {
    const faults = mistake.at === null ? [] : allFaults(stepsOf(seed));
    for (const aim of aimsOf(mistake, faults, aimsPerSeed)) {
      const verdict = withMistake(name, seed, aim);
      if (verdict.failure !== null) return verdict;
    }
  }
  throw new Error(`no seed up to ${count} found "${name}"`);
}

function withMistake(name: string, seed: number, faults: readonly StepFault[]): Verdict {
  const { plant = {}, patch } = plantedMistakes[name] ?? { at: null };
  const undo = patch?.();
  try {
    return runCheckpoints({ seed, plant, plan: { clocks: {}, faults } });
  } finally {
    undo?.();
  }
}
