/**
 * What is known of a job's tasks before the first one starts: its regions, their slots, and whether all run at once.
 *
 * Before: coordinator/job/job-master.ts. After: coordinator/scheduler/regions.ts, coordinator/scheduler/placement.ts.
 */
import type { Connector } from '../../engine/contracts/connector.ts';
import type { PhysicalGraph, Vertex } from '../../engine/plan/physical-graph.ts';
import type { AdaptiveOptions } from '../adaptive/adaptive-options.ts';
import { homesOf } from '../scheduler/placement.ts';
import { regionsOf } from '../scheduler/regions.ts';
import type { RunPlan } from './running-job.ts';

export interface RunPlanOptions {
  readonly slotCount: number;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly runsTogether: boolean;
  /** As in `JobMasterOptions`. */
  readonly adaptive: AdaptiveOptions | null;
}

export function runPlanOf(graph: PhysicalGraph, options: RunPlanOptions): RunPlan {
  const { slotCount, connectors, runsTogether, adaptive } = options;
  const isOnce = ({ chain }: Vertex) =>
    chain.some((spec) => {
      const end = spec.kind === 'source' ? spec.source : spec.kind === 'sink' ? spec.sink : null;
      return end !== null && connectors.get(end.connector)?.usesProgram === true;
    });
  const onceIds = new Set(graph.vertices.filter(isOnce).map(({ id }) => id));
  const plan = { graph, slotCount, onceIds, adaptations: [] };
  return {
    regions: regionsOf(graph, isOnce),
    ...{ slotCount, runsTogether },
    homes: homesOf(graph, slotCount),
    adaptive: adaptive && { ...plan, options: adaptive },
  };
}
