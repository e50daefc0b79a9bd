/**
 * Record parts: how records, or groups, that were read as parts become that again, with the cells that they had.
 *
 *     cells   sum(price)  count(price)        parts   sum of avg · count of avg · sum of sum
 *             └─ a sum ───┴─ a sum ◀───────── read of the first part that is the cell's
 *
 * Cells are told apart by what they accumulate, parts by the results that they serve: so several parts may be of one
 * cell, and each cell is read of one of them. A count is added to as a sum is, and lies as one.
 */
import { assert } from '../../../base/assert.ts';
import { type AccumulatorSpec, resultSizesOf } from '../../kernels/accumulators.ts';
import type { AccumulatorInput, AggregatePlan } from '../aggregate-plan.ts';

export type CellPlan = Pick<AggregatePlan, 'accumulators' | 'inputs'>;

/** @param firstPart - Place of the first part among the columns that are read. */
export function cellsOfParts({ accumulators, parts }: AggregatePlan, firstPart: number): CellPlan {
  const columns = parts.map((part) => (part.kind === 'plain' ? part.column : -1));
  const inputs: AccumulatorInput[] = [];
  let column = 0;
  for (const spec of accumulators) {
    const sizes = resultSizesOf(spec);
    const indexes = sizes.map((_, at) => firstPart + columns.indexOf(column + at));
    assert(Math.min(...indexes) >= firstPart, 'every cell is in a part');
    const [index = 0] = indexes;
    inputs.push(sizes.length > 1 ? { kind: 'moments', indexes } : { kind: 'column', index });
    column += sizes.length;
  }
  return { accumulators: accumulators.map(mergedSpec), inputs };
}

/** What adds a part to a cell; of the same size. */
function mergedSpec(spec: AccumulatorSpec): AccumulatorSpec {
  switch (spec.function) {
    case 'count':
    case 'countValid':
      return { function: 'sum', type: 'int64' };
    case 'moments':
      return { function: 'mergeMoments', type: 'float64' };
    default:
      return spec.type === 'int64Wide' ? { ...spec, type: 'int128' } : spec;
  }
}
