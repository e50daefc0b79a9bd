/** What a plan says of a Kafka sink: `connectors/kafka.ts` makes it, committer and writers read it. */

import { nearestName } from '../../base/nearest-name.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { type KafkaConnectionOptions, optionError } from './connection-options.ts';
import type { ProducerIdentity } from './kafka-client.ts';
import type { StagingPlace } from './staged-records.ts';

/** A type alias, since only those are assignable to `Json`. */
export type KafkaSinkOptions = {
  readonly connection: KafkaConnectionOptions;
  readonly topic: string;
  /** The column of keys; null: records have none. */
  readonly key: string | null;
  /** The column whose text or bytes are the values; null: all columns, as JSON objects. */
  readonly value: string | null;
  /** The column of times; null: the clock's. */
  readonly timestamp: string | null;
  readonly delivery: 'at-least-once' | 'exactly-once';
  /** What ids of transactions begin with; the same in all runs of a job, and of no other. */
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  /** Bytes of one transaction that are kept until it is committed, at most. */
  readonly stagedBytesMax: number;
  readonly batchBytesMax: number;
  /** Bytes of records that wait to be sent, at most, by all partitions of a task together. */
  readonly bufferBytesMax: number;
};

/** `connectors/kafka.ts` has checked it where the job was built. */
export function sinkOptionsIn(options: Json): KafkaSinkOptions {
  return options as unknown as KafkaSinkOptions;
}

/** What the committer has prepared. */
export function preparedSinkIn(prepared: Json): PreparedSink {
  return prepared as unknown as PreparedSink;
}

/** What the committer tells every writer. */
export type PreparedSink = {
  readonly partitionCount: number;
  /** By transactional id: who may write with it. @defaultValue there are no transactions */
  readonly identities?: { readonly [transactionalId: string]: ProducerIdentity };
  /** Where records are kept until they are committed. @defaultValue nowhere: the job has no checkpoints */
  readonly staging?: StagingPlace;
};

/** The index of a column that an option names. @throws KAFKA_OPTION_INVALID */
export function sinkColumnOf({ fields }: Schema, option: string, column: string): number {
  const names = fields.map(({ name }) => name);
  const index = names.indexOf(column);
  const isRight =
    index >= 0 && (option !== 'timestamp' || fields[index]?.type.kind === 'timestamp');
  if (isRight) return index;
  const nearest = nearestName(column, names);
  const meant = nearest === null ? '' : ` Did you mean "${nearest}"?`;
  const what = option === 'timestamp' ? 'timestamp' : 'column';
  throw optionError(
    `${option} of kafka.sink is "${column}", and the rows have no such ${what}`,
    `The columns are ${names.map((name) => `"${name}"`).join(', ')}.${meant}`,
  );
}
