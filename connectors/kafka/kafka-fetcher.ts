/**
 * Fetches for the readers of a task: one request to each broker at a time, for all partitions of the task that it
 * leads and that have room, so that a broker with nothing new holds back one answer and not hundreds.
 *
 *     reader 0 ── take ──▶ queue of partition 0 ◀─┐
 *     reader 3 ── take ──▶ queue of partition 3 ◀─┼── answer of broker 1   while a queue has room
 *     reader 4 ── take ──▶ queue of partition 4 ◀─┴── answer of broker 2
 *
 * Readers are synchronous: they take what is there, and the task's bell is rung when there is more.
 *
 * Invariants:
 * - A partition is in one request at most, so its answers come in the order of its offsets.
 * - A partition has nothing where a broker has just said so: not where none answers, and not to a process that was asleep.
 * - What is fetched and not taken is at most `prefetchBytesMax`, and an answer for each partition.
 * - A fault that may pass is tried again, with pauses, until `callTimeoutMs` have gone by without an answer;
 *   then all readers that wait for it throw.
 *
 * Before: connectors/kafka/kafka-client.ts. After: connectors/kafka/kafka-reader.ts.
 */
import type { CancelTimer } from '../../base/env/timers.ts';
import { batchHeader, batchPrefixBytes, readInt64 } from './batch-header.ts';
import type { FetchedPartition, KafkaClient, TopicPartition } from './kafka-client.ts';
import { isRetryable, kafkaCodes, kafkaError, movedNumber } from './kafka-errors.ts';
import { openKafkaClient } from './open-client.ts';
import { recordsCorruptError } from './record-faults.ts';
import { topicPartitionText } from './record-values.ts';
import { type KafkaEnv, nextPauseMs } from './retrying.ts';
import type { KafkaSourceOptions } from './source-options.ts';

const partitionBytesMax = 1 << 20;
/** Of one answer; the batch of a partition that comes first is whole in any case. */
const answerBytesMax = 16 << 20;
const waitMaxMs = 500;
/** How long an answer without records is news: longer than the next one takes, also beside other work. */
const freshMs = 4 * waitMaxMs;

export interface FetcherOptions {
  readonly source: KafkaSourceOptions;
  readonly env: KafkaEnv;
  /** Rung when there is something to take. */
  readonly ring: () => void;
}

/** The partitions that a task reads, as long as one of its readers is open. */
export class KafkaFetcher {
  readonly #options: FetcherOptions;
  readonly #queues: FetchQueue[] = [];
  readonly #busy = new Set<number>();
  #client: Promise<KafkaClient> | null = null;
  #partitions: readonly TopicPartition[] | null = null;
  #isAsking = false;
  #pauseMs = 0;
  #pausing: CancelTimer | null = null;
  /** Since when nothing but faults came; null while all is well. */
  #failingSinceMs: number | null = null;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** Begins to fetch a partition from an offset on. */
  open(partition: number, offset: number): FetchQueue {
    const queue = new FetchQueue(partition, offset, {
      onTaken: () => this.#fetchAll(),
      onClosed: (closed) => this.#remove(closed),
      nowMs: () => this.#options.env.clock.mono(),
    });
    this.#queues.push(queue);
    this.#fetchAll();
    return queue;
  }

  #remove(queue: FetchQueue): void {
    this.#queues.splice(this.#queues.indexOf(queue), 1);
    if (this.#queues.length > 0) return;
    this.#pausing?.();
    this.#pausing = null;
    const client = this.#client;
    this.#client = null;
    this.#partitions = null;
    // Nobody waits for it, and a connection that does not close is closed with the process.
    client?.then((open) => open.close()).catch(() => undefined);
  }

  /** Sends what can be sent now. */
  #fetchAll(): void {
    if (this.#queues.length === 0 || this.#pausing !== null) return;
    if (this.#partitions === null) {
      if (!this.#isAsking) this.#run(() => this.#askPartitions());
      return;
    }
    const share = this.#options.source.prefetchBytesMax / this.#queues.length;
    const wanted = this.#queues.filter((queue) => queue.hasRoom(share));
    const byLeader = Map.groupBy(wanted, ({ partition }) => this.#leaderOf(partition));
    for (const [leader, queues] of byLeader) {
      if (!this.#busy.has(leader)) this.#run(() => this.#fetchFrom(leader, queues));
    }
  }

  #leaderOf(partition: number): number {
    return this.#partitions?.[partition]?.leader ?? -1;
  }

  /** Work that nobody awaits: what it throws is kept for the readers. */
  #run(work: () => Promise<void>): void {
    work().then(
      () => this.#fetchAll(),
      (error: unknown) => this.#failed(error),
    );
  }

  async #askPartitions(): Promise<void> {
    this.#isAsking = true;
    try {
      const { source, env } = this.#options;
      this.#client ??= openKafkaClient(source.connection, env);
      const client = await this.#client;
      const partitions = await client.partitionsOf(source.topic);
      if (this.#client !== null) this.#partitions = partitions;
    } finally {
      this.#isAsking = false;
    }
  }

  async #fetchFrom(leader: number, queues: readonly FetchQueue[]): Promise<void> {
    const { topic, isolation } = this.#options.source;
    this.#busy.add(leader);
    for (const queue of queues) queue.isAsked = true;
    try {
      const client = await this.#client;
      if (client === null) return; // All readers were closed.
      const partitions = queues.map(({ partition, nextOffset }) => {
        return { partition, offset: nextOffset };
      });
      const asked = { topic, leader, isolation, partitions, waitMaxMs };
      const bytesMax = Math.min(answerBytesMax, this.#options.source.prefetchBytesMax);
      const answers = await client.fetch({ ...asked, partitionBytesMax, bytesMax });
      this.#put(answers, queues);
    } finally {
      this.#busy.delete(leader);
      for (const queue of queues) queue.isAsked = false;
    }
  }

  #put(answers: readonly FetchedPartition[], queues: readonly FetchQueue[]): void {
    const fault = answers.find(({ errorCode }) => errorCode !== kafkaCodes.none);
    for (const answer of answers) {
      const queue = queues.find(({ partition }) => partition === answer.partition);
      if (queue === undefined || answer.errorCode !== kafkaCodes.none) continue;
      this.#putOne(queue, answer, queue === queues[0]);
    }
    // Whoever was asked for first is last the next time, so that none goes without.
    for (const queue of queues)
      this.#queues.push(...this.#queues.splice(this.#queues.indexOf(queue), 1));
    this.#options.ring();
    if (fault !== undefined) throw this.#faultOf(fault);
    this.#failingSinceMs = null;
    this.#pauseMs = 0;
  }

