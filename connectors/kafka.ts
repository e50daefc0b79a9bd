/**
 * `millrace/kafka`: topics of Apache Kafka as sources and sinks. Only descriptions are made here;
 * connectors/kafka carries them out.
 */

import type { Column } from '../engine/api/column.ts';
import type { SourceOf } from '../engine/api/endpoints.ts';
import { type ColumnsOf, fieldOfType, StructType, t } from '../engine/api/value-type.ts';
import type { SinkSpec } from '../engine/contracts/connector.ts';
import { type Schema, schemaOf } from '../engine/schema/schema.ts';
import {
  connectionOptionsOf,
  type KafkaConnectionSettings,
  kafkaChoice,
  optionError,
  topicOf,
} from './kafka/connection-options.ts';
import type { KafkaSinkOptions } from './kafka/sink-options.ts';
import {
  type Bound,
  type KafkaSourceOptions,
  type MetadataKind,
  metadataKinds,
  type ValueFormat,
} from './kafka/source-options.ts';

export type { KafkaConnectionSettings } from './kafka/connection-options.ts';
export type { MetadataKind } from './kafka/source-options.ts';

declare const valueColumns: unique symbol;

/** What the values of records are, with the columns C that they give. */
export interface RecordFormat<C> {
  readonly [valueColumns]?: C;
  readonly kind: ValueFormat;
  readonly schema: Schema;
}

/** The columns of metadata, by kind. */
const metadataFields = {
  key: t.utf8().nullable(),
  keyBytes: t.binary().nullable(),
  timestamp: t.timestampMs(),
  offset: t.int64(),
  partition: t.int32(),
  headers: t.list(t.struct({ name: t.utf8(), value: t.binary().nullable() })),
};
type MetadataFields = typeof metadataFields;

/** Names of columns by what is in them. */
export type MetadataNames = { readonly [Kind in MetadataKind]?: string };

/** The fields that names of metadata add. */
type NamedFields<M> = {
  readonly [Kind in keyof M as M[Kind] extends string ? M[Kind] : never]: Kind extends MetadataKind
    ? MetadataFields[Kind]
    : never;
};

/** What `kafka.source` reads, and how. */
export interface KafkaSourceSettings<C, M extends MetadataNames> extends KafkaConnectionSettings {
  readonly topic: string;
  readonly format: RecordFormat<C>;
  /**
   * Columns besides those of the value: `key` (text), `keyBytes`, `timestamp`, `offset`, `partition`, `headers`, each
   * under the name given. @defaultValue none
   */
  readonly metadata?: M;
  /**
   * The first records to read: all that are there, those that come from now on, those from a time on, or from an
   * offset on for each partition, in their order. @defaultValue `earliest`
   */
  readonly start?:
    | 'earliest'
    | 'latest'
    | { readonly timestampMs: number }
    | { readonly offsets: readonly number[] };
  /**
   * Where reading ends: with the records that are there when the job starts, or before an offset for each partition.
   * @defaultValue never: the job is a stream that runs until it is cancelled
   */
  readonly until?: 'end' | { readonly offsets: readonly number[] } | undefined;
  /** Whether records of transactions are read only once these are committed. @defaultValue `committed` */
  readonly isolation?: 'committed' | 'uncommitted';
  /** How often it is looked for new partitions, in milliseconds from 100 on. @defaultValue 10_000 */
  readonly discoveryIntervalMs?: number;
  /** Bytes that each task fetches ahead, from 65,536 on. @defaultValue 16 MiB */
  readonly prefetchBytesMax?: number;
}

const discoveryIntervalMsDefault = 10_000;
const discoveryIntervalMsMin = 100;
const prefetchBytesDefault = 16 << 20;
const prefetchBytesMin = 64 << 10;

/**
 * Values that are JSON objects: a column for each field of the struct, by its name. Members that the struct lacks are
 * passed over; those that are missing are null, which a nullable column takes.
 *
 * @throws KAFKA_OPTION_INVALID
 * @example
 * ```ts
 * import { t } from 'millrace';
 * import { json } from 'millrace/kafka';
 *
 * json(t.struct({ auction: t.int64(), price: t.float64() })).schema.fields.length; // => 2
 * ```
 */
export function json<F>(struct: StructType<F>): RecordFormat<ColumnsOf<F>> {
  if (!(struct instanceof StructType)) {
    throw optionError(
      'json of kafka needs a struct',
      'Declare the fields: json(t.struct({ price: t.float64() })).',
    );
  }
  return Object.freeze({ kind: 'json', schema: struct.schema });
}

