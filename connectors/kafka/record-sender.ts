/**
 * Sends what a writer gives, beside the task: batches of a partition one after the other, those of all partitions
 * side by side. While a send is on its way records gather in batches, so a slow broker gets fewer and larger ones.
 *
 *     writer ── add ──▶ open batch of each partition ── full, or nothing on its way ──▶ send ──▶ bell
 *
 * Invariants:
 * - At most one send is on its way, so a partition's batches are in order.
 * - What waits is bounded: `hasRoom` is false above `bufferBytesMax`, and the task is rung when it is true again.
 * - The first fault is kept, and thrown by the next call; nothing is sent behind it.
 *
 * Before: connectors/kafka/kafka-sink-writer.ts. After: connectors/kafka/kafka-client.ts.
 */
import type { EncodedBatch, KafkaProducer } from './kafka-client.ts';
import { RecordBatchBuilder } from './record-batch-builder.ts';

export interface SenderOptions {
  readonly batchBytesMax: number;
  readonly bufferBytesMax: number;
  readonly ring: () => void;
  /** Is told of what was sent; the bytes stay as they are, and what it throws is a fault. @defaultValue nobody is */
  readonly onSent?: (batches: readonly EncodedBatch[]) => void;
  /** What is thrown for a fault. @defaultValue the fault */
  readonly faultOf?: (error: unknown) => unknown;
}

interface Waiting {
  /** Full batches, in order. */
  readonly full: EncodedBatch[];
  open: RecordBatchBuilder;
}

export class RecordSender {
  readonly #options: SenderOptions;
  readonly #partitions: readonly Waiting[];
  #producer: KafkaProducer | null = null;
  #waitingBytes = 0;
  #isSending = false;
  #error: unknown = null;
  #isClosed = false;

  constructor(partitionCount: number, options: SenderOptions) {
    this.#options = options;
    this.#partitions = Array.from({ length: partitionCount }, (_, partition) => {
      return { full: [], open: new RecordBatchBuilder(partition) };
    });
  }

  /** The producer that sends from now on; nothing is on its way. Null: records wait. */
  use(producer: Promise<KafkaProducer>): void {
    this.#producer = null;
    producer.then(
      (ready) => {
        this.#producer = ready;
        this.#sendNext();
        this.#options.ring();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** @throws What a send has failed with. */
  get hasRoom(): boolean {
    this.#check();
    return this.#waitingBytes < this.#options.bufferBytesMax;
  }

  add(
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
  ): void {
    const waiting = this.#partitions[partition]!;
    const sizeBytes = (key?.length ?? 0) + (value?.length ?? 0);
    const { open } = waiting;
    if (open.recordCount > 0 && open.sizeBytes + sizeBytes > this.#options.batchBytesMax) {
      this.#seal(waiting, partition);
    }
    const before = waiting.open.sizeBytes;
    waiting.open.add(key, value, timestampMs);
    this.#waitingBytes += waiting.open.sizeBytes - before;
  }

  /** Sends what there is, unless a send is on its way. True when all that was added has been written. */
  flush(): boolean {
    this.#check();
    this.#sendNext();
    return !this.#isSending && this.#waitingBytes === 0;
  }

  close(): void {
    this.#isClosed = true;
  }

  #seal(waiting: Waiting, partition: number): void {
    waiting.full.push(waiting.open.build());
    waiting.open = new RecordBatchBuilder(partition);
  }

  /** Sends the next batch of each partition. */
  #sendNext(): void {
    const producer = this.#producer;
    if (producer === null || this.#isSending || this.#isClosed || this.#error !== null) return;
    const batches: EncodedBatch[] = [];
    for (const [partition, waiting] of this.#partitions.entries()) {
      if (waiting.full.length === 0 && waiting.open.recordCount > 0) this.#seal(waiting, partition);
      const batch = waiting.full.shift();
      if (batch !== undefined) batches.push(batch);
    }
    if (batches.length === 0) return;
    this.#isSending = true;
    producer
      .send(batches)
      .then(() => this.#sent(batches))
      .catch((error: unknown) => this.#fail(error));
  }

  #sent(batches: readonly EncodedBatch[]): void {
    this.#isSending = false;
    for (const { bytes } of batches) this.#waitingBytes -= bytes.length - emptyBytes;
    this.#options.onSent?.(batches);
    this.#sendNext();
    this.#options.ring();
  }

  #fail(error: unknown): void {
    this.#isSending = false;
    const { faultOf = (fault: unknown) => fault } = this.#options;
    this.#error ??= faultOf(error);
    this.#options.ring();
  }

  #check(): void {
    if (this.#error !== null) throw this.#error;
  }
}

/** A batch without a record is not counted as waiting. */
const emptyBytes = new RecordBatchBuilder(0).sizeBytes;
