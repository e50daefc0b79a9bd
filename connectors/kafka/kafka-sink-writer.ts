/**
 * Writes rows to a topic while they come: keys and values become record batches, which are sent beside the task.
 *
 *     at least once   an idempotent producer: each record once while the task lives, and again when it runs again
 *     exactly once    transactions, which the committer makes visible (connectors/kafka/transaction-slots.ts)
 *
 * A record goes to the partition of its key, as the Java client has it; those without a key of one batch of rows go
 * to one partition, in turn.
 *
 * Before: engine/operators/sink-operator.ts. After: connectors/kafka/record-sender.ts.
 */
import { assert } from '../../base/assert.ts';
import { codeOf, TypedError } from '../../base/typed-error.ts';
import type { Batch, Column } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SinkWriter } from '../../engine/contracts/sink.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { isNullAt } from '../formats/row-writer.ts';
import type { KafkaClient } from './kafka-client.ts';
import { partitionOfKey } from './key-partitioner.ts';
import { openKafkaClient } from './open-client.ts';
import { RecordSender } from './record-sender.ts';
import { kafkaEnvOf } from './retrying.ts';
import { ColumnRows, JsonRows, type RowBytes } from './row-records.ts';
import { type KafkaSinkOptions, type PreparedSink, sinkColumnOf } from './sink-options.ts';
import { TransactionSlots } from './transaction-slots.ts';

const twoTo32 = 2 ** 32;

export class KafkaSinkWriter implements SinkWriter {
  readonly #context: SlotContext;
  readonly #options: KafkaSinkOptions;
  readonly #partitionCount: number;
  readonly #keys: RowBytes | null;
  readonly #values: RowBytes;
  readonly #sender: RecordSender;
  readonly #client: Promise<KafkaClient>;
  /** Null: at least once. */
  readonly #slots: TransactionSlots | null;
  /** Whether rows came since the last barrier. */
  #hasRows = false;
  /** -1: records have the clock's time. */
  readonly #timeColumn: number;
  #turn: number;
  #rowCount = 0;

  constructor(options: KafkaSinkOptions, prepared: PreparedSink, context: SlotContext) {
    const { key, value, timestamp, batchBytesMax, bufferBytesMax, topic, connection } = options;
    const { schema, scope, ring } = context;
    assert(ring !== undefined, 'a task that waits for Kafka can be rung');
    this.#context = context;
    this.#options = options;
    this.#partitionCount = prepared.partitionCount;
    this.#keys =
      key === null ? null : new ColumnRows(schema, sinkColumnOf(schema, 'key', key), scope.memory);
    this.#values =
      value === null
        ? new JsonRows(schema, scope.memory)
        : new ColumnRows(schema, sinkColumnOf(schema, 'value', value), scope.memory);
    this.#timeColumn = timestamp === null ? -1 : sinkColumnOf(schema, 'timestamp', timestamp);
    this.#turn = context.taskIndex;
    const env = kafkaEnvOf(context);
    const { taskIndex, disk } = context;
    const slots =
      options.delivery === 'exactly-once'
        ? new TransactionSlots(options, prepared, { taskIndex, disk, env })
        : null;
    this.#slots = slots;
    this.#sender = new RecordSender(this.#partitionCount, {
      ...{ batchBytesMax, bufferBytesMax, ring },
      onSent: (batches) => slots?.keep(batches),
      ...(prepared.staging !== undefined && { faultOf: mayGoOn }),
    });
    this.#client = openKafkaClient(connection, env);
    this.#sender.use(
      this.#client.then((client) => slots?.producer(client) ?? client.producer(topic)),
    );
  }

  /** @throws KAFKA_UNREACHABLE, KAFKA_REFUSED and others: what became of an earlier send. */
  isReady(): boolean {
    return this.#sender.hasRoom;
  }

  /** @throws VALUE_NOT_JSON, VALUE_NOT_A_DATE */
  write(batch: Batch): void {
    this.#keys?.start(batch);
    this.#values.start(batch);
    const { timestamp } = this.#options;
    const times = timestamp === null ? undefined : batch.columns[this.#timeColumn];
    const nowMs = this.#nowMs();
    const ofTurn = this.#turn++ % this.#partitionCount;
    for (let row = 0; row < batch.rowCount; row++) {
      const key = this.#keys?.of(row) ?? null;
      const partition = key === null ? ofTurn : partitionOfKey(key, this.#partitionCount);
      const timeMs = times && timeAt(batch.memory, times, batch.storedRowOf(row));
      this.#sender.add(partition, key, this.#values.of(row), timeMs ?? nowMs);
    }
    this.#rowCount += batch.rowCount;
    this.#hasRows = true;
    this.#sender.flush();
  }

  flush(): boolean {
    return this.#sender.flush();
  }

  prepareCommit(): Json {
    assert(this.#sender.flush(), 'a barrier comes when all before it is written');
    const slots = this.#slots;
    if (slots === null || !this.#hasRows) return null;
    this.#hasRows = false;
    const noted = slots.note();
    this.#sender.use(this.#client.then((client) => slots.next(client)));
    return noted;
  }

  finish(): Json {
    assert(this.#sender.flush(), 'a writer finishes when all is written');
    const noted = this.#slots !== null && this.#hasRows ? this.#slots.note() : null;
    this.close();
    return this.#slots === null ? { rowCount: this.#rowCount } : noted;
  }

  close(): void {
    this.#sender.close();
    this.#slots?.close();
    // Nobody waits for it, and a connection that does not close is closed with the process.
    this.#client.then((client) => client.close()).catch(() => undefined);
  }

  #nowMs(): number {
    const { clock } = this.#context;
    assert(clock?.wall !== undefined, 'a sink of Kafka has a clock');
    return Math.floor(clock.wall());
  }
}

/**
 * Whose transaction was ended has lost what it wrote since its last checkpoint, and goes on from there: where a broker ended
 * it, because it was open for too long; a successor is met in the log of checkpoints, and not taken over from.
 */
function mayGoOn(error: unknown): unknown {
  if (codeOf(error) !== 'KAFKA_FENCED') return error;
  const { message, info, cause } = error as TypedError;
  return new TypedError(message, { ...info, retryable: true }, cause);
}

/** A timestamp in milliseconds; null where the row has none. */
function timeAt(memory: SlotMemory, column: Column, row: number): number | null {
  if (isNullAt(memory, column, row)) return null;
  const word = (column.values + row * 8) >>> 2;
  const value = memory.int32[word + 1]! * twoTo32 + memory.uint32[word]!;
  const isMicros = column.type.kind === 'timestamp' && column.type.unit === 'us';
  return isMicros ? Math.floor(value / 1_000) : value;
}
