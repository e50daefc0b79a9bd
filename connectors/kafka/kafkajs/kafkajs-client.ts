/**
 * The port to Kafka on kafkajs, as far as it goes: no fetch without a group, and no end of a transaction that
 * another process has begun. It takes records, so ready-made batches are taken apart for it; numbers and
 * sequences of producers are its own, and it tells nobody which.
 *
 * Before: connectors/kafka/open-client.ts.
 */
import kafkajs, { type Admin, type Message, type Producer, type Transaction } from 'kafkajs';
import { assert } from '../../../base/assert.ts';
import type { KafkaConnection } from '../connection-secrets.ts';
import type {
  EncodedBatch,
  FetchedPartition,
  Isolation,
  KafkaClient,
  KafkaProducer,
  KafkaTransactions,
  OffsetAt,
  OpenTransaction,
  ProducerIdentity,
  TopicPartition,
  TransactionState,
  TransactionsOptions,
} from '../kafka-client.ts';
import {
  authenticationError,
  clientCannotError,
  isTlsCode,
  kafkaError,
  tlsError,
  unreachableError,
} from '../kafka-errors.ts';
import { plainRecordsOf } from '../plain-records.ts';
import { type KafkaEnv, within } from '../retrying.ts';

const name = 'kafkajs';
/** With pauses from 50 ms to 1 s these fill any deadline; the deadline is what ends them. */
const retry = { initialRetryTime: 50, maxRetryTime: 1_000, retries: 1_000 };

export class KafkajsClient implements KafkaClient {
  readonly #options: KafkaConnection;
  readonly #env: KafkaEnv;
  readonly #kafka: kafkajs.Kafka;
  #admin: Admin | null = null;
  #lastFault = '';
  readonly #producers: Producer[] = [];

