/** Runs a plan stage by stage, changed in between as the coordinator would change it. */
import {
  type Adaptation,
  type AdaptivePlan,
  adaptPlan,
  heldVertices,
  type TaskView,
} from '../../coordinator/adaptive/adapt-plan.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { type PlanInputs, type PlanOutputs, runPlan, type Written } from './plan-runner.ts';

export interface AdaptedRun {
  readonly outputs: PlanOutputs;
  readonly adaptations: readonly Adaptation[];
}

export function runAdaptedPlan(
  graph: PhysicalGraph,
  inputs: PlanInputs,
  given: Pick<AdaptivePlan, 'options' | 'slotCount'>,
): AdaptedRun {
  let plan: AdaptivePlan = { graph, ...given, onceIds: new Set(), adaptations: [] };
  const outputs = runPlan(graph, inputs, (written) => {
    const view = viewOf(written);
    plan = adaptPlan(plan, view);
    return { graph: plan.graph, held: heldVertices(plan, view) };
  });
  return { outputs, adaptations: plan.adaptations };
}

function viewOf(written: Written): TaskView {
  return {
    partitionBytes: (taskId) => written.get(taskId) ?? null,
    hasStarted: (taskId) => written.has(taskId),
  };
}
