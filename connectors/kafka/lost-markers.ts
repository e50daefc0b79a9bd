/**
 * Ends that Kafka has not written: its coordinator says that a transaction has ended, and a partition still has it open.
 *
 * A transaction ends in each partition by a marker. A coordinator that meets a partition without a leader, as when the only
 * broker that has it comes back from a crash, may take it for deleted, skip its marker and say that all is done (Apache Kafka
 * 4.x, KAFKA-20734). What the next transaction of the same producer ends by is then the end of both: records that were
 * aborted are seen beside those that replace them, or committed ones are lost.
 *
 *     partition     rows of epoch 4   (no marker)   rows of epoch 5   commit ─▶ all of it is seen
 *
 * So whoever begins a transactional id anew looks into the partitions before it does, while the coordinator still knows how
 * the last transaction has ended, and writes the marker that is not there; and so does the committer. The user needs the right to read the topic (without
 * it nothing is looked at), and, where there is something to end, ClusterAction.
 *
 * Before: connectors/kafka/kafka-transactions.ts, connectors/kafka/transaction-slots.ts.
 */
import { codeOf, typedError } from '../../base/typed-error.ts';
import type {
  KafkaClient,
  OpenTransaction,
  ProducerIdentity,
  TransactionState,
} from './kafka-client.ts';

/**
 * How a transaction that a partition has open has ended for its coordinator; null: it has not, or it is another's.
 * A commit keeps the epoch, and whoever begins an id anew looks first: so one of an older epoch was aborted.
 */
export function lostOutcome(
  open: ProducerIdentity,
  { producerId, epoch, state }: TransactionState,
): 'commit' | 'abort' | null {
  if (open.producerId !== producerId || open.epoch > epoch) return null;
  if (open.epoch < epoch) return 'abort';
  if (state === 'CompleteCommit') return 'commit';
  return state === 'CompleteAbort' ? 'abort' : null;
}

/**
 * Writes the markers that Kafka has not written of transactional ids, before anything is written with them.
 *
 * @param found - What the coordinator says of the ids.
 * @param partitions - Where to look. @defaultValue all of the topic
 * @throws KAFKA_TRANSACTION_HANGS where the user may not; KAFKA_UNREACHABLE and others.
 */
export async function writeLostMarkers(
  client: KafkaClient,
  topic: string,
  found: readonly TransactionState[],
  partitions?: readonly number[],
): Promise<void> {
  if (found.length === 0) return;
  const states = new Map(found.map((state) => [state.producerId, state]));
  const open = await client.openTransactions(topic, partitions);
  for (const one of open ?? []) {
    const state = states.get(one.producerId);
    const outcome = state === undefined ? null : lostOutcome(one, state);
    if (outcome !== null) await writeMarker(client, topic, one, outcome);
  }
}

async function writeMarker(
  client: KafkaClient,
  topic: string,
  open: OpenTransaction,
  outcome: 'commit' | 'abort',
): Promise<void> {
  try {
    await client.writeMarker(topic, open, outcome);
  } catch (error) {
    const code = codeOf(error);
    // Another one has begun the id and written with it: it has looked itself.
    if (code === 'KAFKA_FENCED') return;
    throw code === 'KAFKA_NOT_AUTHORIZED' ? hangsError(topic, open, outcome) : error;
  }
}

function hangsError(
  topic: string,
  { partition, producerId, startOffset }: OpenTransaction,
  outcome: 'commit' | 'abort',
): Error {
  const grant =
    'Give the user the right to do it once: kafka-acls.sh --add --cluster --operation ClusterAction --allow-principal USER.';
  const abort = ` Or abort it: kafka-transactions.sh abort --topic ${topic} --partition ${partition} --start-offset ${startOffset}.`;
  return typedError(
    'KAFKA_TRANSACTION_HANGS',
    `topic "${topic}", partition ${partition}: Kafka has not written the ${outcome} of the transaction of producer ` +
      `${producerId} from offset ${startOffset} on (KAFKA-20734), and this user may not write it`,
    {
      hint: outcome === 'abort' ? grant + abort : grant,
      details: { topic, partition, producerId, startOffset, outcome },
    },
  );
}
