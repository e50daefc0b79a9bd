/**
 * The coordinator's part of a sink that writes while rows come: looks for the topic before a row is made. There is
 * nothing to make visible, and what was written stays where the job fails.
 *
 * After: connectors/kafka/kafka-sink-writer.ts.
 */
import type { RoleContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { CheckpointCommitter, SinkCommitter } from '../../engine/contracts/sink.ts';
import { withKafkaClient } from './open-client.ts';
import { kafkaEnvOf } from './retrying.ts';
import type { KafkaSinkOptions, PreparedSink } from './sink-options.ts';

export class KafkaSinkCommitter implements SinkCommitter, CheckpointCommitter {
  readonly #options: KafkaSinkOptions;
  readonly #context: RoleContext;

  constructor(options: KafkaSinkOptions, context: RoleContext) {
    this.#options = options;
    this.#context = context;
  }

  /** @throws KAFKA_TOPIC_NOT_FOUND, KAFKA_UNREACHABLE, KAFKA_AUTHENTICATION and others. */
  async prepare(): Promise<Json> {
    const { connection, topic } = this.#options;
    const partitions = await withKafkaClient(connection, kafkaEnvOf(this.#context), (client) =>
      client.partitionsOf(topic),
    );
    const prepared: PreparedSink = { partitionCount: partitions.length };
    return prepared;
  }

  /** What was written stays, and comes again. */
  restart(): Promise<Json> {
    return this.prepare();
  }

  async commit(): Promise<void> {
    // It is there already.
  }

  async abort(): Promise<void> {
    // What was written stays: the topic is no file.
  }
}
