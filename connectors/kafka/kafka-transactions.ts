/**
 * Transactions of the writers of a sink, as the coordinator handles them: ids that are the same in all runs of a job,
 * open ones of earlier attempts resolved, and what was written made visible once.
 *
 *     id            <transactionalId>-<task>-<slot>       a writer uses its slots in turn: one is being written while
 *                                                         those before it wait to be committed
 *     noted         id, producer, epoch, and the records  in the checkpoint
 *
 *     commit        open ─▶ commit       committed ─▶ nothing       lost ─▶ its records again, under
 *                                                                   <id>-again-<producer>-<epoch>, unless that is committed
 *     prepare       commit all that is noted, then begin each id anew: whoever still writes with it is fenced
 *
 * Before: connectors/kafka/transaction-slots.ts. After: connectors/kafka/transaction-outcome.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { RoleContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { CheckpointCommitter, SinkCommitter } from '../../engine/contracts/sink.ts';
import type { EncodedBatch, KafkaClient, ProducerIdentity } from './kafka-client.ts';
import { withKafkaClient } from './open-client.ts';
import { kafkaEnvOf } from './retrying.ts';
import type { KafkaSinkOptions, PreparedSink } from './sink-options.ts';
import { outcomeOf } from './transaction-outcome.ts';

/** Slots of a task: one that is written, one that is being committed, one in reserve. */
export const slotsPerTask = 3;

/** What a writer says of a transaction that it has written whole. A type alias, as `Json` wants it. */
export type NotedTransaction = {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly epoch: number;
  /** Its record batches as base64; null where they are not kept. */
  readonly staged:
    | readonly {
        readonly partition: number;
        readonly recordCount: number;
        readonly base64: string;
      }[]
    | null;
};

export function transactionalIdOf(prefix: string, taskIndex: number, slot: number): string {
  return `${prefix}-${taskIndex}-${slot}`;
}

export class KafkaTransactionCommitter implements SinkCommitter, CheckpointCommitter {
  readonly #options: KafkaSinkOptions;
  readonly #context: RoleContext;
  /** Ids of transactions that are to be committed, and were not yet: who goes on from the checkpoint does it. */
  readonly #due = new Set<string>();

  constructor(options: KafkaSinkOptions, context: RoleContext) {
    this.#options = options;
    this.#context = context;
  }

