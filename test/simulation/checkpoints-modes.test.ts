/**
 * Goal: whole jobs whose barriers overtake rows, turn after a while, or wait for nothing, go on from their checkpoints as if nothing
 * had happened, or at least with nothing lost; each checkpoint is a cut with what it has of rows on their way.
 */
import { expect, test } from 'vitest';
import { allFaults } from '../../simulation/checkpoints/checkpoint-faults.ts';
import { runCheckpoints, stepsOf } from '../../simulation/checkpoints/checkpoint-scenario.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import type { StepFault } from '../../simulation/faults.ts';
import type { Verdict } from '../../simulation/leader-lease-scenario.ts';
import { aimsOf } from './checkpoint-plants.ts';
import { modeMistakes } from './mode-plants.ts';

const timeout = 120_000;

test.each`
  mode             | keepsRows
  ${'turning'}     | ${true}
  ${'unaligned'}   | ${true}
  ${'atLeastOnce'} | ${false}
`('$mode: seeds without faults, and with some', { timeout }, async ({ mode, keepsRows }) => {
  let keptRows = 0;
  let restarts = 0;
  await inMacrotask(() => {
    for (let seed = 0; seed < 10; seed++) {
      const calm = runCheckpoints({ seed, mode, plan: { clocks: {}, faults: [] } });
      const struck = runCheckpoints({ seed, mode, job: seed % 3 === 0 ? 'twins' : 'sums' });
      expect([seed, calm.failure, struck.failure]).toEqual([seed, null, null]);
      if (seed === 0) expect(runCheckpoints({ seed, mode, job: 'twins' })).toEqual(struck);
      keptRows += calm.counts.keptRows ?? 0;
      restarts += (struck.counts.attempts ?? 0) - 1;
    }
  });
  expect(keptRows > 0).toBe(keepsRows);
  expect(restarts).toBeGreaterThan(4);
});

const at = (step: string, hit: number, what: StepFault['what']): StepFault => {
  return { kind: 'atStep', step, hit, what };
};

// Each of these once lost or doubled rows, or did not end.
test.each([
  {
    name: 'event time of a source comes ahead of rows that were on their way',
    seed: 28,
    mode: 'unaligned' as const,
    faults: [
      at('coordinator checkpoint folder list', 8, 'machine after'),
      at('slot part write', 3, 'long pause after'),
    ],
  },
  {
    name: 'a task that is started again ends before its deployment is answered',
    seed: 1140,
    mode: 'turning' as const,
    faults: [at('slot hidden output open', 1, 'slot before')],
  },
])('found by it: $name', async ({ seed, mode, faults }) => {
  await inMacrotask(() => {
    const verdict = runCheckpoints({ seed, mode, job: 'twins', plan: { clocks: {}, faults } });
    expect([verdict.failure, verdict.counts.struck]).toEqual([null, faults.length]);
  });
});

test.each(Object.keys(modeMistakes))('planted mistake is found: %s', { timeout }, async (name) => {
  await inMacrotask(() => {
    const { seed, plan, mode } = firstFailure(name);
    // The same run without the mistake passes: it is the mistake that was found.
    expect(runCheckpoints({ seed, mode, plan }).failure).toBeNull();
  });
});

function firstFailure(name: string) {
  const mistake = modeMistakes[name];
  if (mistake === undefined) throw new Error(`no mistake is called "${name}"`);
  const { mode } = mistake;
  for (let seed = 1; seed <= 40; seed++) {
    const faults = mistake.at === null ? [] : allFaults(stepsOf(seed, [], { mode }));
    for (const aim of aimsOf(mistake, faults, 6)) {
      const { failure, plan } = withMistake(name, seed, aim);
      if (failure !== null) return { seed, plan, mode };
    }
  }
  throw new Error(`no seed found "${name}"`);
}

function withMistake(name: string, seed: number, faults: readonly StepFault[]): Verdict {
  const { mode = 'aligned', plant = {}, patch } = modeMistakes[name] ?? {};
  const undo = patch?.();
  try {
    return runCheckpoints({ seed, mode, plant, plan: { clocks: {}, faults } });
  } finally {
    undo?.();
  }
}
