/**
 * Rows as keys and values of records: bytes for each row of a batch, written once and read in place.
 *
 *     value   all columns as a JSON object, or the text or bytes of one column
 *     key     the text or bytes of a column, other types as JSON has them; null stays null
 *
 * Before: connectors/kafka/kafka-sink-writer.ts. After: connectors/kafka/record-sender.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch, Column } from '../../engine/batch/batch.ts';
import { batchRowsMax } from '../../engine/batch/batch.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { jsonWriterOf } from '../formats/json-value.ts';
import { NdjsonWriter } from '../formats/ndjson-writer.ts';
import { cellWriterOf, isNullAt, type WriteCell } from '../formats/row-writer.ts';
import { writeBool } from '../formats/value-text.ts';
import { GrowingText } from './growing-text.ts';

/** Bytes of one row, null for none; they hold until the next batch. */
export interface RowBytes {
  start(batch: Batch): void;
  of(row: number): Uint8Array | null;
}

const newline = 10;

/** All columns as an object: what a line of NDJSON is without its end. */
export class JsonRows implements RowBytes {
  readonly #text: GrowingText;
  readonly #writer: NdjsonWriter;
  readonly #ends = new Uint32Array(batchRowsMax);

  constructor(schema: Schema, memory: SlotMemory) {
    this.#text = new GrowingText(memory);
    this.#writer = new NdjsonWriter(schema, this.#text);
  }

  /** @throws VALUE_NOT_JSON, VALUE_NOT_A_DATE */
  start(batch: Batch): void {
    this.#text.clear();
    this.#writer.writeRows(batch);
    const { written } = this.#text;
    let from = 0;
    // Line breaks within texts are escaped: the only ones are those between objects.
    for (let row = 0; row < batch.rowCount; row++) {
      const end = written.indexOf(newline, from);
      this.#ends[row] = end;
      from = end + 1;
    }
  }

  of(row: number): Uint8Array {
    const from = row === 0 ? 0 : this.#ends[row - 1]! + 1;
    return this.#text.written.subarray(from, this.#ends[row]);
  }
}

/** One column: its text or bytes, other types as JSON has them. */
export class ColumnRows implements RowBytes {
  readonly #column: number;
  readonly #text: GrowingText;
  readonly #write: WriteCell;
  readonly #ends = new Uint32Array(batchRowsMax);
  readonly #nulls = new Uint8Array(batchRowsMax);

  constructor({ fields }: Schema, column: number, memory: SlotMemory) {
    const field = fields[column];
    assert(field !== undefined, 'the column is one of the schema');
    const { name, type } = field;
    this.#column = column;
    const output = new GrowingText(memory);
    const isPlain = type.kind === 'utf8' || type.kind === 'binary';
    const write = isPlain
      ? (at: number, size: number) => output.copyFrom(at, size)
      : jsonWriterOf(type, { memory, output, name });
    this.#text = output;
    this.#write = cellWriterOf(type, memory, write, (value) => writeBool(value, output));
  }

  start(batch: Batch): void {
    const column = batch.columns[this.#column] as Column;
    this.#text.clear();
    for (let index = 0; index < batch.rowCount; index++) {
      const row = batch.storedRowOf(index);
      const isNull = isNullAt(batch.memory, column, row);
      this.#nulls[index] = isNull ? 1 : 0;
      if (!isNull) this.#write(column.values, row);
      this.#ends[index] = this.#text.length;
    }
  }

  of(row: number): Uint8Array | null {
    if (this.#nulls[row] === 1) return null;
    return this.#text.written.subarray(row === 0 ? 0 : this.#ends[row - 1], this.#ends[row]);
  }
}
