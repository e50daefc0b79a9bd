/**
 * Parts plan: how a table of groups takes in parts of groups as they came out of a table like it. What a cell holds is
 * the same; only what is added to it is another: counts are added up and not counted.
 *
 *     count rows        ─▶ add counts          sum, min, max, first, last    ─▶ the same of parts
 *     moments of values ─▶ merge moments       sum of int64 in 128 bits      ─▶ sum of int128
 *
 * Before: engine/plan/aggregate-parts.ts. After: engine/operators/aggregate-table.ts.
 */
import { assert } from '../../base/assert.ts';
import { type AccumulatorSpec, resultSizesOf } from '../kernels/accumulators.ts';
import type { AccumulatorInput, AggregatePlan } from './aggregate-plan.ts';

/** Accumulators with cells as those of the plan, and what they read of a batch of parts. */
export type PartsPlan = Pick<AggregatePlan, 'accumulators' | 'inputs'>;

/** @param firstPart - The column of the first part in the batches: those before it are keys and others. */
export function partsPlanOf(plan: AggregatePlan, firstPart: number): PartsPlan {
  const accumulators: AccumulatorSpec[] = [];
  const inputs: AccumulatorInput[] = [];
  let result = 0;
  for (const [index, spec] of plan.accumulators.entries()) {
    assert(plan.inputs[index]?.kind !== 'distinct', 'distinct values are no parts');
    const columns = resultSizesOf(spec).map(
      (_, column) => firstPart + partOf(plan, result + column),
    );
    result += columns.length;
    const merging = mergingSpecOf(spec);
    const [first = 0] = columns;
    accumulators.push(merging);
    inputs.push(
      merging.function === 'mergeMoments'
        ? { kind: 'moments', indexes: columns }
        : { kind: 'column', index: first },
    );
  }
  return { accumulators, inputs };
}

/** Which of the parts is a result column as it is. */
function partOf({ parts }: AggregatePlan, column: number): number {
  const part = parts.findIndex((one) => one.kind === 'plain' && one.column === column);
  assert(part >= 0, 'each result column is a part');
  return part;
}

function mergingSpecOf(spec: AccumulatorSpec): AccumulatorSpec {
  const { function: kind, type } = spec;
  if (kind === 'count' || kind === 'countValid') return { function: 'sum', type: 'int64' };
  if (kind === 'moments' || kind === 'mergeMoments') {
    return { function: 'mergeMoments', type: 'float64' };
  }
  return type === 'int64Wide' ? { function: kind, type: 'int128' } : spec;
}
