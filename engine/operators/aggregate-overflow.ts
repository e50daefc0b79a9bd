/** What is said of a sum that does not fit its type: it ends the job, and is never a wrapped number. */
import { type TypedError, typedError } from '../../base/typed-error.ts';
import type { AggregatePlan } from './aggregate-plan.ts';

/** @param accumulator - Index of the one that overflowed. */
export function aggregateOverflow(
  operator: string,
  plan: AggregatePlan,
  accumulator: number,
): TypedError {
  const column = plan.owners[accumulator] ?? '';
  const isWide = plan.accumulators[accumulator]?.type === 'int128';
  const type = isWide ? 'a decimal of 38 digits' : 'an int64';
  const message = `sum "${column}" of operator "${operator}" does not fit ${type}`;
  return typedError('AGGREGATE_OVERFLOW', message, {
    details: { operator, column },
    hint: 'Sum the column as float64, or group by a finer key.',
  });
}