/** Values that are text, in the column `value`; null where a record has none. */
export function text(): RecordFormat<{ readonly value: Column<'utf8', string, true, 'value'> }> {
  return valueFormat('text', t.utf8().nullable());
}

/** Values as bytes, in the column `value`; null where a record has none. */
export function bytes(): RecordFormat<{
  readonly value: Column<'binary', Uint8Array, true, 'value'>;
}> {
  return valueFormat('bytes', t.binary().nullable());
}

function valueFormat<C>(
  kind: 'text' | 'bytes',
  type: Parameters<typeof fieldOfType>[1],
): RecordFormat<C> {
  return Object.freeze({ kind, schema: schemaOf(fieldOfType('value', type)) });
}

/**
 * Reads a topic: each of its partitions by one task, which also follows its event time. Partitions are the job's, and
 * no consumer group's; where it is in each of them is in the job's checkpoints.
 *
 * @throws KAFKA_OPTION_INVALID
 * @example
 * ```ts
 * import { t } from 'millrace';
 * import { json, kafka } from 'millrace/kafka';
 *
 * const Bid = t.struct({ auction: t.int64(), price: t.float64() });
 * const bids = kafka.source({
 *   brokers: '127.0.0.1:9092',
 *   topic: 'bids',
 *   format: json(Bid),
 *   metadata: { timestamp: 'sentAt' },
 * });
 * bids.schema.fields.map((field) => field.name).join(); // => 'auction,price,sentAt'
 * ```
 */
function source<C, const M extends MetadataNames = Record<never, never>>(
  settings: KafkaSourceSettings<C, M>,
): SourceOf<C & ColumnsOf<NamedFields<M>>> {
  const { format, metadata = {}, start = 'earliest', until } = settings;
  if (format?.schema === undefined) {
    throw optionError(
      'kafka.source needs a format',
      'Give json(t.struct({ … })), text() or bytes().',
    );
  }
  const options: KafkaSourceOptions = {
    connection: connectionOptionsOf(settings),
    topic: topicOf(settings.topic),
    format: format.kind,
    metadata,
    start: boundOf('start', start, ['earliest', 'latest']),
    until: until === undefined ? null : endOf(until),
    isolation: kafkaChoice('isolation', settings.isolation ?? 'committed', [
      'committed',
      'uncommitted',
    ]),
    discoveryIntervalMs: wholeOf(
      'discoveryIntervalMs',
      settings.discoveryIntervalMs ?? discoveryIntervalMsDefault,
      discoveryIntervalMsMin,
    ),
    prefetchBytesMax: wholeOf(
      'prefetchBytesMax',
      settings.prefetchBytesMax ?? prefetchBytesDefault,
      prefetchBytesMin,
    ),
  };
  const fields = [...format.schema.fields, ...metadataFieldsOf(metadata, format.schema)];
  return Object.freeze({
    connector: 'kafka',
    options,
    schema: schemaOf(...fields),
    ...(until === undefined && { isUnbounded: true as const }),
  });
}

/** What `kafka.sink` writes, and how. */
export interface KafkaSinkSettings extends KafkaConnectionSettings {
  readonly topic: string;
  /**
   * The column of keys: text and bytes as they are, other types as JSON. Rows with one key go to one partition, that
   * which the Java client gives it. @defaultValue records have no key
   */
  readonly key?: string;
  /** The column whose text or bytes are the values. @defaultValue all columns, as a JSON object */
  readonly value?: string;
  /** The column of times. @defaultValue when the record is written, by the clock */
  readonly timestamp?: string;
  /**
   * `at-least-once`: records are there as soon as they are written, and again when a task or the job runs again.
   * `exactly-once`: readers of committed records see them once, at the job's checkpoints, or at its end where it has
   * none. @defaultValue `at-least-once`
   */
  readonly delivery?: 'at-least-once' | 'exactly-once';
  /**
   * What the ids of transactions begin with: the same in all runs of a job, and of no other job, for a producer with
   * the id of another ends that one's work. @defaultValue `millrace-` and the topic
   */
  readonly transactionalId?: string | undefined;
  /**
   * After so long Kafka ends a transaction, in milliseconds from 1,000 on; more than two checkpoints may be apart, and no
   * more than "transaction.max.timeout.ms" of the brokers. @defaultValue 600_000
   */
  readonly transactionTimeoutMs?: number;
  /**
   * In a job with checkpoints the records of a transaction are kept beside them until it is committed: so many bytes for
   * each transaction of a task, from 65,536 on; more end the job. @defaultValue 1 GiB
   */
  readonly stagedBytesMax?: number;
  /** A batch of records for one partition, in bytes, from 1,024 on. @defaultValue 1,000,000, which brokers take by default */
  readonly batchBytesMax?: number;
  /** Records that wait to be sent, in bytes for each task, from 65,536 on. @defaultValue 16 MiB */
  readonly bufferBytesMax?: number;
}