  /**
   * Looks for the topic, commits what is noted, and fences whoever wrote before.
   *
   * @throws KAFKA_TOPIC_NOT_FOUND, KAFKA_TRANSACTION_LOST, KAFKA_FENCED, KAFKA_UNREACHABLE and others.
   */
  prepare(pending: readonly Json[] | null = null): Promise<Json> {
    return this.#asking(async (client) => {
      const partitions = await client.partitionsOf(this.#options.topic);
      const noted = (pending ?? []).flatMap(notedIn);
      await this.#commitAll(client, noted);
      const identities = await this.#beginAnew(client, noted);
      const prepared: PreparedSink = { partitionCount: partitions.length, identities };
      return prepared;
    });
  }

  /** @throws KAFKA_TRANSACTION_LOST, KAFKA_UNREACHABLE and others. */
  commit(prepared: readonly Json[]): Promise<void> {
    return this.#asking((client) => this.#commitAll(client, prepared.flatMap(notedIn)));
  }

  /** Ends what is open, so that readers of committed records need not wait for its timeout. */
  async abort(): Promise<void> {
    await this.#asking((client) => this.#beginAnew(client, []));
  }

  async #commitAll(client: KafkaClient, noted: readonly NotedTransaction[]): Promise<void> {
    for (const { transactionalId } of noted) this.#due.add(transactionalId);
    for (const one of noted) {
      await this.#commitOne(client, one);
      this.#due.delete(one.transactionalId);
    }
  }

  async #commitOne(client: KafkaClient, noted: NotedTransaction): Promise<void> {
    const { transactionalId } = noted;
    const outcome = outcomeOf(noted, await client.transactionOf(transactionalId));
    if (outcome === 'committed') return;
    if (outcome === 'open') return client.commitTransaction(transactionalId, noted);
    if (outcome === null) throw unknownOutcomeError(noted);
    await this.#writeAgain(client, noted);
  }

  /** Under an id of its own, which tells whether it has been done. */
  async #writeAgain(client: KafkaClient, noted: NotedTransaction): Promise<void> {
    const { topic, transactionTimeoutMs: timeoutMs } = this.#options;
    const { staged, producerId, epoch } = noted;
    if (staged === null) throw lostError(noted);
    const transactionalId = `${noted.transactionalId}-again-${producerId}-${epoch}`;
    const before = await client.transactionOf(transactionalId);
    if (before?.state === 'CompleteCommit' || before?.state === 'PrepareCommit') return;
    const transactions = await client.transactions({ topic, transactionalId, timeoutMs });
    for (const one of staged) await transactions.send([batchIn(one)]);
    await transactions.end('commit');
  }

  /** Begins every id anew, those of tasks that an earlier attempt had too; answers with who may write now. */
  async #beginAnew(
    client: KafkaClient,
    noted: readonly NotedTransaction[],
  ): Promise<Record<string, ProducerIdentity>> {
    const { transactionalId: prefix, transactionTimeoutMs: timeoutMs } = this.#options;
    const { taskCount = 1 } = this.#context;
    const slots = Array.from({ length: slotsPerTask }, (_, slot) => slot);
    const own = Array.from({ length: taskCount }, (_, task) =>
      slots.map((slot) => transactionalIdOf(prefix, task, slot)),
    );
    const all = new Set([...own.flat(), ...noted.map(({ transactionalId }) => transactionalId)]);
    const identities: Record<string, ProducerIdentity> = {};
    for (const transactionalId of all) {
      if (this.#due.has(transactionalId)) continue;
      // Named by what is known now: where two attempts do this at once, one of them is refused.
      const expected = await client.transactionOf(transactionalId);
      const options = { transactionalId, timeoutMs, expected };
      const { producerId, epoch } = await client.beginTransactions(options);
      identities[transactionalId] = { producerId, epoch };
    }
    return identities;
  }

  #asking<T>(ask: (client: KafkaClient) => Promise<T>): Promise<T> {
    return withKafkaClient(this.#options.connection, kafkaEnvOf(this.#context), ask);
  }
}

/** What a writer has noted; nothing where it wrote nothing. */
function notedIn(write: Json): NotedTransaction[] {
  return write === null ? [] : [write as unknown as NotedTransaction];
}

type Staged = NonNullable<NotedTransaction['staged']>[number];

/** A batch as a checkpoint keeps it. */
export function stagedBatch({ partition, recordCount, bytes }: EncodedBatch): Staged {
  return { partition, recordCount, base64: Buffer.from(bytes).toString('base64') };
}

function batchIn({ partition, recordCount, base64 }: Staged): EncodedBatch {
  return { partition, recordCount, bytes: Uint8Array.from(Buffer.from(base64, 'base64')) };
}

function lostError({ transactionalId }: NotedTransaction): Error {
  return typedError(
    'KAFKA_TRANSACTION_LOST',
    `Kafka has aborted the transaction of "${transactionalId}", and its records are kept nowhere else`,
    {
      hint:
        'It was open for longer than "transactionTimeoutMs". Give the sink more time, or run the job with checkpoints ' +
        'that are closer to each other: these keep the records until they are committed.',
    },
  );
}

function unknownOutcomeError({ transactionalId }: NotedTransaction): Error {
  return typedError(
    'KAFKA_TRANSACTION_LOST',
    `Kafka does not know whether the transaction of "${transactionalId}" was committed`,
    {
      hint:
        'Its coordinator has forgotten the id: it keeps one for "transactional.id.expiration.ms" (7 days by default). ' +
        'Look whether the records are there, and go on from a checkpoint that says so.',
    },
  );
}
