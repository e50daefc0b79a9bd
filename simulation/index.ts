/**
 * `millrace/testing`: what a user's own tests take from the simulation. One seed decides time,
 * chance, disk, network and faults, so a run that failed can be run again exactly.
 */
export { Cluster, type ClusterOptions } from './cluster.ts';
export { inMacrotask } from './drain.ts';
export {
  drawFaultPlan,
  type Fault,
  type FaultPlan,
  type FaultPlanOptions,
  theLeader,
} from './faults.ts';
export { withGuard } from './guard.ts';
export { shrinkFaults } from './shrink.ts';
export type { Program, SimNode } from './sim-node.ts';
export {
  createSimSlotRunner,
  type SlotPort,
  type SlotProgram,
} from './sim-slot-runner.ts';
export type { Failure, Judge, World } from './world.ts';
