/**
 * Batch builder: rows of JavaScript values become columns in the slot's memory. Used by the drivers
 * of user functions and by tests; sources and kernels write columns themselves.
 *
 *     builder.appendRow(['the', 3n]);                                   one call per row, or
 *     words.set(builder.rowCount, 'the'); counts.set(builder.rowCount, 3n); builder.endRow();
 *
 * The second form is for generated drivers: `writerOf(column)` has one class per type, so each
 * call in the driver sees one class only and is inlined.
 *
 * A value that does not fit its column is the user's error and leaves the row unwritten: the rows
 * before it stand.
 * Before: engine/contracts/source.ts · After: engine/batch/batch.ts
 */
import { assert } from '../../base/assert.ts';
import type { BlockHandle, MemoryScope } from '../memory/slot-memory.ts';
import { layoutOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import { Batch, batchRowsMax } from './batch.ts';
import type { ColumnWriter } from './column-writer.ts';
import { columnWriterOf } from './column-writer-of.ts';

/** A batch with more text than this is full. */
export const batchTextBytesMax = 1024 * 1024;

export class BatchBuilder {
  readonly schema: Schema;
  readonly #scope: MemoryScope;
  readonly #writers: readonly ColumnWriter[];
  readonly #textWriters: readonly ColumnWriter[];
  readonly #hasText: boolean;
  #rowCount = 0;
  #isFull = false;

  constructor(scope: MemoryScope, schema: Schema) {
    this.schema = schema;
    this.#scope = scope;
    this.#writers = schema.fields.map((field) => columnWriterOf(scope, field));
    this.#textWriters = this.#writers.filter((writer) => layoutOf(writer.field.type) === 'view');
    this.#hasText = this.#textWriters.length > 0;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** 8,192 rows or 1 MiB of text: `build` before the next row. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** The writer of a column, for generated drivers: set every column's row, then `endRow`. */
  writerOf(column: number): ColumnWriter {
    const writer = this.#writers[column];
    assert(writer !== undefined, 'the schema has the column');
    return writer;
  }

  /**
   * Appends a row: one value per field, in the schema's order.
   * @throws VALUE_IS_NULL, VALUE_TYPE_MISMATCH, VALUE_OUT_OF_RANGE; the row is not appended then.
   */
  appendRow(values: readonly unknown[]): void {
    const writers = this.#writers;
    assert(values.length === writers.length, 'a row has one value for each field');
    const row = this.#rowCount;
    for (let column = 0; column < writers.length; column++) {
      writers[column]!.set(row, values[column]);
    }
    this.endRow();
  }

  /** The row at `rowCount` is complete. */
  endRow(): void {
    this.#rowCount++;
    if (this.#rowCount >= batchRowsMax || this.#hasText) this.#close();
  }

  /** The rows so far as a batch, which the caller owns; the builder is empty again. */
  build(): Batch {
    const rowCount = this.#rowCount;
    const blocks: BlockHandle[] = [];
    const columns = this.#writers.map((writer) => writer.take(rowCount, blocks));
    this.#rowCount = 0;
    this.#isFull = false;
    return new Batch(this.#scope.memory, { schema: this.schema, rowCount, columns, blocks });
  }

  /** Drops the rows so far and gives their memory back. */
  discard(): void {
    for (const writer of this.#writers) writer.discard();
    this.#rowCount = 0;
    this.#isFull = false;
  }

  #close(): void {
    assert(this.#rowCount <= batchRowsMax, 'a full builder is built before the next row');
    this.#isFull = this.#rowCount === batchRowsMax || this.#textBytes() >= batchTextBytesMax;
  }

  #textBytes(): number {
    let sum = 0;
    for (const writer of this.#textWriters) sum += writer.textBytes;
    return sum;
  }
}
