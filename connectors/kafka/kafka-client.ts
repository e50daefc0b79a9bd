/**
 * The port to Kafka: what Millrace asks of a client, and no more. Two packages stand behind it, each in a
 * folder of its own; nothing else of the connector knows them.
 *
 *     platformatic/   all of it (the default)
 *     kafkajs/        all but fetching without a group, and transactions of an earlier process
 *
 * Bytes of records pass through as they are: a record batch (docs/formats of Kafka: message format v2) is
 * decoded and encoded elsewhere, straight from and to columns. Offsets, ids of producers and timestamps are
 * numbers: below 2^53 they are exact.
 *
 * Every call ends: it does its work within `callTimeoutMs`, or rejects with a typed error
 * (connectors/kafka/kafka-errors.ts). What may be tried again without harm says so (`retryable`).
 * After: connectors/kafka/open-client.ts.
 */

/** Where in a topic partition: its ends, or its first record that is not older. */
export type OffsetAt = 'earliest' | 'latest' | { readonly timestampMs: number };

/** Who sees records of open transactions, and those of aborted ones. */
export type Isolation = 'committed' | 'uncommitted';

export interface TopicPartition {
  readonly partition: number;
  /** The broker that has it; -1 while there is none. */
  readonly leader: number;
}

export interface FetchRequest {
  readonly topic: string;
  /** The broker that leads all of these partitions. */
  readonly leader: number;
  readonly partitions: readonly { readonly partition: number; readonly offset: number }[];
  readonly isolation: Isolation;
  /** How long the broker waits for a first byte. */
  readonly waitMaxMs: number;
  /** Of one partition; a batch that is larger is given whole. */
  readonly partitionBytesMax: number;
  readonly bytesMax: number;
}

/** A producer whose records from an offset on belong to an aborted transaction, up to its marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface FetchedPartition {
  readonly partition: number;
  /** Kafka's own number; 0 for none. */
  readonly errorCode: number;
  /** Record batches from the one on that has the offset; the last may be cut off. */
  readonly records: Uint8Array;
  /** Behind the last record that counts for the isolation. */
  readonly endOffset: number;
  readonly aborted: readonly AbortedTransaction[];
}

/** A record batch without a producer: id, epoch and sequence are set where it is sent. */
export interface EncodedBatch {
  readonly partition: number;
  readonly recordCount: number;
  /** Of its own: they are written to. */
  readonly bytes: Uint8Array;
}

/** The number of a producer with the epoch that fences those before it. */
// A type alias, not an interface: only those are assignable to `Json`.
export type ProducerIdentity = {
  readonly producerId: number;
  readonly epoch: number;
};

/** A transactional id as its coordinator has it. */
export interface TransactionState extends ProducerIdentity {
  /** Kafka's own word: `Empty`, `Ongoing`, `PrepareCommit`, `CompleteCommit`, `PrepareAbort`, `CompleteAbort` and others. */
  readonly state: string;
}

/** A transaction that a partition has open, whatever the coordinator of its id says of it. */
export interface OpenTransaction extends ProducerIdentity {
  readonly partition: number;
  /** Of the coordinator that wrote the producer's last marker there; -1: there was none. */
  readonly coordinatorEpoch: number;
  readonly startOffset: number;
}

/** Writes to one topic, each record once whatever is tried again (an idempotent producer). */
export interface KafkaProducer {
  /**
   * At most one batch for each partition; resolves when all in-sync replicas have them. One call at a time.
   * After a rejection nothing is known of the batches: the producer is of no more use.
   */
  send(batches: readonly EncodedBatch[]): Promise<void>;
  close(): Promise<void>;
}

/** Writes in transactions. Whoever opens the same id again ends the open one and fences this producer. */
export interface KafkaTransactions extends KafkaProducer {
  /** Null where the client does not tell. */
  readonly identity: ProducerIdentity | null;
  /** Ends the transaction that the sends since the last end belong to; without any it does nothing. */
  end(outcome: 'commit' | 'abort'): Promise<void>;
}

export interface TransactionsOptions {
  readonly topic: string;
  readonly transactionalId: string;
  /** After so long without an end the broker aborts a transaction; its `transaction.max.timeout.ms` is the most. */
  readonly timeoutMs: number;
}

export interface KafkaClient {
  /** @throws KAFKA_TOPIC_NOT_FOUND */
  partitionsOf(topic: string): Promise<readonly TopicPartition[]>;
  /** By partition. Where no record is as young as the timestamp: the end. */
  offsetsOf(topic: string, at: OffsetAt, isolation: Isolation): Promise<readonly number[]>;
  /** Without a group. Faults of single partitions are in the answer. */
  fetch(request: FetchRequest): Promise<readonly FetchedPartition[]>;
  /** @throws KAFKA_TOPIC_EXISTS */
  createTopic(topic: string, options: { readonly partitionCount: number }): Promise<void>;
  producer(topic: string): Promise<KafkaProducer>;
  transactions(options: TransactionsOptions): Promise<KafkaTransactions>;
  /** What is known of a transactional id; null: nothing. */
  transactionOf(transactionalId: string): Promise<TransactionState | null>;
  /**
   * Begins an id anew: ends its open transaction and fences whoever wrote with it. The epoch grows by 2 at least: Kafka takes
   * one who names the epoch before the newest for the same call made again, and gives it the newest, which another one has.
   * So each begin is two, and the epoch between them is known to nobody else.
   * @param expected - Who wrote last; where another one did, it is refused with KAFKA_FENCED.
   */
  beginTransactions(options: {
    readonly transactionalId: string;
    readonly timeoutMs: number;
    readonly expected: ProducerIdentity | 'nobody';
  }): Promise<ProducerIdentity>;
  /** Writes with an id that was begun. */
  transactionsOf(options: {
    readonly topic: string;
    readonly transactionalId: string;
    readonly identity: ProducerIdentity;
  }): KafkaTransactions;
  /** Commits a transaction of a process that is gone, by what it noted. @throws KAFKA_FENCED when it is not open any more */
  commitTransaction(transactionalId: string, identity: ProducerIdentity): Promise<void>;
  /**
   * Transactions of all producers that partitions have open; null where the user may not read the topic.
   * @param partitions - @defaultValue all of the topic
   */
  openTransactions(
    topic: string,
    partitions?: readonly number[],
  ): Promise<readonly OpenTransaction[] | null>;
  /** Ends an open transaction in its partition, past the coordinator of its id. @throws KAFKA_NOT_AUTHORIZED */
  writeMarker(topic: string, open: OpenTransaction, outcome: 'commit' | 'abort'): Promise<void>;
  close(): Promise<void>;
}
