/**
 * Goal: of a job with two pipelines that share nothing one is started again from the newest checkpoint when a task of it fails,
 * and the other goes on untouched: each row comes once and in order, and each checkpoint is a consistent cut through both.
 */
import { expect, test } from 'vitest';
import { runCheckpoints, stepsOf } from '../../simulation/checkpoints/checkpoint-scenario.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import type { StepFault } from '../../simulation/faults.ts';
import type { Verdict } from '../../simulation/leader-lease-scenario.ts';
import { type RegionMistake, regionMistakes, tasksGoOn } from './region-plants.ts';

const timeout = 120_000;
const job = 'twins';

/** Calls of the disk that fail in the sink of one of the pipelines. */
function failuresOf(seed: number, stride: number): StepFault[] {
  const steps = stepsOf(seed, [], { job });
  return ['open', 'write', 'fsync'].flatMap((call) => {
    const step = `slot hidden output ${call}`;
    const count = Math.ceil((steps.get(step) ?? 0) / stride);
    return Array.from({ length: count }, (_, at): StepFault => {
      return { kind: 'atStep', step, hit: at * stride, what: 'fails' };
    });
  });
}

function runTwins(
  seed: number,
  fault: StepFault,
  { plant = {}, patch }: RegionMistake = {},
): Verdict {
  const undo = patch?.();
  try {
    return runCheckpoints({ seed, job, plant, plan: { clocks: {}, faults: [fault] } });
  } finally {
    undo?.();
  }
}

test('the pipeline whose sink fails goes on from the checkpoint, and the other one goes on', {
  timeout,
}, async () => {
  let rowsBeside = 0;
  await inMacrotask(() => {
    for (let seed = 0; seed < 5; seed++) {
      for (const fault of failuresOf(seed, 3)) {
        const { failure, counts } = runTwins(seed, fault);
        const { programs, attempts, regionRestarts } = counts;
        expect([seed, fault.step, fault.hit, failure]).toEqual([seed, fault.step, fault.hit, null]);
        expect([programs, attempts, regionRestarts]).toEqual([1, 1, 1]);
        rowsBeside += counts.rowsBeside ?? 0;
      }
    }
  });
  expect(rowsBeside).toBeGreaterThan(20);
});

test('tasks of a region that were taken for stopped, and go on, do no harm', {
  timeout,
}, async () => {
  await inMacrotask(() => {
    for (let seed = 0; seed < 4; seed++) {
      for (const fault of failuresOf(seed, 4)) {
        const { failure } = runTwins(seed, fault, { patch: tasksGoOn });
        expect([seed, fault.step, fault.hit, failure]).toEqual([seed, fault.step, fault.hit, null]);
      }
    }
  });
});

test('whatever befalls a step, of 12 seeds, each row comes once', { timeout }, async () => {
  let restarts = 0;
  await inMacrotask(() => {
    for (let seed = 0; seed < 12; seed++) {
      const verdict = runCheckpoints({ seed, job });
      expect([seed, verdict.failure]).toEqual([seed, null]);
      if (seed % 6 === 0) expect(runCheckpoints({ seed, job })).toEqual(verdict);
      restarts += verdict.counts.regionRestarts ?? 0;
    }
  });
  expect(restarts).toBeGreaterThan(0);
});

test.each(Object.entries(regionMistakes))(
  'planted mistake is found: %s',
  { timeout },
  async (_, mistake) => {
    await inMacrotask(() => {
      for (let seed = 0; seed < 24; seed++) {
        for (const fault of failuresOf(seed, 2)) {
          const { failure } = runTwins(seed, fault, mistake);
          if (failure === null) continue;
          // The same run without the mistake passes: it is the mistake that was found.
          expect(runTwins(seed, fault).failure).toBeNull();
          return;
        }
      }
      throw new Error('no seed has found it');
    });
  },
);
