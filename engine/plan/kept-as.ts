/**
 * Under what name an operator of a plan keeps its state. Several operators may carry out one logical operator, and how many
 * there are is the planner's choice: what one of them keeps must never be taken in by another.
 *
 *     windowAggregate             the phase that has the panes, whether or not there is one in front
 *     windowAggregate partial     in front of the exchange: gives out its panes at each barrier, and notes times
 *     windowAggregate until       behind windows that come in rows, as the second step of counting distinct values
 *     limit local                 in front of the exchange
 *     process, sink, …            of one logical operator there is one
 *
 * On disk, as `kind`: never renamed.
 * Before: engine/task/task-checkpoints.ts. After: worker/snapshot/snapshot-file-reader.ts.
 */
import type { OperatorSpec } from './physical-graph.ts';

/** An operator of a plan, as a checkpoint names it: `kind` is what `keptAs` says. */
export interface OperatorRef {
  readonly id: string;
  readonly kind: string;
}

export function keptAs(spec: OperatorSpec): string {
  const { kind } = spec;
  if (kind === 'limit') return spec.isLocal === true ? `${kind} local` : kind;
  if (kind !== 'windowAggregate') return kind;
  const until = spec.window.kind === 'until' ? ' until' : '';
  return `${kind}${until}${spec.phase === 'partial' ? ' partial' : ''}`;
}