const batchBytesDefault = 1_000_000;
const batchBytesMin = 1_024;
const transactionTimeoutDefault = 600_000;
const transactionTimeoutMin = 1_000;
const stagedBytesDefault = 1 << 30;
const stagedBytesMin = 64 << 10;

/**
 * Writes rows to a topic while they come: at least once, or in transactions, so that readers of committed records see
 * each of them once.
 *
 * @throws KAFKA_OPTION_INVALID
 * @example
 * ```ts
 * import { kafka } from 'millrace/kafka';
 *
 * kafka.sink({ brokers: '127.0.0.1:9092', topic: 'counts', key: 'word' }).isParallel; // => true
 * ```
 */
function sink(settings: KafkaSinkSettings): SinkSpec {
  const { delivery = 'at-least-once' } = settings;
  if (delivery === 'exactly-once' && settings.client === 'kafkajs') {
    throw optionError(
      'kafka.sink is not exactly once with kafkajs',
      'Leave out "client": the default one can.',
    );
  }
  const options: KafkaSinkOptions = {
    connection: connectionOptionsOf(settings),
    topic: topicOf(settings.topic),
    key: settings.key ?? null,
    value: settings.value ?? null,
    timestamp: settings.timestamp ?? null,
    delivery: kafkaChoice('delivery', delivery, ['at-least-once', 'exactly-once']),
    transactionalId: settings.transactionalId ?? `millrace-${settings.topic}`,
    transactionTimeoutMs: wholeOf(
      'transactionTimeoutMs',
      settings.transactionTimeoutMs ?? transactionTimeoutDefault,
      transactionTimeoutMin,
    ),
    stagedBytesMax: wholeOf(
      'stagedBytesMax',
      settings.stagedBytesMax ?? stagedBytesDefault,
      stagedBytesMin,
    ),
    batchBytesMax: wholeOf(
      'batchBytesMax',
      settings.batchBytesMax ?? batchBytesDefault,
      batchBytesMin,
    ),
    bufferBytesMax: wholeOf(
      'bufferBytesMax',
      settings.bufferBytesMax ?? prefetchBytesDefault,
      prefetchBytesMin,
    ),
  };
  return Object.freeze({ connector: 'kafka', options, isParallel: true });
}

/** Topics of Kafka: see `kafka.source` and `kafka.sink`. */
export const kafka = Object.freeze({
  /** A topic as a source of rows. */
  source,
  /** A topic as a sink of rows. */
  sink,
});

function metadataFieldsOf(metadata: MetadataNames, { fields }: Schema) {
  const taken = new Set(fields.map(({ name }) => name));
  return Object.entries(metadata).map(([given, name]) => {
    const kind = kafkaChoice('metadata', given, metadataKinds);
    if (typeof name !== 'string' || name === '' || taken.has(name)) {
      throw optionError(
        `metadata of kafka can't give "${kind}" the name "${name}"`,
        'Give a name that no other column has: metadata: { timestamp: "sentAt" }.',
      );
    }
    taken.add(name);
    return fieldOfType(name, metadataFields[kind]);
  });
}

function boundOf<T extends string>(
  option: string,
  given: T | { readonly timestampMs: number } | { readonly offsets: readonly number[] },
  choices: readonly T[],
): T | Exclude<Bound, string> {
  if (typeof given === 'string') return kafkaChoice(option, given, choices);
  const isTime = 'timestampMs' in given;
  const numbers = isTime ? [given.timestampMs] : given.offsets;
  if (!Array.isArray(numbers) || !numbers.every((one) => Number.isSafeInteger(one) && one >= 0)) {
    throw optionError(
      `${option} of kafka is no ${isTime ? 'time' : 'list of offsets'}`,
      'Give whole numbers from 0 on: { timestampMs: 1_700_000_000_000 } or { offsets: [0, 5] }.',
    );
  }
  return isTime ? { timestampMs: given.timestampMs } : [...numbers];
}

function endOf(until: 'end' | { readonly offsets: readonly number[] }): 'latest' | number[] {
  const bound = boundOf('until', until, ['end']);
  return Array.isArray(bound) ? bound : 'latest';
}

function wholeOf(option: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw optionError(
    `${option} of kafka can't be ${value}`,
    `Give a whole number from ${least} on.`,
  );
}
