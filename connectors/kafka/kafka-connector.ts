/** The connector `kafka`: topics as source and sink. */
import type { Connector } from '../../engine/contracts/connector.ts';
import { KafkaEnumerator } from './kafka-enumerator.ts';
import { KafkaReader } from './kafka-reader.ts';
import { KafkaSinkCommitter } from './kafka-sink-committer.ts';
import { KafkaSinkWriter } from './kafka-sink-writer.ts';
import { preparedSinkIn, sinkOptionsIn } from './sink-options.ts';
import { sourceOptionsIn } from './source-options.ts';

export const kafkaConnector: Connector = {
  name: 'kafka',
  isReplayable: true,
  enumerator: (options, context) => new KafkaEnumerator(sourceOptionsIn(options), context),
  reader: (options, context) => new KafkaReader(sourceOptionsIn(options), context),
  committer: (options, context) => new KafkaSinkCommitter(sinkOptionsIn(options), context),
  writer: (options, prepared, context) =>
    new KafkaSinkWriter(sinkOptionsIn(options), preparedSinkIn(prepared), context),
};
