/**
 * Memory weights: how large a part of a slot's memory an operator needs, beside the others of its slot.
 *
 * A partial phase gives its groups out when it is full, and is no better for much memory; what is one group
 * needs next to none. So the operators that would have to put rows on disk get the more.
 * After: engine/memory/memory-share.ts
 */
import { gathersRows, type OperatorSpec } from './physical-graph.ts';

/** Of a partial aggregate, a digest or a partition top; it holds no more than this part of a share. */
export const partialMemoryWeight = 1 / 4;

/** 1 for an operator that gathers rows without an end; 0 for one that hands them on. */
export function memoryWeightOf(operator: OperatorSpec): number {
  if (!gathersRows(operator)) return 0;
  if (operator.kind === 'partitionTop' || operator.kind === 'digest') return partialMemoryWeight;
  if (operator.kind === 'windowAggregate' && operator.phase === 'partial') {
    return partialMemoryWeight;
  }
  if (operator.kind !== 'aggregate') return 1;
  if (operator.phase === 'partial') return partialMemoryWeight;
  const hasSets = operator.aggregates.some((one) => one.function === 'countDistinct');
  return operator.keys.length === 0 && !hasSets ? 0 : 1;
}
