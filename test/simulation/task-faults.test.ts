/**
 * Goal: whatever befalls one task at its borders, the job gives the same result, and is not started again:
 * every task × {fails before, fails after, output lost, output torn, slow}, in rings and in files.
 */
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import type { JobFault } from '../../simulation/faults.ts';
import { runJob } from '../../simulation/job-scenario.ts';

interface Job {
  readonly seed: number;
  readonly shuffle: 'disk' | 'memory';
}

type TaskFault = Extract<JobFault, { kind: 'taskFault' }>;

const kinds: TaskFault['what'][] = [
  'failsBefore',
  'failsAfter',
  'outputRemoved',
  'outputTorn',
  'slow',
];
const timeout = 120_000;

test.each([
  ...[1, 2, 3, 5].map((seed) => ({ seed, shuffle: 'disk' as const })),
  ...[1, 2].map((seed) => ({ seed, shuffle: 'memory' as const })),
])(
  'seed $seed, shuffle in $shuffle: every task, everything that can befall it',
  { timeout },
  async (job) => {
    await inMacrotask(() => {
      const hits = new Map<string, number>();
      const faults = tasksOf(job).flatMap((task) =>
        kinds.map((what): TaskFault => ({ kind: 'taskFault', ...task, attempt: 1, what })),
      );
      for (const fault of faults) {
        const verdict = runJob({ ...job, plan: { clocks: {}, faults: [fault] } });
        const hint = JSON.stringify({ ...job, fault });
        expect(verdict.failure, hint).toBeNull();
        expect(verdict.counts, hint).toMatchObject({ runs: 1, finished: 1, taskFaults: 1 });
        hits.set(fault.what, (hits.get(fault.what) ?? 0) + 1);
      }
      for (const what of kinds) expect(hits.get(what)).toBeGreaterThan(0);
    });
  },
);

test('a task may fail four times', { timeout }, async () => {
  await inMacrotask(() => {
    const faults = [1, 2, 3, 4].map((attempt): TaskFault => {
      return { kind: 'taskFault', vertexId: 'v1', taskIndex: 0, attempt, what: 'failsAfter' };
    });
    const { counts } = runJob({ seed: 1, shuffle: 'disk', plan: { clocks: {}, faults } });
    expect(counts).toMatchObject({ runs: 1, finished: 1, taskFaults: 4 });
  });
});

test.each([1, 2, 3, 5])(
  'seed $0: a thread that hangs while another task fails is replaced',
  async (seed) => {
    const job = { seed, shuffle: 'memory' } as const;
    await inMacrotask(() => {
      const all = tasksOf(job);
      for (const [at, hanging] of all.entries()) {
        const failing = all[(at + 1) % all.length] ?? hanging;
        const faults: TaskFault[] = [
          { kind: 'taskFault', ...hanging, attempt: 1, what: 'hangs' },
          { kind: 'taskFault', ...failing, attempt: 1, what: 'failsBefore' },
        ];
        const { failure, counts } = runJob({ ...job, plan: { clocks: {}, faults } });
        expect(failure, JSON.stringify(faults)).toBeNull();
        expect(counts, JSON.stringify(faults)).toMatchObject({
          runs: 1,
          finished: 1,
          taskFaults: 2,
        });
      }
    });
  },
);

/** Whether a task of that name runs: a fault of it comes true. */
function isThere(job: Job, vertexId: string, taskIndex: number): boolean {
  const fault = { kind: 'taskFault', vertexId, taskIndex, attempt: 1, what: 'failsAfter' } as const;
  const { counts } = runJob({ ...job, plan: { clocks: {}, faults: [fault] } });
  return counts.taskFaults === 1;
}

function tasksOf(job: Job): { readonly vertexId: string; readonly taskIndex: number }[] {
  const tasks = [];
  for (let vertex = 1; isThere(job, `v${vertex}`, 0); vertex++) {
    for (let taskIndex = 0; taskIndex === 0 || isThere(job, `v${vertex}`, taskIndex); taskIndex++) {
      tasks.push({ vertexId: `v${vertex}`, taskIndex });
    }
  }
  return tasks;
}
