/** Shows that a rule of the planner changes no row: random jobs, planned with it and without it. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { PlanRule } from '../../coordinator/planner/plan-step.ts';
import { planJob, planRules } from '../../coordinator/planner/planner.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';
import { runPlan } from './plan-runner.ts';
import { expectSameRows, randomJobs } from './random-jobs.ts';

const parallelisms = fc.integer({ min: 1, max: 3 });
/** What sources say that they have, whatever they have: a plan is right all the same. */
const rowCounts = fc.array(fc.constantFrom(null, 1, 100, 1e6), { minLength: 1, maxLength: 4 });

function statisticsOf({ nodes }: LogicalGraph, counts: readonly (number | null)[]) {
  const sources = nodes.filter(({ kind }) => kind === 'source');
  return new Map(
    sources.map(({ id }, at) => {
      const rowCount = counts[at % counts.length] ?? null;
      return [id, { rowCount, sizeBytes: null, columns: {} }] as const;
    }),
  );
}

/** Of some rules a random job is rarely a case: there are more jobs until enough plans differ. */
const roundRuns = 150;
const roundsMax = 12;

/** Runs random jobs with all rules and with all but this one, until the plans of some differ; says of how many. */
export function checkRule(rule: PlanRule, enough: number): number {
  const others = planRules.filter((one) => one !== rule);
  expect(others.length, 'it is one of the rules').toBe(planRules.length - 1);
  let differing = 0;
  for (let round = 0; round < roundsMax && (round === 0 || differing < enough); round++) {
    differing += checkRound(others, round);
  }
  return differing;
}

function checkRound(others: readonly PlanRule[], round: number): number {
  let differing = 0;
  // Each round has jobs of its own, also where all properties have one seed.
  const { seed } = fc.readConfigureGlobal() ?? {};
  fc.assert(
    fc.property(randomJobs(), parallelisms, rowCounts, (job, parallelism, counts) => {
      const statistics = statisticsOf(job.graph, counts);
      const plans = [planRules, others].map((rules) =>
        planJob(job.graph, { parallelism, rules, statistics }),
      );
      const [withRule, without] = plans.map((plan) => runPlan(plan, job));
      if (JSON.stringify(plans[0]) !== JSON.stringify(plans[1])) differing++;
      expectSameRows(job, withRule, without);
    }),
    { numRuns: roundRuns, ...(seed !== undefined && { seed: seed + round }) },
  );
  return differing;
}
