/**
 * Goal: whatever a job's graph is, its plan gives the rows that its verbs give one after the other, at
 * any parallelism, through rings that hold one row.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { referenceOutputs, runPlan, textsOf } from '../../support/plan-runner.ts';
import { randomJobs } from '../../support/random-jobs.ts';

test('a planned job gives what its nodes give', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(randomJobs(), fc.integer({ min: 1, max: 3 }), (job, parallelism) => {
      const expected = referenceOutputs(job.graph, job);
      const found = runPlan(planJob(job.graph, { parallelism }), job);
      for (const [sink, rows] of expected) {
        expect(textsOf(found.get(sink)), `${job.text}: ${sink}`).toEqual(textsOf(rows));
      }
    }),
    { numRuns: 200 },
  );
});
