/**
 * An idempotent producer, with transactions where it has an id: sets producer and sequence in ready-made record
 * batches and sends them, each to the leader of its partition.
 *
 *     send    batches ─by leader─▶ Produce ─┬─ written, or seen before ─▶ next sequence
 *                 ▲                         ├─ comes right ─ pause ─┐
 *                 └─────────────────────────┼───────────────────────┘   the same bytes, so the broker knows them
 *                                           └─ else ─▶ throws, and the producer is spent
 *
 * Before: connectors/kafka/platformatic/platformatic-client.ts.
 */
import { type API, addPartitionsToTxnV3 } from '@platformatic/kafka';
import { assert } from '../../../base/assert.ts';
import { stampProducer } from '../batch-header.ts';
import type {
  EncodedBatch,
  KafkaTransactions,
  ProducerIdentity,
  TopicPartition,
} from '../kafka-client.ts';
import { isRetryable, kafkaCodes, kafkaError, movedNumber } from '../kafka-errors.ts';
import { type KafkaEnv, retrying } from '../retrying.ts';
import { hasMoved } from './broker-connections.ts';
import type { ProducedPartition, ProduceRequest } from './raw-apis.ts';

export interface ProducerParts {
  readonly topic: string;
  readonly identity: ProducerIdentity;
  /** Null: no transactions. */
  readonly transactionalId: string | null;
  readonly callTimeoutMs: number;
  readonly env: KafkaEnv;
  readonly partitions: (timeoutMs: number) => Promise<readonly TopicPartition[]>;
  readonly forgetPartitions: () => void;
  readonly produce: (
    leader: number,
    request: ProduceRequest,
  ) => Promise<readonly ProducedPartition[]>;
  /** Asks the coordinator of the id, and again while that comes right. */
  readonly coordinated: (
    work: (
      ask: <A extends unknown[], R>(api: API<A, R>, args: A) => Promise<R>,
    ) => Promise<unknown>,
  ) => Promise<void>;
  readonly endTransaction: (outcome: 'commit' | 'abort') => Promise<void>;
}

const sequenceEnd = 2 ** 31;

export class PlatformaticProducer implements KafkaTransactions {
  readonly #parts: ProducerParts;
  /** By partition: the sequence of the next record. */
  readonly #sequences = new Map<number, number>();
  /** Partitions of the open transaction. */
  readonly #joined = new Set<number>();
  #isSpent = false;

  constructor(parts: ProducerParts) {
    this.#parts = parts;
  }

  get identity(): ProducerIdentity {
    return this.#parts.identity;
  }

  async send(batches: readonly EncodedBatch[]): Promise<void> {
    assert(!this.#isSpent, 'a producer that failed is used no more');
    this.#isSpent = true;
    for (const batch of batches) this.#stamp(batch);
    if (this.#parts.transactionalId !== null) await this.#join(batches);
    let left = batches;
    await retrying(this.#parts.env, this.#parts.callTimeoutMs, async (timeoutMs) => {
      const { open, error } = await this.#sendOnce(left, timeoutMs);
      left = open;
      if (error === null) return;
      if (hasMoved(error)) this.#parts.forgetPartitions();
      throw error;
    });
    for (const { partition, recordCount } of batches) {
      const next = (this.#sequences.get(partition) ?? 0) + recordCount;
      this.#sequences.set(partition, next % sequenceEnd);
    }
    this.#isSpent = false;
  }

  async end(outcome: 'commit' | 'abort'): Promise<void> {
    if (this.#joined.size === 0) return;
    await this.#parts.endTransaction(outcome);
    this.#joined.clear();
  }

  /** The connections are the client's. */
  async close(): Promise<void> {
    this.#isSpent = true;
  }

  #stamp({ partition, bytes }: EncodedBatch): void {
    const { identity, transactionalId } = this.#parts;
    const sequence = this.#sequences.get(partition) ?? 0;
    stampProducer(bytes, { ...identity, sequence, isTransactional: transactionalId !== null });
  }

  /** The coordinator has to know of a partition before anything is written there. */
  async #join(batches: readonly EncodedBatch[]): Promise<void> {
    const fresh = batches.map(({ partition }) => partition).filter((one) => !this.#joined.has(one));
    if (fresh.length === 0) return;
    const { topic, identity, transactionalId } = this.#parts;
    assert(transactionalId !== null, 'a transaction has an id');
    const transaction = {
      transactionalId,
      producerId: BigInt(identity.producerId),
      producerEpoch: identity.epoch,
      verifyOnly: false,
      topics: [{ name: topic, partitions: fresh }],
    };
    await this.#parts.coordinated((ask) => ask(addPartitionsToTxnV3.api, [[transaction]]));
    for (const partition of fresh) this.#joined.add(partition);
  }

  /** Sends to all leaders side by side; answers which batches are still to be written, and why. */
  async #sendOnce(
    batches: readonly EncodedBatch[],
    timeoutMs: number,
  ): Promise<{ readonly open: readonly EncodedBatch[]; readonly error: unknown }> {
    const partitions = await this.#parts.partitions(timeoutMs);
    const leaderOf = (partition: number) => partitions[partition]?.leader ?? -1;
    const byLeader = Map.groupBy(batches, ({ partition }) => leaderOf(partition));
    const answers = await Promise.all(
      [...byLeader].map(([leader, led]) => this.#sendTo(leader, led, timeoutMs)),
    );
    const errors = answers.flatMap(({ error }) => (error === null ? [] : [error]));
    const final = errors.find((error) => !isRetryable(error));
    return { open: answers.flatMap(({ open }) => open), error: final ?? errors[0] ?? null };
  }

  async #sendTo(
    leader: number,
    batches: readonly EncodedBatch[],
    timeoutMs: number,
  ): Promise<{ readonly open: readonly EncodedBatch[]; readonly error: unknown }> {
    const { topic, transactionalId } = this.#parts;
    try {
      const request = { topic, transactionalId, timeoutMs: Math.ceil(timeoutMs), batches };
      const answers = await this.#parts.produce(leader, request);
      const failed = answers.filter(({ errorCode }) => !isWritten(errorCode));
      const [first] = failed;
      if (first === undefined) return { open: [], error: null };
      const what = `topic "${topic}", partition ${first.partition}`;
      const numbers = new Set(failed.map(({ partition }) => partition));
      const open = batches.filter(({ partition }) => numbers.has(partition));
      return { open, error: kafkaError(movedNumber(first.errorCode), what) };
    } catch (error) {
      return { open: batches, error };
    }
  }
}

/** A sequence that the broker has seen is one that was written, and whose answer was lost. */
function isWritten(errorCode: number): boolean {
  return errorCode === kafkaCodes.none || errorCode === kafkaCodes.duplicateSequence;
}
