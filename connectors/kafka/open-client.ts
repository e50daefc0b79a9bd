/**
 * Opens a client: the package is imported here and not before, so that a job without Kafka starts as fast
 * as ever. Before: connectors/kafka/kafka-client.ts.
 */
import type { KafkaConnectionOptions } from './connection-options.ts';
import { connectionOf } from './connection-secrets.ts';
import type { KafkaClient } from './kafka-client.ts';
import type { KafkaEnv } from './retrying.ts';

export async function openKafkaClient(
  options: KafkaConnectionOptions,
  env: KafkaEnv,
): Promise<KafkaClient> {
  const connection = await connectionOf(options);
  if (options.client === 'kafkajs') {
    const { KafkajsClient } = await import('./kafkajs/kafkajs-client.ts');
    return new KafkajsClient(connection, env);
  }
  const { PlatformaticClient } = await import('./platformatic/platformatic-client.ts');
  return new PlatformaticClient(connection, env);
}

/** A client for a piece of work, which is closed when that has ended. */
export async function withKafkaClient<T>(
  options: KafkaConnectionOptions,
  env: KafkaEnv,
  work: (client: KafkaClient) => Promise<T>,
): Promise<T> {
  const client = await openKafkaClient(options, env);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
