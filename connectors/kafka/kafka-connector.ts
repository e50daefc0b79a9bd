/** The connector `kafka`: topics as source and sink. */
import type { Connector, RoleContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { KafkaEnumerator } from './kafka-enumerator.ts';
import { KafkaReader } from './kafka-reader.ts';
import { KafkaSinkCommitter } from './kafka-sink-committer.ts';
import { KafkaSinkWriter } from './kafka-sink-writer.ts';
import { KafkaTransactionCommitter } from './kafka-transactions.ts';
import { preparedSinkIn, sinkOptionsIn } from './sink-options.ts';
import { sourceOptionsIn } from './source-options.ts';

export const kafkaConnector: Connector = {
  name: 'kafka',
  isReplayable: true,
  enumerator: (options, context) => new KafkaEnumerator(sourceOptionsIn(options), context),
  reader: (options, context) => new KafkaReader(sourceOptionsIn(options), context),
  committer: committerOf,
  checkpointCommitter: committerOf,
  deliveryOf: (options) => (isInTransactions(options) ? 'exactlyOnce' : 'atLeastOnce'),
  writer: (options, prepared, context) =>
    new KafkaSinkWriter(sinkOptionsIn(options), preparedSinkIn(prepared), context),
};

/** Once at the end of a job, or at each of its checkpoints: it is the same work. */
function committerOf(given: Json, context: RoleContext) {
  const options = sinkOptionsIn(given);
  return isInTransactions(given)
    ? new KafkaTransactionCommitter(options, context)
    : new KafkaSinkCommitter(options, context);
}

function isInTransactions(options: Json): boolean {
  return sinkOptionsIn(options).delivery === 'exactly-once';
}
