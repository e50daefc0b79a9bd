/**
 * Transactions of the writers of a sink, as the coordinator handles them: ids that are the same in all runs of a job,
 * open ones of earlier attempts resolved, and what was written made visible once.
 *
 *     id            <transactionalId>-<task>-<slot>       a writer uses its slots in turn: one is being written while
 *                                                         those before it wait to be committed
 *     noted         id, producer, epoch                   in the checkpoint; its records in a file beside it
 *
 *     commit        open ─▶ commit       committed ─▶ nothing       lost ─▶ its records again, under
 *                                                                   <id>-again-<producer>-<epoch>, unless that is committed
 *     prepare       commit all that is noted, look at each id, look whether this attempt is still the last one, and begin
 *                   each id anew, if it is as it was: whoever still writes with it is fenced. Ends that Kafka has not
 *                   written are written before (connectors/kafka/lost-markers.ts)
 *
 * Why in this order: a successor begins to look when it has taken over. So where this attempt was the last one after its
 * look, an id that is as it was has not been begun by a successor; and one that was is refused, however long this process
 * was asleep. Old checkpoints have the records in themselves.
 *
 * Before: connectors/kafka/transaction-slots.ts. After: connectors/kafka/transaction-outcome.ts.
 */
import { assert } from '../../base/assert.ts';
import { codeOf, typedError } from '../../base/typed-error.ts';
import type { RoleContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { CheckpointCommitter, SinkCommitter } from '../../engine/contracts/sink.ts';
import type {
  EncodedBatch,
  KafkaClient,
  ProducerIdentity,
  TransactionState,
} from './kafka-client.ts';
import { writeLostMarkers } from './lost-markers.ts';
import { withKafkaClient } from './open-client.ts';
import { kafkaEnvOf, nextPauseMs } from './retrying.ts';
import type { KafkaSinkOptions, PreparedSink } from './sink-options.ts';
import {
  readStaged,
  removeLeftovers,
  removeStaged,
  type StagedNote,
  type StagingPlace,
  stagingName,
} from './staged-records.ts';
import { outcomeOf } from './transaction-outcome.ts';

/** Slots of a task: one that is written, one that is being committed, one in reserve. */
export const slotsPerTask = 3;

/** What a writer says of a transaction that it has written whole. A type alias, as `Json` wants it. */
export type NotedTransaction = {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly epoch: number;
  /** Its record batches: in a file, or, as older versions have noted them, as base64; null where they are not kept. */
  readonly staged: StagedNote | readonly StagedBatch[] | null;
};

type StagedBatch = {
  readonly partition: number;
  readonly recordCount: number;
  readonly base64: string;
};

/** States that pass by themselves, when all partitions have their markers. */
const ending = ['PrepareCommit', 'PrepareAbort', 'PrepareEpochFence'];
/** Beyond its timeout: Kafka looks for transactions that are open for too long every 10 s. */
const settleMsMax = 60_000;
/** How often others may begin ids between the look at them and ours. */
const triesMax = 5;

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
      const { attempt } = this.#context;
      await this.#commitAll(client, noted, attempt?.restoredFrom);
      const identities = await this.#beginAnew(client, noted);
      const staging = this.#staging();
      if (staging !== null) await removeLeftovers(this.#context.disk, staging);
      const prepared: PreparedSink = {
        ...{ partitionCount: partitions.length, identities },
        ...(staging !== null && { staging }),
      };
      return prepared;
    });
  }

  /** @throws KAFKA_TRANSACTION_LOST, KAFKA_UNREACHABLE and others. */
  commit(prepared: readonly Json[]): Promise<void> {
    const noted = prepared.flatMap(notedIn);
    return this.#asking((client) => this.#commitAll(client, noted, this.#context.attempt?.folder));
  }

  /** Ends what is open, so that readers of committed records need not wait for its timeout. */
  async abort(): Promise<void> {
    await this.#asking((client) => this.#beginAnew(client, []));
    const staging = this.#staging();
    if (staging !== null && this.#due.size === 0) {
      await removeLeftovers(this.#context.disk, staging);
    }
  }

  /** @param folder - Where paths of staged records begin. */
  async #commitAll(
    client: KafkaClient,
    noted: readonly NotedTransaction[],
    folder: string | undefined,
  ): Promise<void> {
    for (const { transactionalId } of noted) this.#due.add(transactionalId);
    for (const one of noted) await this.#commitOne(client, one, folder);
    await this.#confirm(
      client,
      noted.map(({ transactionalId }) => transactionalId),
    );
    for (const { transactionalId } of noted) this.#due.delete(transactionalId);
  }

  /** What was committed is seen: the commits of ids that Kafka has not written are written. */
  async #confirm(client: KafkaClient, ids: readonly string[]): Promise<void> {
    const found = await Promise.all(ids.map((id) => this.#settled(client, id, ending)));
    const committed = found.flatMap((one) => (one?.state === 'CompleteCommit' ? [one] : []));
    await writeLostMarkers(client, this.#options.topic, committed);
  }

  async #commitOne(
    client: KafkaClient,
    noted: NotedTransaction,
    folder: string | undefined,
  ): Promise<void> {
    const { transactionalId, staged } = noted;
    const outcome = outcomeOf(noted, await client.transactionOf(transactionalId));
    if (outcome === null) throw unknownOutcomeError(noted);
    if (outcome === 'open') await client.commitTransaction(transactionalId, noted);
    if (outcome === 'lost') await this.#writeAgain(client, noted, folder);
    // Those of another job, which this one began from, are not its to remove.
    const isOwn = folder !== undefined && folder === this.#context.attempt?.folder;
    if (isOwn && staged !== null && 'path' in staged) {
      await removeStaged(this.#context.disk, folder, staged.path);
    }
  }

  /** Under an id of its own, which tells whether it has been done. */
  async #writeAgain(
    client: KafkaClient,
    noted: NotedTransaction,
    folder: string | undefined,
  ): Promise<void> {
    const { topic, transactionTimeoutMs: timeoutMs } = this.#options;
    const { staged, producerId, epoch } = noted;
    if (staged === null) throw lostError(noted);
    const transactionalId = `${noted.transactionalId}-again-${producerId}-${epoch}`;
    // One that is open may be committed by a process that wakes up again, until Kafka ends it.
    const before = await this.#settled(client, transactionalId, ['Ongoing', ...ending]);
    if (before !== null) await writeLostMarkers(client, topic, [before]);
    if (before?.state === 'CompleteCommit') return;
    await this.#context.attempt?.checkCurrent();
    const expected = before ?? 'nobody';
    const identity = await client.beginTransactions({ transactionalId, timeoutMs, expected });
    const transactions = client.transactionsOf({ topic, transactionalId, identity });
    for await (const batch of this.#batchesIn(staged, folder)) await transactions.send([batch]);
    await transactions.end('commit');
    await this.#confirm(client, [transactionalId]);
  }

  #batchesIn(
    staged: NonNullable<NotedTransaction['staged']>,
    folder: string | undefined,
  ): Iterable<EncodedBatch> | AsyncIterable<EncodedBatch> {
    if (!('path' in staged)) return staged.map(batchIn);
    assert(folder !== undefined, 'a file is noted in a checkpoint, which is in a folder');
    return readStaged(this.#context.disk, folder, staged);
  }

  #staging(): StagingPlace | null {
    const { attempt } = this.#context;
    if (attempt === undefined) return null;
    const { folder, epoch } = attempt;
    return { folder, epoch, name: stagingName(this.#options.transactionalId) };
  }

  /** Begins every id anew, those of tasks that earlier attempts had too; answers with who may write now. */
  async #beginAnew(
    client: KafkaClient,
    noted: readonly NotedTransaction[],
  ): Promise<Record<string, ProducerIdentity>> {
    const known = this.#idsOf(noted);
    for (let tries = 1; ; tries++) {
      try {
        return await this.#beginOnce(client, known);
      } catch (error) {
        // One that was before us and has just begun the same ids. Who came behind us is told by the log.
        if (codeOf(error) !== 'KAFKA_FENCED' || tries === triesMax) throw error;
      }
    }
  }

  async #beginOnce(
    client: KafkaClient,
    ids: readonly string[],
  ): Promise<Record<string, ProducerIdentity>> {
    const { topic, transactionTimeoutMs: timeoutMs } = this.#options;
    const found = await this.#lookAt(client, ids);
    await this.#context.attempt?.checkCurrent();
    const known = [...found.values()].filter((state) => state !== null);
    await writeLostMarkers(client, topic, known);
    const identities: Record<string, ProducerIdentity> = {};
    const aborted: TransactionState[] = [];
    for (const [transactionalId, before] of found) {
      const options = { transactionalId, timeoutMs, expected: before ?? 'nobody' } as const;
      const { producerId, epoch } = await client.beginTransactions(options);
      identities[transactionalId] = { producerId, epoch };
      if (before?.state === 'Ongoing') aborted.push({ producerId, epoch, state: 'Empty' });
    }
    await writeLostMarkers(client, topic, aborted);
    // Who slept since its look may have begun an id between two begins of its successor.
    await this.#context.attempt?.checkCurrent();
    return identities;
  }

  /** The ids, and those that Kafka knows of tasks that earlier attempts had beyond ours: these are without gaps. */
  async #lookAt(
    client: KafkaClient,
    ids: readonly string[],
  ): Promise<Map<string, TransactionState | null>> {
    const found = new Map<string, TransactionState | null>();
    for (const id of ids) found.set(id, await this.#settled(client, id, ending));
    for (let task = this.#context.taskCount ?? 1; ; task++) {
      let isKnown = false;
      for (const id of this.#idsOfTask(task)) {
        const state = found.get(id) ?? (await this.#settled(client, id, ending));
        isKnown ||= state !== null;
        if (state !== null && !this.#due.has(id)) found.set(id, state);
      }
      if (!isKnown) return found;
    }
  }

  /** What the coordinator says of an id, when it is in none of these states any more; null: nothing. */
  async #settled(
    client: KafkaClient,
    transactionalId: string,
    states: readonly string[],
  ): Promise<TransactionState | null> {
    const { clock, timers } = kafkaEnvOf(this.#context);
    const endMs = clock.mono() + this.#options.transactionTimeoutMs + settleMsMax;
    for (let pauseMs = nextPauseMs(0); ; pauseMs = nextPauseMs(pauseMs)) {
      const found = await client.transactionOf(transactionalId);
      if (found === null || !states.includes(found.state)) return found;
      if (clock.mono() > endMs) throw unsettledError(transactionalId, found);
      await new Promise<void>((resolve) => timers.after(pauseMs, resolve));
    }
  }

  /** Those of all tasks, and those that are noted; not those that are still to be committed. */
  #idsOf(noted: readonly NotedTransaction[]): string[] {
    const { taskCount = 1 } = this.#context;
    const own = Array.from({ length: taskCount }, (_, task) => this.#idsOfTask(task));
    const all = new Set([...own.flat(), ...noted.map(({ transactionalId }) => transactionalId)]);
    return [...all].filter((transactionalId) => !this.#due.has(transactionalId));
  }

  #idsOfTask(task: number): string[] {
    const { transactionalId: prefix } = this.#options;
    return Array.from({ length: slotsPerTask }, (_, slot) => transactionalIdOf(prefix, task, slot));
  }

  async #asking<T>(ask: (client: KafkaClient) => Promise<T>): Promise<T> {
    try {
      return await withKafkaClient(this.#options.connection, kafkaEnvOf(this.#context), ask);
    } catch (error) {
      // Whose id was begun by a successor is told that there is one.
      if (codeOf(error) === 'KAFKA_FENCED') await this.#context.attempt?.checkCurrent();
      throw error;
    }
  }
}

/** What a writer has noted; nothing where it wrote nothing. */
function notedIn(write: Json): NotedTransaction[] {
  return write === null ? [] : [write as unknown as NotedTransaction];
}

function batchIn({ partition, recordCount, base64 }: StagedBatch): EncodedBatch {
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

function unsettledError(transactionalId: string, { state }: TransactionState): Error {
  return typedError(
    'KAFKA_REFUSED',
    `transactional id "${transactionalId}" has stayed in the state "${state}" for longer than Kafka keeps a transaction open`,
    { hint: 'Look at the brokers: are all of them up, and has each partition a leader?' },
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
