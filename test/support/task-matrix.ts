/**
 * The matrix of what can befall the tasks of a simulated job at their borders: every task × everything. Each case
 * is one run with one fault, which must come true, and whose result must be the right one in the first run.
 */
import { expect } from 'vitest';
import type { AdaptiveOptions } from '../../coordinator/adaptive/adaptive-options.ts';
import type { JobFault } from '../../simulation/faults.ts';
import { runJob } from '../../simulation/job-scenario.ts';
import type { WordForm } from '../../simulation/word-job.ts';

export type TaskFault = Extract<JobFault, { kind: 'taskFault' }>;

export interface MatrixJob {
  readonly seed: number;
  readonly shuffle: 'disk' | 'memory';
  /** As the scenario has them. @defaultValue what the seed draws */
  readonly form?: WordForm;
  readonly adaptive?: AdaptiveOptions | null;
  readonly parallelism?: number;
}

type TaskPlace = Pick<TaskFault, 'vertexId' | 'taskIndex'>;

/** All but `hangs`, which alone is never noticed: nobody knows how long a function may take. */
export const taskFaultKinds = [
  ...(['failsBefore', 'failsAfter', 'diesBefore', 'diesAfter'] as const),
  ...(['outputRemoved', 'outputTorn', 'slow'] as const),
];

/** By kind: how many cases there were. @param job - What is run, again and again. */
export function checkMatrix(job: MatrixJob): ReadonlyMap<string, number> {
  const hits = new Map<string, number>();
  for (const place of taskPlaces(job)) {
    for (const what of taskFaultKinds) {
      expectRight(job, [{ kind: 'taskFault', ...place, attempt: 1, what }]);
      hits.set(what, (hits.get(what) ?? 0) + 1);
    }
  }
  return hits;
}

/** All faults come true, and the first run gives the right result. */
export function expectRight(job: MatrixJob, faults: readonly TaskFault[]): void {
  const verdict = runJob({ ...job, plan: { clocks: {}, faults: [...faults] } });
  const hint = JSON.stringify({ ...job, faults });
  expect(verdict.failure, hint).toBeNull();
  const right = { runs: 1, finished: 1, taskFaults: faults.length };
  expect(verdict.counts, hint).toMatchObject(right);
}

/** The tasks that a job has. */
export function taskPlaces(job: MatrixJob): TaskPlace[] {
  const places: TaskPlace[] = [];
  for (let vertex = 1; isThere(job, `v${vertex}`, 0); vertex++) {
    for (let taskIndex = 0; taskIndex === 0 || isThere(job, `v${vertex}`, taskIndex); taskIndex++) {
      places.push({ vertexId: `v${vertex}`, taskIndex });
    }
  }
  return places;
}

/** Whether a task of that name runs: a fault of it comes true. */
function isThere(job: MatrixJob, vertexId: string, taskIndex: number): boolean {
  const fault = { kind: 'taskFault', vertexId, taskIndex, attempt: 1, what: 'failsAfter' } as const;
  const { counts } = runJob({ ...job, plan: { clocks: {}, faults: [fault] } });
  return counts.taskFaults === 1;
}
