/** What a plan says of a Kafka source: `connectors/kafka.ts` makes it, the parts in coordinator and slots read it. */
import type { Json } from '../../engine/contracts/json.ts';
import type { KafkaConnectionOptions } from './connection-options.ts';
import type { Isolation } from './kafka-client.ts';

/** What the values of records become: columns of a JSON object, or one column `value`. */
export type ValueFormat = 'json' | 'text' | 'bytes';

/** What of a record besides its value may be a column. */
export const metadataKinds = [
  'key',
  'keyBytes',
  'timestamp',
  'offset',
  'partition',
  'headers',
] as const;
/** One of them. */
export type MetadataKind = (typeof metadataKinds)[number];

/** Where reading begins and ends. A type alias, since only those are assignable to `Json`. */
export type Bound = 'earliest' | 'latest' | { readonly timestampMs: number } | readonly number[];

export type KafkaSourceOptions = {
  readonly connection: KafkaConnectionOptions;
  readonly topic: string;
  readonly format: ValueFormat;
  /** Names of columns. */
  readonly metadata: { readonly [Kind in MetadataKind]?: string };
  readonly start: Bound;
  /** Exclusive; null: there is no end. */
  readonly until: 'latest' | readonly number[] | null;
  readonly isolation: Isolation;
  readonly discoveryIntervalMs: number;
  /** Bytes that are fetched ahead, by all partitions of a task together. */
  readonly prefetchBytesMax: number;
};

/** `connectors/kafka.ts` has checked it where the job was built. */
export function sourceOptionsIn(options: Json): KafkaSourceOptions {
  return options as unknown as KafkaSourceOptions;
}

/** The kind of metadata that a column is; null for a column of the value. */
export function metadataKindOf(
  { metadata }: Pick<KafkaSourceOptions, 'metadata'>,
  column: string,
): MetadataKind | null {
  return metadataKinds.find((kind) => metadata[kind] === column) ?? null;
}
