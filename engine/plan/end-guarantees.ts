/**
 * What the sources and sinks of a plan can do for a job with checkpoints, by what their connectors say of themselves.
 *
 * Before: engine/contracts/connector.ts. After: engine/plan/guarantee.ts, coordinator/job/checkpointed-job.ts.
 */
import type { CheckpointMode } from '../contracts/checkpoint-mode.ts';
import type { Connector, Delivery } from '../contracts/connector.ts';
import type { OperatorSpec, PhysicalGraph } from './physical-graph.ts';

/** A source or a sink; `delivery` is null where it takes part in no checkpoint. */
export interface EndGuarantee {
  readonly kind: 'source' | 'sink';
  readonly id: string;
  readonly name: string;
  readonly connector: string;
  readonly delivery: Delivery | null;
  /** Of a sink that would do better with barriers that are aligned. @defaultValue it would not */
  readonly isCounted?: true;
}

export type Connectors = ReadonlyMap<string, Connector>;

/**
 * Of all sources and sinks, in the order of the plan.
 * @param mode - How barriers go. @defaultValue aligned
 */
export function endGuarantees(
  { vertices }: PhysicalGraph,
  connectors: Connectors,
  mode: CheckpointMode = 'aligned',
): EndGuarantee[] {
  const specs = vertices.flatMap(({ chain }) => chain);
  const ends = specs.flatMap((spec) => endOf(spec, connectors) ?? []);
  return mode === 'at-least-once' ? ends.map(counted) : ends;
}

/** A sink whose rows may come again, since what they were made of does. */
function counted(end: EndGuarantee): EndGuarantee {
  const isBetter = end.delivery === 'exactlyOnce' || end.delivery === 'effectivelyOnce';
  if (end.kind !== 'sink' || !isBetter) return end;
  return { ...end, delivery: 'atLeastOnce', isCounted: true };
}

function endOf(spec: OperatorSpec, connectors: Connectors): EndGuarantee | null {
  const { id, name } = spec;
  if (spec.kind === 'source') {
    const { connector } = spec.source;
    const isReplayable = connectors.get(connector)?.isReplayable === true;
    return { kind: 'source', id, name, connector, delivery: isReplayable ? 'exactlyOnce' : null };
  }
  if (spec.kind !== 'sink') return null;
  const { connector, options } = spec.sink;
  const { checkpointCommitter, deliveryOf } = connectors.get(connector) ?? {};
  const usual = checkpointCommitter === undefined ? null : 'exactlyOnce';
  return { kind: 'sink', id, name, connector, delivery: deliveryOf?.(options) ?? usual };
}
