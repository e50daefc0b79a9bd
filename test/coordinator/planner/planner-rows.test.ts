/**
 * Goal: whatever a job's graph is, its plan gives the rows that its verbs give one after the other, at
 * any parallelism, through rings that hold one row and through files; and no rule changes a row.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planJob, planRules } from '../../../coordinator/planner/planner.ts';
import { referenceOutputs, runPlan } from '../../support/plan-runner.ts';
import { expectSameRows, randomJobs } from '../../support/random-jobs.ts';
import { checkRule } from '../../support/rule-check.ts';

const shuffles = fc.constantFrom('memory', 'disk');

test('a planned job gives what its nodes give', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(
      randomJobs(),
      fc.integer({ min: 1, max: 3 }),
      shuffles,
      (job, parallelism, shuffle) => {
        const found = runPlan(planJob(job.graph, { parallelism, shuffle }), job);
        expectSameRows(job, found, referenceOutputs(job.graph, job));
      },
    ),
    { numRuns: 120 },
  );
});

test.each(planRules.map((rule) => [rule.name, rule] as const))(
  '%s: the rows are the same with the rule and without it',
  (_name, rule) => {
    expect(checkRule(rule, 2)).toBeGreaterThan(1);
  },
);
