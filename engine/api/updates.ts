/** Updates: how an aggregate without windows gives out results that change while rows come. */
import { typedError } from '../../base/typed-error.ts';
import type { UpdateSpec } from '../plan/logical-graph.ts';
import type { VerbOptions } from '../plan/logical-node.ts';
import { describe } from './row.ts';
import { wholeMs } from './windows.ts';

/** How results come out that change while rows come: in a stream, to sinks that take changes. */
export interface UpdateOptions {
  /** For how long changes of a key are gathered into one, in milliseconds from 0 on. @defaultValue 100 */
  readonly everyMs?: number;
  /**
   * How long a key is kept after its last row, in milliseconds of the clock from 1 on, and up to half of that longer. A key that
   * is forgotten gives out no change; a row after that begins anew. @defaultValue for ever
   */
  readonly ttlMs?: number;
}

/** What `aggregate` takes beside name and id. */
export interface AggregateOptions extends VerbOptions {
  /**
   * How results come out that change while rows come.
   *
   * @example `aggregate({ bids: agg.count() }, { updates: { everyMs: 1_000, ttlMs: 86_400_000 } })`
   */
  readonly updates?: UpdateOptions;
}

const everyMsDefault = 100;

/** @throws JOB_ARGUMENT_INVALID */
export function updatesIn({ updates }: AggregateOptions = {}): UpdateSpec | null {
  if (updates === undefined) return null;
  if (typeof updates !== 'object' || updates === null) {
    throw typedError('JOB_ARGUMENT_INVALID', `updates of aggregate is ${describe(updates)}`, {
      hint: 'Write updates: { everyMs: 1_000, ttlMs: 86_400_000 }, or one of both.',
    });
  }
  const { everyMs = everyMsDefault, ttlMs } = updates;
  wholeMs('everyMs of updates', everyMs, 0);
  if (ttlMs !== undefined) wholeMs('ttlMs of updates', ttlMs, 1);
  return { everyMs, ttlMs: ttlMs ?? null };
}
