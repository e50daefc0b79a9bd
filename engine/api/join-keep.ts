/**
 * Joins that keep rows of both sides: neither has to end, so rows meet as they come. How long a row can still find
 * partners is by the clock, as nothing else bounds it.
 */
import { typedError } from '../../base/typed-error.ts';
import type { KeptRows } from '../plan/join-keep.ts';
import { describe } from './row.ts';
import { wholeMs } from './windows.ts';

/**
 * How rows of a join are kept, in a job that streams. Rows of either side may go again (results that are revised): their
 * pairs go with them, as long as they are kept.
 */
export interface JoinKeep {
  /**
   * For how long after it has come a row can find partners, in whole milliseconds from 1 on, by the clock of the machine.
   * It may be a little longer, as rows that came about the same time go together.
   * @defaultValue for ever
   */
  readonly ttlMs?: number;
}

/**
 * What a join asks of its state; null where that is nothing.
 *
 * @throws JOB_ARGUMENT_INVALID
 */
export function keepIn(
  keep: unknown,
  { isNear, hasKeys }: { readonly isNear: boolean; readonly hasKeys: boolean },
): KeptRows | null {
  if (keep === undefined) return null;
  if (typeof keep !== 'object' || keep === null) {
    throw typedError('JOB_ARGUMENT_INVALID', `keep of join is ${describe(keep)}`, {
      hint: 'Write keep: {}, or keep: { ttlMs: 3_600_000 }.',
    });
  }
  if (isNear) {
    throw typedError(
      'JOB_ARGUMENT_INVALID',
      'join has "keep", and event time says how long rows are kept',
      {
        hint: 'Leave "keep" out: with "within", "window" or "asOf" rows go when event time has passed them.',
      },
    );
  }
  if (!hasKeys) {
    throw typedError('JOB_ARGUMENT_INVALID', 'a join that keeps rows of both sides needs a key', {
      hint: 'Compare a column of the one with one of the other in "on": order.id.eq(payment.order).',
    });
  }
  const { ttlMs } = keep as JoinKeep;
  if (ttlMs === undefined) return { ttlMs: null };
  wholeMs('ttlMs of join', ttlMs, 1);
  return { ttlMs };
}
