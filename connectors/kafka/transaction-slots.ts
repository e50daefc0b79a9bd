/**
 * Writes rows in transactions: hidden from readers of committed records until the committer has made them visible.
 *
 *     slot 0   rows … barrier 1 ── noted ───────────── committed ── used again …
 *     slot 1                    rows … barrier 2 ── noted ── …
 *
 * At a barrier all rows have been written, and the transaction is noted as it is, open; the rows behind it go to the
 * next slot. A slot is used again only when its transaction is seen to be committed: until then the task waits.
 *
 * Records are kept until they are committed, since Kafka may end a transaction that is open for too long.
 *
 * Before: connectors/kafka/kafka-sink-writer.ts. After: connectors/kafka/kafka-transactions.ts.
 */
import { assert } from '../../base/assert.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { EncodedBatch, KafkaClient, KafkaProducer, ProducerIdentity } from './kafka-client.ts';
import { type NotedTransaction, slotsPerTask, transactionalIdOf } from './kafka-transactions.ts';
import { writeLostMarkers } from './lost-markers.ts';
import { type KafkaEnv, nextPauseMs } from './retrying.ts';
import type { KafkaSinkOptions, PreparedSink } from './sink-options.ts';
import { StagedWriter } from './staged-records.ts';
import { outcomeOf } from './transaction-outcome.ts';

interface Slot {
  readonly transactionalId: string;
  identity: ProducerIdentity;
  /** Whether a transaction of it was noted, and not seen to be committed. */
  isNoted: boolean;
  /** Partitions that its transaction has written to. */
  readonly partitions: Set<number>;
}

export class TransactionSlots {
  readonly #options: KafkaSinkOptions;
  readonly #slots: readonly Slot[];
  readonly #env: KafkaEnv;
  /** Null: the job has no checkpoints, and nobody can go on from what is kept. */
  readonly #staged: StagedWriter | null;
  #current: Slot;
  #isClosed = false;

  constructor(
    options: KafkaSinkOptions,
    { identities = {}, staging }: PreparedSink,
    context: Pick<SlotContext, 'taskIndex' | 'disk'> & { readonly env: KafkaEnv },
  ) {
    this.#options = options;
    this.#env = context.env;
    const { taskIndex, disk } = context;
    const bytesMax = options.stagedBytesMax;
    this.#staged =
      staging === undefined ? null : new StagedWriter({ ...staging, disk, taskIndex, bytesMax });
    this.#slots = Array.from({ length: slotsPerTask }, (_, slot) => {
      const transactionalId = transactionalIdOf(options.transactionalId, context.taskIndex, slot);
      const identity = identities[transactionalId];
      assert(identity !== undefined, 'a committer has prepared the ids of all tasks');
      return { transactionalId, identity, isNoted: false, partitions: new Set() };
    });
    this.#current = this.#slots[0] as Slot;
  }

  /** The producer of the slot that is written now. */
  producer(client: KafkaClient): KafkaProducer {
    const { topic } = this.#options;
    const { transactionalId, identity } = this.#current;
    return client.transactionsOf({ topic, transactionalId, identity });
  }

  /** What was sent belongs to the transaction that is open. @throws KAFKA_STAGED_TOO_LARGE, and errors of the disk. */
  keep(batches: readonly EncodedBatch[]): void {
    for (const { partition } of batches) this.#current.partitions.add(partition);
    if (!this.#isClosed) this.#staged?.add(batches);
  }

  /** Notes the transaction that was written; another slot is to be used for what comes next. @throws Errors of the disk. */
  note(): NotedTransaction {
    const { transactionalId, identity } = this.#current;
    const staged = this.#staged?.end() ?? null;
    this.#current.isNoted = true;
    return { transactionalId, ...identity, staged };
  }

  /** The producer of a slot that nobody waits for; resolves when there is one. @throws KAFKA_FENCED and others. */
  async next(client: KafkaClient): Promise<KafkaProducer> {
    for (let pauseMs = nextPauseMs(0); ; pauseMs = nextPauseMs(pauseMs)) {
      for (const slot of this.#slots) {
        if (slot.isNoted && !(await this.#isFreed(client, slot))) continue;
        this.#current = slot;
        return this.producer(client);
      }
      // Nothing is sent any more: whichever producer it is.
      if (this.#isClosed) return this.producer(client);
      await new Promise<void>((resolve) => this.#env.timers.after(pauseMs, resolve));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#staged?.close();
  }

  /** Whether the slot's transaction was committed: then it is begun anew, by the epoch that it has. */
  async #isFreed(client: KafkaClient, slot: Slot): Promise<boolean> {
    const found = await client.transactionOf(slot.transactionalId);
    const isCommitted =
      found?.state === 'CompleteCommit' && outcomeOf(slot.identity, found) === 'committed';
    if (!isCommitted) return false;
    const { topic, transactionTimeoutMs: timeoutMs } = this.#options;
    const { transactionalId, identity: expected, partitions } = slot;
    await writeLostMarkers(client, topic, [found], [...partitions]);
    slot.identity = await client.beginTransactions({ transactionalId, timeoutMs, expected });
    partitions.clear();
    slot.isNoted = false;
    return true;
  }
}