  constructor(options: KafkaConnection, env: KafkaEnv) {
    const { brokers, tls, sasl, callTimeoutMs } = options;
    this.#options = options;
    this.#env = env;
    this.#kafka = new kafkajs.Kafka({
      clientId: 'millrace',
      brokers: [...brokers],
      ssl: tls ?? false,
      ...(sasl !== null && { sasl: { ...sasl } as kafkajs.SASLOptions }),
      connectionTimeout: Math.min(callTimeoutMs, 5_000),
      requestTimeout: callTimeoutMs,
      // It tries again whatever it meets; what that was is in its log alone.
      logLevel: kafkajs.logLevel.ERROR,
      logCreator: () => this.#keepFault,
      retry,
    });
  }

  readonly #keepFault = ({ log }: kafkajs.LogEntry): void => {
    this.#lastFault = String(log.error ?? log.message);
  };

  async partitionsOf(topic: string): Promise<readonly TopicPartition[]> {
    const { topics } = await this.#asking(topic, (admin) =>
      admin.fetchTopicMetadata({ topics: [topic] }),
    );
    const partitions = topics[0]?.partitions ?? [];
    return partitions
      .map(({ partitionId, leader }) => ({ partition: partitionId, leader }))
      .sort((a, b) => a.partition - b.partition);
  }

  /** The package asks for what is committed, and only that. */
  async offsetsOf(topic: string, at: OffsetAt, _isolation: Isolation): Promise<readonly number[]> {
    // Asked for offsets of a topic that is not there, the package tries until the deadline.
    await this.partitionsOf(topic);
    const found = await this.#asking(topic, async (admin) => {
      if (typeof at !== 'string') return admin.fetchTopicOffsetsByTimestamp(topic, at.timestampMs);
      const ends = await admin.fetchTopicOffsets(topic);
      return ends.map(({ partition, low, high }) => ({
        partition,
        offset: at === 'earliest' ? low : high,
      }));
    });
    return found.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
  }

  async fetch(): Promise<readonly FetchedPartition[]> {
    throw clientCannotError(name, 'read records without a consumer group');
  }

  async createTopic(topic: string, options: { readonly partitionCount: number }): Promise<void> {
    const isNew = await this.#asking(topic, (admin) =>
      admin.createTopics({
        topics: [{ topic, numPartitions: options.partitionCount }],
        waitForLeaders: true,
      }),
    );
    if (!isNew) throw kafkaError(36, `topic "${topic}"`);
  }

  async producer(topic: string): Promise<KafkaProducer> {
    const producer = await this.#connect({ idempotent: true, maxInFlightRequests: 1, retry });
    const send = (messages: Message[]) =>
      this.#within(topic, producer.send({ topic, messages, acks: -1 }));
    return {
      send: async (batches) => void (await send(messagesOf(batches))),
      close: async () => undefined,
    };
  }

  async transactions(options: TransactionsOptions): Promise<KafkaTransactions> {
    const { topic, transactionalId, timeoutMs } = options;
    const producer = await this.#connect({
      ...{ idempotent: true, maxInFlightRequests: 1, retry },
      ...{ transactionalId, transactionTimeout: timeoutMs },
    });
    // The first transaction is begun now: with it comes the epoch that fences those before.
    let open: Transaction | null = await this.#within(topic, producer.transaction());
    let hasSent = false;
    return {
      identity: null,
      send: async (batches) => {
        open ??= await this.#within(topic, producer.transaction());
        hasSent = true;
        await this.#within(topic, open.send({ topic, messages: messagesOf(batches), acks: -1 }));
      },
      end: async (outcome) => {
        const ending = open;
        if (ending === null || !hasSent) return;
        open = null;
        hasSent = false;
        await this.#within(topic, outcome === 'commit' ? ending.commit() : ending.abort());
      },
      close: async () => undefined,
    };
  }

  async transactionOf(): Promise<TransactionState | null> {
    throw clientCannotError(name, 'look at transactions');
  }

  async beginTransactions(): Promise<ProducerIdentity> {
    throw clientCannotError(name, 'begin transactions by an epoch');
  }

  transactionsOf(): KafkaTransactions {
    throw clientCannotError(name, 'go on with a transactional id');
  }

  async commitTransaction(): Promise<void> {
    throw clientCannotError(name, 'end a transaction of an earlier process');
  }

  async openTransactions(): Promise<readonly OpenTransaction[] | null> {
    throw clientCannotError(name, 'look into partitions for transactions');
  }

  async writeMarker(): Promise<void> {
    throw clientCannotError(name, 'end a transaction past its coordinator');
  }

  async close(): Promise<void> {
    const open = [this.#admin, ...this.#producers].filter((one) => one !== null);
    await Promise.allSettled(open.map((one) => one.disconnect()));
  }

  async #connect(config: kafkajs.ProducerConfig): Promise<Producer> {
    const producer = this.#kafka.producer(config);
    this.#producers.push(producer);
    await this.#within('', producer.connect());
    return producer;
  }

  async #asking<T>(topic: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#admin ?? this.#kafka.admin({ retry });
    if (this.#admin === null) {
      this.#admin = admin;
      await this.#within(topic, admin.connect());
    }
    return this.#within(topic, ask(admin));
  }

  async #within<T>(topic: string, work: Promise<T>): Promise<T> {
    const brokers = this.#options.brokers.join(', ');
    const { callTimeoutMs } = this.#options;
    const late = () => {
      const fault = this.#lastFault;
      if (/certificate|SSL|TLS/.test(fault)) return tlsError(brokers, new Error(fault));
      return unreachableError(brokers, new Error(`no answer in ${callTimeoutMs} ms`));
    };
    try {
      return await within(this.#env, callTimeoutMs, work, late);
    } catch (error) {
      throw typedErrorOf(error, { topic, brokers });
    }
  }
}

interface LibraryError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

function typedErrorOf(error: unknown, where: { topic: string; brokers: string }): unknown {
  const inside = errorsInside(error);
  const answer = inside.find(
    ({ name: one, code }) => /Protocol|Create/.test(String(one)) && Number(code) > 0,
  );
  if (answer !== undefined) return kafkaError(Number(answer.code), `topic "${where.topic}"`, error);
  const has = (pattern: RegExp) => inside.some((one) => pattern.test(String(one.name)));
  if (has(/SASLAuthentication/)) return authenticationError(where.brokers, error);
  if (inside.some(({ code }) => isTlsCode(code))) return tlsError(where.brokers, error);
  return has(/Connection|RequestTimeout|BrokerNotFound|NoBrokerAvailable/)
    ? unreachableError(where.brokers, error)
    : error;
}

function errorsInside(error: unknown): LibraryError[] {
  if (typeof error !== 'object' || error === null) return [];
  const { cause, errors } = error as LibraryError;
  return [error, ...[cause, ...(Array.isArray(errors) ? errors : [])].flatMap(errorsInside)];
}

function messagesOf(batches: readonly EncodedBatch[]): Message[] {
  return batches.flatMap(({ partition, bytes }) =>
    plainRecordsOf(bytes).map(({ key, value, timestampMs, headers }) => ({
      partition,
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestamp: String(timestampMs),
      headers: Object.fromEntries(
        headers.map(([header, content]) => {
          assert(content !== null, 'headers of a sink have values');
          return [header, Buffer.from(content)];
        }),
      ),
    })),
  );
}
