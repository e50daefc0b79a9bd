/**
 * Goal: whole jobs with checkpoints give each row once and in order, whatever befalls a step of the protocol: a role dies, is
 * paused, a message is lost, a disk call fails or tears, the power goes; and runs replay exactly.
 */
import { expect, test } from 'vitest';
import { runCheckpoints } from '../../simulation/checkpoints/checkpoint-scenario.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import type { StepFault } from '../../simulation/faults.ts';
import type { Verdict } from '../../simulation/leader-lease-scenario.ts';

const seedCount = 60;
const timeout = 240_000;

test(`${seedCount} seeds pass, and every tenth is the same again`, { timeout }, async () => {
  const counts: Record<string, number> = {};
  await inMacrotask(() => {
    for (let seed = 0; seed < seedCount; seed++) {
      const verdict = runCheckpoints({ seed });
      expect(verdict.failure, replayHint(verdict)).toBeNull();
      if (seed % 10 === 0) expect(runCheckpoints({ seed })).toEqual(verdict);
      for (const [name, count] of Object.entries(verdict.counts)) {
        counts[name] = (counts[name] ?? 0) + count;
      }
    }
  });
  // The runs are worth something: faults come true, programs are replaced, attempts begin again.
  expect(counts.finished).toBeGreaterThanOrEqual(seedCount);
  expect(counts.struck).toBeGreaterThan(seedCount);
  expect(counts.programs).toBeGreaterThan(1.5 * seedCount);
  expect(counts.attempts).toBeGreaterThan(1.5 * seedCount);
  expect(counts.checkpoints).toBeGreaterThan(2 * seedCount);
});

const at = (step: string, hit: number, what: StepFault['what']): StepFault => {
  return { kind: 'atStep', step, hit, what };
};

// Each of these once lost or doubled rows, or did not end.
test.each([
  {
    name: 'an attempt follows one whose tasks could not be stopped',
    seed: 4,
    faults: [at('barrier reaches aggregate', 1, 'long pause before')],
  },
  {
    name: 'a worker that is started again is taken in',
    seed: 2,
    faults: [at('task.request-split received', 1, 'worker before')],
  },
  {
    name: 'a split is asked for twice',
    seed: 3,
    faults: [at('task.request-split sent', 1, 'doubled')],
  },
  {
    name: 'a split is answered when the next attempt runs',
    seed: 2018,
    faults: [
      at('worker.register received', 0, 'long pause before'),
      at('slot told split', 1, 'slot after'),
    ],
  },
  {
    name: 'a program wakes up while it makes its sink ready, and its successor has written',
    seed: 2019,
    faults: [at('coordinator other syncDir', 0, 'pause before')],
  },
])('found by it: $name', async ({ seed, faults }) => {
  await inMacrotask(() => {
    const verdict = runCheckpoints({ seed, plan: { clocks: {}, faults } });
    expect(verdict.failure).toBeNull();
    expect(verdict.counts.struck).toBeGreaterThan(0);
  });
});

function replayHint({ seed, failure }: Verdict): string {
  const command = `npm run simulate -- --scenario checkpoints --seed ${seed}`;
  return `replay: ${command} (${failure?.judge}: ${failure?.message})`;
}