  #putOne(queue: FetchQueue, answer: FetchedPartition, isFirst: boolean): void {
    const next = endOfBatches(answer.records);
    if (next !== null) queue.put(answer, next);
    else if (answer.records.length === 0 && queue.nextOffset >= answer.endOffset)
      queue.putNothing();
    else if (isFirst && answer.records.length > 0) {
      const { topic } = this.#options.source;
      const place = { topic, partition: queue.partition, offset: queue.nextOffset };
      queue.fail(recordsCorruptError('it is not there whole', place));
    }
  }

  #faultOf({ partition, errorCode }: FetchedPartition): Error {
    const what = topicPartitionText(this.#options.source.topic, partition);
    return kafkaError(movedNumber(errorCode), what);
  }

  /** Waits, and looks anew who leads; or gives up, and lets the readers know. */
  #failed(error: unknown): void {
    const { env, source, ring } = this.#options;
    const nowMs = env.clock.mono();
    this.#failingSinceMs ??= nowMs;
    const isOver = nowMs - this.#failingSinceMs >= source.connection.callTimeoutMs;
    if (!isRetryable(error) || isOver) {
      for (const queue of this.#queues) queue.fail(error);
      ring();
      return;
    }
    if (this.#pausing !== null) return;
    this.#pauseMs = nextPauseMs(this.#pauseMs);
    this.#pausing = env.timers.after(this.#pauseMs, () => {
      this.#pausing = null;
      this.#partitions = null;
      this.#fetchAll();
    });
  }
}

interface QueueOwner {
  readonly onTaken: () => void;
  readonly onClosed: (queue: FetchQueue) => void;
  readonly nowMs: () => number;
}

/** What was fetched of one partition and not taken. */
export class FetchQueue {
  readonly partition: number;
  /** Whether a request is on its way. */
  isAsked = false;
  /** Where the next request begins. */
  nextOffset: number;
  readonly #owner: QueueOwner;
  readonly #answers: FetchedPartition[] = [];
  #sizeBytes = 0;
  #error: unknown = null;
  #isClosed = false;
  /** When a broker last said that there was nothing behind what it had given. */
  #nothingAtMs = Number.NEGATIVE_INFINITY;

  constructor(partition: number, offset: number, owner: QueueOwner) {
    this.partition = partition;
    this.nextOffset = offset;
    this.#owner = owner;
  }

  hasRoom(share: number): boolean {
    if (this.isAsked || this.#error !== null) return false;
    return this.#answers.length === 0 || this.#sizeBytes < share;
  }

  put(answer: FetchedPartition, nextOffset: number): void {
    if (this.#isClosed) return;
    this.#answers.push(answer);
    this.#sizeBytes += answer.records.length;
    this.nextOffset = nextOffset;
  }

  putNothing(): void {
    this.#nothingAtMs = this.#owner.nowMs();
  }

  /** Whether there is nothing to take, and a broker has just said that there is nothing more. */
  get hasNothing(): boolean {
    return this.#answers.length === 0 && this.#owner.nowMs() - this.#nothingAtMs <= freshMs;
  }

  /** Told to the reader once it has taken what came before. */
  fail(error: unknown): void {
    this.#error ??= error;
  }

  /** The next answer, null when none is there now. @throws What ended fetching. */
  take(): FetchedPartition | null {
    const answer = this.#answers.shift();
    if (answer === undefined) {
      if (this.#error !== null) throw this.#error;
      return null;
    }
    this.#sizeBytes -= answer.records.length;
    this.#owner.onTaken();
    return answer;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#owner.onClosed(this);
  }
}

/** The offset behind the last batch that is there whole; null where none is. */
function endOfBatches(records: Uint8Array): number | null {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  let end: number | null = null;
  for (let at = 0; at + batchHeader.size <= records.length; ) {
    const size = view.getInt32(at + batchHeader.length) + batchPrefixBytes;
    if (size < batchHeader.size || at + size > records.length) break;
    end = readInt64(view, at) + view.getInt32(at + batchHeader.lastOffsetDelta) + 1;
    at += size;
  }
  return end;
}
