/** The connector `kafka`: topics as source and sink. */
import type { Connector } from '../../engine/contracts/connector.ts';
import { KafkaEnumerator } from './kafka-enumerator.ts';
import { KafkaReader } from './kafka-reader.ts';
import { sourceOptionsIn } from './source-options.ts';

export const kafkaConnector: Connector = {
  name: 'kafka',
  enumerator: (options, context) => new KafkaEnumerator(sourceOptionsIn(options), context),
  reader: (options, context) => new KafkaReader(sourceOptionsIn(options), context),
};
