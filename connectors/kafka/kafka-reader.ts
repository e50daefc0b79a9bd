/**
 * Reads topic partitions into batches: takes what was fetched, and makes columns of as many records as fit a batch.
 *
 * Where it is in a split is the offset behind the last record that it gave out, so a job that goes on from there
 * reads each record once. A split with an end ends there, whatever has come behind it.
 *
 * Before: connectors/kafka/kafka-fetcher.ts. After: engine/operators/merged-source-operator.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { ReadResult, Split, SplitReader } from '../../engine/contracts/source.ts';
import type { BadRecords } from '../formats/bad-records.ts';
import { JsonValues } from './json-values.ts';
import { type FetchQueue, KafkaFetcher } from './kafka-fetcher.ts';
import { type KafkaPosition, positionIn, splitIn } from './kafka-splits.ts';
import { RecordBatches } from './record-batches.ts';
import { placeText } from './record-faults.ts';
import { RecordTable } from './record-table.ts';
import { badRecordsOf, PlainValues, type RecordValues } from './record-values.ts';
import { kafkaEnvOf } from './retrying.ts';
import type { KafkaSourceOptions } from './source-options.ts';

/** Answers without a record for us that one call goes through. */
const answersPerReadMax = 8;

/** By context, which the readers of a task share: what fetches for all of them. */
const fetchers = new WeakMap<SlotContext, KafkaFetcher>();

interface OpenSplit {
  readonly partition: number;
  readonly end: number | null;
  readonly queue: FetchQueue;
  readonly batches: RecordBatches;
  readonly values: RecordValues;
  readonly bad: BadRecords;
}

export class KafkaReader implements SplitReader {
  readonly #context: SlotContext;
  readonly #options: KafkaSourceOptions;
  readonly #table: RecordTable;
  #open: OpenSplit | null = null;
  #bytesRead = 0;

  constructor(options: KafkaSourceOptions, context: SlotContext) {
    this.#context = context;
    this.#options = options;
    this.#table = new RecordTable(context.scope.memory);
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get hasNothing(): boolean {
    return this.#open?.queue.hasNothing ?? true;
  }

  open(split: Split): void {
    assert(this.#open === null, 'the split before has ended');
    const { partition, start, end } = positionIn(split) ?? splitIn(split);
    const { topic, isolation, format } = this.#options;
    const { scope, kernels } = this.#context;
    const bad = badRecordsOf(this.#context, topic, partition);
    const from = { partition, table: this.#table, bad };
    const values =
      format === 'json'
        ? new JsonValues(this.#context, this.#options, from)
        : new PlainValues(this.#context, this.#options, from);
    const range = { start, end: end ?? Number.POSITIVE_INFINITY };
    const batches = new RecordBatches({ scope, kernels, topic, partition, isolation, range });
    this.#open = { partition, end, queue: this.#fetch(partition, start), batches, values, bad };
  }

  /** @throws KAFKA_UNREACHABLE, KAFKA_REFUSED, KAFKA_OFFSET_OUT_OF_RANGE, KAFKA_RECORDS_CORRUPT, KAFKA_RECORD and others. */
  read(): ReadResult {
    const open = this.#open;
    assert(open !== null, 'a split is open while it is read');
    for (let answers = 0; answers < answersPerReadMax; answers++) {
      const batch = this.#nextBatch(open);
      if (batch !== null) return batch;
      if (open.end !== null && open.batches.nextOffset >= open.end) return this.#endSplit(open);
      if (!open.batches.isEmpty) return 'more';
      const fetched = open.queue.take();
      if (fetched === null) return 'waiting';
      this.#bytesRead += fetched.records.length;
      open.batches.add(fetched);
    }
    return 'more';
  }

  takeDeadLetters(): Batch | null {
    return this.#open?.bad.take() ?? null;
  }

  position(): string {
    if (this.#open === null) return 'before the first split';
    const { partition, batches } = this.#open;
    return placeText({ topic: this.#options.topic, partition, offset: batches.nextOffset });
  }

  snapshot(): Json {
    assert(this.#open !== null, 'a position is one in an open split');
    const { partition, batches, end } = this.#open;
    const position: KafkaPosition = { partition, start: batches.nextOffset, end };
    return position;
  }

  close(): void {
    const open = this.#open;
    this.#open = null;
    this.#table.clear();
    open?.queue.close();
    open?.batches.close();
    open?.values.close();
    open?.bad.close();
  }

  #nextBatch({ batches, values }: OpenSplit): Batch | null {
    if (batches.isEmpty) return null;
    batches.fill(this.#table);
    return this.#table.rowCount === 0 ? null : values.build(this.#table);
  }

  /** Dead letters of the last rows are taken first. */
  #endSplit({ bad }: OpenSplit): 'more' | 'end' {
    if (!bad.isEmpty) return 'more';
    this.close();
    return 'end';
  }

  #fetch(partition: number, offset: number): FetchQueue {
    const fetcher = fetchers.get(this.#context) ?? this.#newFetcher();
    fetchers.set(this.#context, fetcher);
    return fetcher.open(partition, offset);
  }

  #newFetcher(): KafkaFetcher {
    const { ring } = this.#context;
    assert(ring !== undefined, 'a task that waits for Kafka can be rung');
    return new KafkaFetcher({ source: this.#options, env: kafkaEnvOf(this.#context), ring });
  }
}
