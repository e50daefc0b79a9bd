/**
 * Goal: whatever befalls one task at its borders, the job gives the same result, and is not started again:
 * every task × {fails before, fails after, its thread dies before, dies after, output lost, output torn, slow},
 * in rings and in files, and in plans that change while they run. `test/long/task-faults-sweep.test.ts` does the same for many more jobs.
 */
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { runJob, smallSizes } from '../../simulation/job-scenario.ts';
import {
  checkMatrix,
  expectRight,
  type TaskFault,
  taskFaultKinds,
  taskPlaces,
} from '../support/task-matrix.ts';

const timeout = 120_000;

test.each([
  ...[1, 2, 3, 5].map((seed) => ({ seed, shuffle: 'disk' as const })),
  ...[1, 2].map((seed) => ({ seed, shuffle: 'memory' as const })),
])(
  'seed $seed, shuffle in $shuffle: every task, everything that can befall it',
  { timeout },
  async (job) => {
    await inMacrotask(() => {
      const hits = checkMatrix(job);
      for (const what of taskFaultKinds) expect(hits.get(what)).toBeGreaterThan(0);
    });
  },
);

test.each([
  ['joined', { ...smallSizes(2 ** 16, false), skewBytesMin: 2 ** 20 }],
  ['split', smallSizes(16, false)],
  ['broadcast', smallSizes(16, true)],
] as const)(
  'a join that is adapted, %s: every task, everything that can befall it',
  { timeout },
  async (kind, adaptive) => {
    const job = { seed: 4, shuffle: 'disk', form: 'join', parallelism: 2, adaptive } as const;
    await inMacrotask(() => {
      const undisturbed = runJob({ ...job, plan: { clocks: {}, faults: [] } });
      expect(undisturbed.counts[kind]).toBeGreaterThan(0);
      const hits = checkMatrix(job);
      for (const what of taskFaultKinds) expect(hits.get(what)).toBeGreaterThan(0);
    });
  },
);

test('a task may fail four times', { timeout }, async () => {
  await inMacrotask(() => {
    const faults = [1, 2, 3, 4].map((attempt): TaskFault => {
      return { kind: 'taskFault', vertexId: 'v1', taskIndex: 0, attempt, what: 'failsAfter' };
    });
    expectRight({ seed: 1, shuffle: 'disk' }, faults);
  });
});

test.each([1, 2, 3, 5])(
  'seed $0: a thread that hangs while another task fails is replaced',
  { timeout },
  async (seed) => {
    const job = { seed, shuffle: 'memory' } as const;
    await inMacrotask(() => {
      const all = taskPlaces(job);
      for (const [at, hanging] of all.entries()) {
        const failing = all[(at + 1) % all.length] ?? hanging;
        expectRight(job, [
          { kind: 'taskFault', ...hanging, attempt: 1, what: 'hangs' },
          { kind: 'taskFault', ...failing, attempt: 1, what: 'failsBefore' },
        ]);
      }
    });
  },
);
