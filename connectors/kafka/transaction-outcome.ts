/**
 * What became of a transaction that a writer has noted: told from what the broker's coordinator says of its id.
 *
 *     noted: producer 7, epoch 4         the coordinator says
 *       open        may be committed     epoch 4, ongoing
 *       committed   nothing is to do     epoch 4, committed; or a later epoch: the id has been used again
 *       lost        to be written anew   epoch 5, aborted: it was open for too long, and the broker ended it
 *
 * A later epoch means "committed" because of what writers and committers keep to:
 * - An id is used again only when its last transaction was seen to be committed, or was written anew.
 * - Whoever begins to use it again names the epoch that it knows, so one who was asleep meanwhile is refused.
 * - A transaction that is noted is never aborted by its owner, nor by whoever begins anew, which commits it before; only the
 *   broker does that, and adds 1 to the epoch.
 *
 * Seen with Kafka 4.4.0; `test/e2e/kafka-transactions.test.ts` looks again.
 */
import type { ProducerIdentity, TransactionState } from './kafka-client.ts';

export type TransactionOutcome = 'open' | 'committed' | 'lost';

const aborted: ReadonlySet<string> = new Set([
  'PrepareAbort',
  'CompleteAbort',
  'PrepareEpochFence',
]);

/** Null where nobody knows: the coordinator has forgotten the id. */
export function outcomeOf(
  noted: ProducerIdentity,
  found: TransactionState | null,
): TransactionOutcome | null {
  if (found === null) return null;
  const { state, producerId, epoch } = found;
  if (producerId !== noted.producerId) return 'committed';
  if (epoch === noted.epoch) return outcomeOfSame(state);
  if (epoch < noted.epoch) return null;
  return epoch === noted.epoch + 1 && aborted.has(state) ? 'lost' : 'committed';
}

function outcomeOfSame(state: string): TransactionOutcome | null {
  if (state === 'Ongoing') return 'open';
  if (state === 'PrepareCommit' || state === 'CompleteCommit') return 'committed';
  return aborted.has(state) ? 'lost' : null;
}
