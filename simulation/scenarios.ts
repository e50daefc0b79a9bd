/** The scenarios that can be run by name. Each is a function of a seed and, to shrink, of a plan. */
import { runAligned } from './aligned-scenario.ts';
import { runBlockWrites } from './blocks/write-scenario.ts';
import { runCheckpoints } from './checkpoints/checkpoint-scenario.ts';
import type { FaultPlan } from './faults.ts';
import { runJob } from './job-scenario.ts';
import { runLeaderLease, type Verdict } from './leader-lease-scenario.ts';
import { runMembership } from './membership-scenario.ts';
import { runMetadata } from './metadata-scenario.ts';
import { runSupervisors } from './supervisor-scenario.ts';

export type Scenario = (options: { readonly seed: number; readonly plan?: FaultPlan }) => Verdict;

export const scenarios: Readonly<Record<string, Scenario>> = {
  'leader-lease': runLeaderLease,
  job: runJob,
  aligned: runAligned,
  checkpoints: runCheckpoints,
  membership: runMembership,
  metadata: runMetadata,
  supervisors: runSupervisors,
  'block-writes': runBlockWrites,
};
