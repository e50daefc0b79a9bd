/**
 * Records of a table as a batch: the columns of their values, as the format says, with those of their metadata.
 * A record that the format refuses ends the job, or becomes a dead letter.
 *
 *     text, bytes   views of the bytes that were fetched (this file)
 *     json          columns by name (connectors/kafka/json-values.ts)
 *
 * Before: connectors/kafka/record-batches.ts. After: engine/batch/batch.ts.
 */
import { Batch, type Column } from '../../engine/batch/batch.ts';
import { clearView, utf8ViewSize, writeView } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { bitmapSizeOf, valuesSizeOf } from '../../engine/schema/field-type.ts';
import type { Field } from '../../engine/schema/schema.ts';
import { type BadRecord, BadRecords } from '../formats/bad-records.ts';
import { metadataColumn, type TableRows } from './metadata-columns.ts';
import { placeText, type RecordPlace, recordRefusedError } from './record-faults.ts';
import type { RecordTable } from './record-table.ts';
import { type KafkaSourceOptions, metadataKindOf } from './source-options.ts';

/** Makes batches of the tables of one topic partition. */
export interface RecordValues {
  /** The table's records as a batch, which the caller owns; null where all were refused. The table is empty then. */
  build(table: RecordTable): Batch | null;
  close(): void;
}

export function topicPartitionText(topic: string, partition: number): string {
  return `topic "${topic}", partition ${partition}`;
}

/** Bad records of a topic partition, named by their offsets. */
export function badRecordsOf(context: SlotContext, topic: string, partition: number): BadRecords {
  const placeOf = ({ byteOffset }: BadRecord): RecordPlace => {
    return { topic, partition, offset: byteOffset };
  };
  return new BadRecords(context, {
    originOf: (record) => placeText(placeOf(record)),
    errorOf: (record) => recordRefusedError(placeOf(record), record.reason),
  });
}

/** Gives out a record that is bad. @throws KAFKA_RECORD where nobody collects them. */
export function refuse(
  bad: BadRecords,
  table: RecordTable,
  row: number,
  why: { readonly bytes: Uint8Array; readonly reason: string; readonly place: RecordPlace },
): void {
  const { bytes, reason, place } = why;
  const path = topicPartitionText(place.topic, place.partition);
  const record = { path, byteOffset: table.offsets[row] ?? place.offset, bytes, reason };
  bad.add(record, () => recordRefusedError(place, reason));
}

/** Values as they are: the column `value`, of text or of bytes. */
export class PlainValues implements RecordValues {
  readonly #context: SlotContext;
  readonly #options: KafkaSourceOptions;
  readonly #partition: number;
  readonly #bad: BadRecords;
  readonly #rows: TableRows & { rowCount: number };
  /** Columns of text, of values or keys, whose bytes have to be UTF-8. */
  readonly #hasTextValue: boolean;
  readonly #hasTextKey: boolean;
  #result: BlockHandle = 0;

  constructor(
    context: SlotContext,
    options: KafkaSourceOptions,
    from: { readonly partition: number; readonly table: RecordTable; readonly bad: BadRecords },
  ) {
    const { partition, table, bad } = from;
    this.#context = context;
    this.#options = options;
    this.#partition = partition;
    this.#bad = bad;
    this.#rows = { table, rows: new Uint32Array(table.offsets.length), rowCount: 0, partition };
    const texts = context.schema.fields.filter(({ type }) => type.kind === 'utf8');
    const kinds = texts.map(({ name }) => metadataKindOf(options, name));
    this.#hasTextValue = kinds.includes(null);
    this.#hasTextKey = kinds.includes('key');
  }

  build(table: RecordTable): Batch | null {
    const { schema, scope } = this.#context;
    this.#keepGood(table);
    const { rowCount } = this.#rows;
    const blocks: BlockHandle[] = [];
    try {
      if (rowCount === 0) return null;
      const columns = schema.fields.map((field) => this.#column(field, blocks));
      const held = table.take();
      return new Batch(scope.memory, {
        schema,
        rowCount,
        columns,
        blocks: [...blocks.splice(0), ...held],
      });
    } finally {
      for (const block of blocks) scope.memory.release(block);
      table.clear();
    }
  }

  close(): void {
    if (this.#result !== 0) this.#context.scope.memory.release(this.#result);
    this.#result = 0;
  }

  #column(field: Field, blocks: BlockHandle[]): Column {
    const kind = metadataKindOf(this.#options, field.name);
    const { scope } = this.#context;
    if (kind !== null) return metadataColumn(field, kind, this.#rows, { scope, blocks });
    return this.#valueColumn(field, blocks);
  }

  #valueColumn({ type }: Field, blocks: BlockHandle[]): Column {
    const { scope } = this.#context;
    const { memory } = scope;
    const { table, rows, rowCount } = this.#rows;
    const take = (sizeBytes: number) => {
      const block = scope.allocate(sizeBytes);
      blocks.push(block);
      return addressOf(block);
    };
    const values = take(valuesSizeOf(type, rowCount));
    let validity = 0;
    for (let index = 0; index < rowCount; index++) {
      const row = rows[index]!;
      const view = values + index * utf8ViewSize;
      const size = table.valueSize[row]!;
      if (size >= 0) {
        writeView(memory, view, table.valueAt[row]!, size);
        continue;
      }
      if (validity === 0) {
        validity = take(bitmapSizeOf(rowCount));
        memory.bytes.fill(0xff, validity, validity + bitmapSizeOf(rowCount));
      }
      clearView(memory, view);
      memory.bytes[validity + (index >>> 3)]! &= ~(1 << (index & 7));
    }
    return { type, validity, values };
  }

  /** Lists the rows whose texts are texts, and gives out the others. */
  #keepGood(table: RecordTable): void {
    const { rows } = this.#rows;
    let kept = 0;
    for (let row = 0; row < table.rowCount; row++) {
      const isGood =
        (!this.#hasTextValue || this.#isUtf8(table.valueAt[row]!, table.valueSize[row]!)) &&
        (!this.#hasTextKey || this.#isUtf8(table.keyAt[row]!, table.keySize[row]!));
      if (isGood) rows[kept++] = row;
      else this.#refuse(table, row);
    }
    this.#rows.rowCount = kept;
  }

  #isUtf8(at: number, size: number): boolean {
    if (size <= 0) return true;
    const { kernels, scope } = this.#context;
    if (this.#result === 0) this.#result = scope.allocate(8);
    return kernels.findInvalidUtf8(at, at + size, addressOf(this.#result)) === 0;
  }

  #refuse(table: RecordTable, row: number): void {
    const { bytes } = this.#context.scope.memory;
    const [at, size] = [table.valueAt[row]!, Math.max(0, table.valueSize[row]!)];
    const isValue = this.#hasTextValue && !this.#isUtf8(at, size);
    const place = {
      topic: this.#options.topic,
      partition: this.#partition,
      offset: table.offsets[row]!,
    };
    const reason = `its ${isValue ? 'value' : 'key'} is not UTF-8`;
    refuse(this.#bad, table, row, { bytes: bytes.subarray(at, at + size), reason, place });
  }
}
