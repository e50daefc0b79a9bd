/** Shows that a rule of the planner changes no row: random jobs, planned with it and without it. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { PlanRule } from '../../coordinator/planner/plan-step.ts';
import { planJob, planRules } from '../../coordinator/planner/planner.ts';
import { runPlan } from './plan-runner.ts';
import { expectSameRows, randomJobs } from './random-jobs.ts';

/** Runs each job with all rules and with all but this one; says in how many plans that differs. */
export function checkRule(rule: PlanRule, numRuns = 150): number {
  const others = planRules.filter((one) => one !== rule);
  expect(others.length, 'it is one of the rules').toBe(planRules.length - 1);
  let differing = 0;
  fc.assert(
    fc.property(randomJobs(), fc.integer({ min: 1, max: 3 }), (job, parallelism) => {
      const plans = [planRules, others].map((rules) => planJob(job.graph, { parallelism, rules }));
      const [withRule, without] = plans.map((plan) => runPlan(plan, job));
      if (JSON.stringify(plans[0]) !== JSON.stringify(plans[1])) differing++;
      expectSameRows(job, withRule, without);
    }),
    { numRuns },
  );
  return differing;
}
