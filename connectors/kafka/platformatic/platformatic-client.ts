/**
 * The port to Kafka on @platformatic/kafka: its connections and its codecs of the small messages, with Fetch and
 * Produce of our own (connectors/kafka/platformatic/raw-apis.ts).
 *
 * Before: connectors/kafka/open-client.ts.
 */
import {
  type Broker,
  createTopicsV7,
  describeProducersV0,
  describeTransactionsV0,
  endTxnV3,
  findCoordinatorV4,
  initProducerIdV4,
  listOffsetsV7,
  metadataV12,
} from '@platformatic/kafka';
import { assert } from '../../../base/assert.ts';
import { codeOf } from '../../../base/typed-error.ts';
import type { KafkaConnection } from '../connection-secrets.ts';
import type {
  FetchedPartition,
  FetchRequest,
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
import { kafkaCodeOf, kafkaCodes, kafkaError, movedNumber } from '../kafka-errors.ts';
import { type KafkaEnv, retrying } from '../retrying.ts';
import { BrokerConnections, hasMoved } from './broker-connections.ts';
import { openIn, rawWriteMarker } from './open-transactions.ts';
import { PlatformaticProducer } from './platformatic-producer.ts';
import { type ProducedPartition, type ProduceRequest, rawFetch, rawProduce } from './raw-apis.ts';

const transactionKey = 1;
const anybody: ProducerIdentity = { producerId: -1, epoch: -1 };
/**
 * The number of no producer: brokers count them up from 0. A coordinator that does not know the transactional id makes it
 * whatever number is expected; one that knows it refuses any other number than its own.
 * @see Apache Kafka, `TransactionCoordinator.prepareInitProducerIdTransit`.
 */
const nobody: ProducerIdentity = { producerId: Number.MAX_SAFE_INTEGER, epoch: 0 };
const oneReplica = -1;
const specialOffsets = { earliest: -2n, latest: -1n } as const;

export class PlatformaticClient implements KafkaClient {
  readonly #options: KafkaConnection;
  readonly #env: KafkaEnv;
  readonly #connections: BrokerConnections;
  readonly #brokers = new Map<number, Broker>();
  /** By topic: its partitions, until a broker says that they have moved. */
  readonly #topics = new Map<string, readonly TopicPartition[]>();
  /** By transactional id: the broker that coordinates it. */
  readonly #coordinators = new Map<string, Broker>();

  constructor(options: KafkaConnection, env: KafkaEnv) {
    this.#options = options;
    this.#env = env;
    this.#connections = new BrokerConnections(options, env);
  }

  /** Asks anew: partitions are added, and move. */
  partitionsOf(topic: string): Promise<readonly TopicPartition[]> {
    return this.#retrying((timeoutMs) => this.#askPartitions(topic, timeoutMs));
  }

  async offsetsOf(topic: string, at: OffsetAt, isolation: Isolation): Promise<readonly number[]> {
    return this.#retrying(async (timeoutMs) => {
      const partitions = await this.#knownPartitions(topic, timeoutMs);
      const offsets = new Array<number>(partitions.length).fill(0);
      const byLeader = Map.groupBy(partitions, ({ leader }) => leader);
      await Promise.all(
        [...byLeader].map(async ([leader, led]) => {
          const found = await this.#listOffsets(topic, leader, led, { at, isolation, timeoutMs });
          for (const [partition, offset] of found) offsets[partition] = offset;
        }),
      );
      const missing = offsets.some((offset) => offset < 0);
      if (!missing || typeof at === 'string') return offsets;
      const ends = await this.offsetsOf(topic, 'latest', isolation);
      return offsets.map((offset, partition) => (offset < 0 ? (ends[partition] ?? 0) : offset));
    }, topic);
  }

  /** Not tried again here: whoever fetches goes on with other partitions meanwhile. */
  async fetch(request: FetchRequest): Promise<readonly FetchedPartition[]> {
    const { topic, leader, waitMaxMs } = request;
    const what = `topic "${topic}"`;
    const timeoutMs = waitMaxMs + this.#options.callTimeoutMs;
    const options = { timeoutMs, what, isFetch: true };
    const answer = await this.#connections.call(
      this.#broker(leader, what),
      rawFetch,
      [request],
      options,
    );
    if (answer.errorCode !== kafkaCodes.none) throw kafkaError(answer.errorCode, what);
    return answer.partitions;
  }

  async createTopic(topic: string, options: { readonly partitionCount: number }): Promise<void> {
    const asked = {
      name: topic,
      numPartitions: options.partitionCount,
      replicationFactor: oneReplica,
      assignments: [],
      configs: [],
    };
    await this.#retrying((timeoutMs) => {
      const args: [[typeof asked], number, boolean] = [[asked], timeoutMs, false];
      const what = `topic "${topic}"`;
      return this.#connections.callAny(createTopicsV7.api, args, { timeoutMs, what });
    });
    await this.#retrying(async (timeoutMs) => {
      try {
        await this.#askPartitions(topic, timeoutMs);
      } catch (error) {
        // The broker that answers may not have heard of it yet.
        const isNew = codeOf(error) === 'KAFKA_TOPIC_NOT_FOUND';
        throw isNew ? kafkaError(kafkaCodes.notLeader, `topic "${topic}"`, error) : error;
      }
    });
  }

  async producer(topic: string): Promise<KafkaProducer> {
    const identity = await this.#retrying(async (timeoutMs) => {
      const args: [null, number] = [null, 0];
      const options = { timeoutMs, what: 'an idempotent producer' };
      const answer = await this.#connections.callAny(initProducerIdV4.api, args, options);
      return { producerId: Number(answer.producerId), epoch: answer.producerEpoch };
    });
    return this.#newProducer(topic, identity, null);
  }

  async transactions(options: TransactionsOptions): Promise<KafkaTransactions> {
    const identity = await this.#initProducer(options, anybody);
    return this.transactionsOf({ ...options, identity });
  }

  /** Twice: see connectors/kafka/kafka-client.ts. */
  async beginTransactions(
    options: Parameters<KafkaClient['beginTransactions']>[0],
  ): Promise<ProducerIdentity> {
    const { expected } = options;
    const first = await this.#initProducer(options, expected === 'nobody' ? nobody : expected);
    return this.#initProducer(options, first);
  }

  #initProducer(
    { transactionalId, timeoutMs: transactionTimeoutMs }: Omit<TransactionsOptions, 'topic'>,
    before: ProducerIdentity,
  ): Promise<ProducerIdentity> {
    return this.#retrying(async (timeoutMs) => {
      const broker = await this.#coordinatorOf(transactionalId, timeoutMs);
      const args: [string, number, bigint, number] = [
        transactionalId,
        transactionTimeoutMs,
        BigInt(before.producerId),
        before.epoch,
      ];
      const options = { timeoutMs, what: transactionText(transactionalId) };
      const answer = await this.#moving(transactionalId, () =>
        this.#connections.call(broker, initProducerIdV4.api, args, options),
      );
      return { producerId: Number(answer.producerId), epoch: answer.producerEpoch };
    });
  }

  transactionsOf({
    topic,
    transactionalId,
    identity,
  }: Parameters<KafkaClient['transactionsOf']>[0]): KafkaTransactions {
    return this.#newProducer(topic, identity, transactionalId);
  }

  async transactionOf(transactionalId: string): Promise<TransactionState | null> {
    try {
      return await this.#retrying(async (timeoutMs) => {
        const broker = await this.#coordinatorOf(transactionalId, timeoutMs);
        const args: [string[]] = [[transactionalId]];
        const options = { timeoutMs, what: transactionText(transactionalId) };
        const answer = await this.#moving(transactionalId, () =>
          this.#connections.call(broker, describeTransactionsV0.api, args, options),
        );
        const [found] = answer.transactionStates;
        assert(found !== undefined, 'an answer has the id that was asked for');
        const { producerId, producerEpoch, transactionState } = found;
        return { producerId: Number(producerId), epoch: producerEpoch, state: transactionState };
      });
    } catch (error) {
      if (kafkaCodeOf(error) === kafkaCodes.unknownTransactionalId) return null;
      throw error;
    }
  }

  commitTransaction(transactionalId: string, identity: ProducerIdentity): Promise<void> {
    return this.#endTransaction(transactionalId, identity, 'commit');
  }

  async openTransactions(
    topic: string,
    partitions?: readonly number[],
  ): Promise<readonly OpenTransaction[] | null> {
    try {
      return await this.#retrying(async (timeoutMs) => {
        const all = await this.#knownPartitions(topic, timeoutMs);
        const asked = all.filter(({ partition }) => partitions?.includes(partition) ?? true);
        const byLeader = Map.groupBy(asked, ({ leader }) => leader);
        const found = await Promise.all(
          [...byLeader].map(([leader, led]) => this.#openAt(topic, leader, led, timeoutMs)),
        );
        return found.flat();
      }, topic);
    } catch (error) {
      if (codeOf(error) === 'KAFKA_NOT_AUTHORIZED') return null;
      throw error;
    }
  }

  async #openAt(
    topic: string,
    leader: number,
    led: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<OpenTransaction[]> {
    const what = `topic "${topic}"`;
    const asked = { name: topic, partitionIndexes: led.map(({ partition }) => partition) };
    const args: [[typeof asked]] = [[asked]];
    const broker = this.#broker(leader, what);
    return openIn(
      await this.#connections.call(broker, describeProducersV0.api, args, { timeoutMs, what }),
    );
  }

  writeMarker(topic: string, open: OpenTransaction, outcome: 'commit' | 'abort'): Promise<void> {
    return this.#retrying(async (timeoutMs) => {
      const what = `topic "${topic}", partition ${open.partition}`;
      const partitions = await this.#knownPartitions(topic, timeoutMs);
      const broker = this.#broker(partitions[open.partition]?.leader ?? -1, what);
      const args: [{ topic: string; open: OpenTransaction; outcome: 'commit' | 'abort' }] = [
        { topic, open, outcome },
      ];
      const options = { timeoutMs, what };
      const code = await this.#connections.call(broker, rawWriteMarker, args, options);
      if (code !== kafkaCodes.none) throw kafkaError(movedNumber(code), what);
    }, topic);
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  #newProducer(
    topic: string,
    identity: ProducerIdentity,
    transactionalId: string | null,
  ): PlatformaticProducer {
    const { callTimeoutMs } = this.#options;
    return new PlatformaticProducer({
      ...{ topic, identity, transactionalId, callTimeoutMs },
      env: this.#env,
      partitions: (timeoutMs) => this.#knownPartitions(topic, timeoutMs),
      forgetPartitions: () => this.#topics.delete(topic),
      produce: (leader, request) => this.#produce(leader, request),
      coordinated: (work) =>
        this.#retrying(async (timeoutMs) => {
          const id = transactionalId ?? '';
          const broker = await this.#coordinatorOf(id, timeoutMs);
          const options = { timeoutMs, what: transactionText(id) };
          await this.#moving(id, () =>
            work((api, args) => this.#connections.call(broker, api, args, options)),
          );
        }),
      endTransaction: (outcome) => this.#endTransaction(transactionalId ?? '', identity, outcome),
    });
  }

  #produce(leader: number, request: ProduceRequest): Promise<readonly ProducedPartition[]> {
    const what = `topic "${request.topic}"`;
    const broker = this.#broker(leader, what);
    return this.#connections.call(broker, rawProduce, [request], { ...request, what });
  }

  #endTransaction(
    transactionalId: string,
    { producerId, epoch }: ProducerIdentity,
    outcome: 'commit' | 'abort',
  ): Promise<void> {
    return this.#retrying(async (timeoutMs) => {
      const broker = await this.#coordinatorOf(transactionalId, timeoutMs);
      const isCommit = outcome === 'commit';
      const args: [string, bigint, number, boolean] = [
        transactionalId,
        BigInt(producerId),
        epoch,
        isCommit,
      ];
      const options = { timeoutMs, what: transactionText(transactionalId) };
      await this.#moving(transactionalId, () =>
        this.#connections.call(broker, endTxnV3.api, args, options),
      );
    });
  }

  async #coordinatorOf(transactionalId: string, timeoutMs: number): Promise<Broker> {
    const known = this.#coordinators.get(transactionalId);
    if (known !== undefined) return known;
    const what = transactionText(transactionalId);
    const args: [number, string[]] = [transactionKey, [transactionalId]];
    const options = { timeoutMs, what };
    const answer = await this.#connections.callAny(findCoordinatorV4.api, args, options);
    const [found] = answer.coordinators;
    assert(found !== undefined, 'an answer names the coordinator that was asked for');
    const broker = { host: found.host, port: found.port };
    this.#coordinators.set(transactionalId, broker);
    return broker;
  }

  /** Forgets the coordinator when it says that it is none. */
  async #moving<T>(transactionalId: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (hasMoved(error)) this.#coordinators.delete(transactionalId);
      throw error;
    }
  }

  async #knownPartitions(topic: string, timeoutMs: number): Promise<readonly TopicPartition[]> {
    return this.#topics.get(topic) ?? (await this.#askPartitions(topic, timeoutMs));
  }

  async #askPartitions(topic: string, timeoutMs: number): Promise<readonly TopicPartition[]> {
    const what = `topic "${topic}"`;
    const args: [string[], boolean, boolean] = [[topic], false, false];
    const answer = await this.#connections.callAny(metadataV12.api, args, { timeoutMs, what });
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port });
    const [found] = answer.topics;
    if (found === undefined) throw kafkaError(kafkaCodes.unknownTopic, what);
    const partitions = found.partitions
      .map(({ partitionIndex, leaderId }) => ({ partition: partitionIndex, leader: leaderId }))
      .sort((a, b) => a.partition - b.partition);
    this.#topics.set(topic, partitions);
    return partitions;
  }

  async #listOffsets(
    topic: string,
    leader: number,
    partitions: readonly TopicPartition[],
    asked: { readonly at: OffsetAt; readonly isolation: Isolation; readonly timeoutMs: number },
  ): Promise<(readonly [partition: number, offset: number])[]> {
    const { at, isolation, timeoutMs } = asked;
    const timestamp = typeof at === 'string' ? specialOffsets[at] : BigInt(at.timestampMs);
    const wanted = partitions.map(({ partition }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: -1,
      timestamp,
    }));
    const args: [number, number, { name: string; partitions: typeof wanted }[]] = [
      -1,
      isolation === 'committed' ? 1 : 0,
      [{ name: topic, partitions: wanted }],
    ];
    const what = `topic "${topic}"`;
    const broker = this.#broker(leader, what);
    const answer = await this.#connections.call(broker, listOffsetsV7.api, args, {
      timeoutMs,
      what,
    });
    return answer.topics.flatMap(({ partitions: found }) =>
      found.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)] as const),
    );
  }

  /** @throws KAFKA_REFUSED, retryable, where the partition has no leader now. */
  #broker(node: number, what: string): Broker {
    const broker = this.#brokers.get(node);
    if (broker === undefined) throw kafkaError(kafkaCodes.notLeader, what);
    return broker;
  }

  #retrying<T>(work: (timeoutMs: number) => Promise<T>, topic?: string): Promise<T> {
    return retrying(this.#env, this.#options.callTimeoutMs, async (leftMs) => {
      try {
        return await work(leftMs);
      } catch (error) {
        if (topic !== undefined && hasMoved(error)) this.#topics.delete(topic);
        throw error;
      }
    });
  }
}

function transactionText(transactionalId: string): string {
  return `transactional id "${transactionalId}"`;
}
