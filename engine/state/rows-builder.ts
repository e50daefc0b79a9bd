/**
 * Rows builder: rows of a snapshot from bytes of the memory, without a value in JavaScript between: one block for columns,
 * one for bytes that do not fit a view.
 *
 * Contract: for each row every column is put once, then `endRow`.
 */
import { Batch } from '../batch/batch.ts';
import { inlineSizeMax, utf8ViewSize, writeView } from '../batch/utf8-view.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';

/** Made and written in well below a millisecond. */
const rowsMax = 2048;
const textBytesDefault = 128 * 1024;

/** In what the kernel of entries is told of columns (engine/kernels/entry-kernels.ts). */
const validityWord = 6;
const doneWord = 7;

/** Records, as u32 addresses / 8 at an address, and room for eight words. */
export interface ListedEntries {
  readonly records: number;
  readonly count: number;
  readonly columns: number;
}

interface ColumnPlace {
  readonly values: number;
  readonly validity: number;
}

export class RowsBuilder {
  rowCount = 0;
  readonly #scope: MemoryScope;
  readonly #schema: Schema;
  readonly #columns: ColumnPlace[] = [];
  readonly #blocks: BlockHandle[] = [];
  #text = 0;
  #textEnd = 0;

  /**
   * @param textBytes - What the first row needs, if that is more than usual.
   * @throws MEMORY_EXHAUSTED
   */
  constructor(scope: MemoryScope, schema: Schema, textBytes = 0) {
    this.#scope = scope;
    this.#schema = schema;
    const sizes = schema.fields.map(({ type, nullable }) => ({
      values: Math.ceil(valuesSizeOf(type, rowsMax) / 8) * 8,
      validity: nullable ? bitmapSizeOf(rowsMax) : 0,
    }));
    const sizeBytes = sizes.reduce((sum, { values, validity }) => sum + values + validity, 0);
    let at = addressOf(this.#allocate(sizeBytes));
    for (const { values, validity } of sizes) {
      this.#columns.push({ values: at, validity: validity === 0 ? 0 : at + values });
      if (validity > 0) scope.memory.bytes.fill(255, at + values, at + values + validity);
      at += values + validity;
    }
    const roomBytes = Math.max(textBytesDefault, textBytes);
    this.#text = addressOf(this.#allocate(roomBytes));
    this.#textEnd = this.#text + roomBytes;
  }

  /** Whether there is room for one more row. @param textBytes - Of all its bytes together. */
  hasRoom(textBytes: number): boolean {
    return this.rowCount < rowsMax && this.#text + textBytes <= this.#textEnd;
  }

  putUint32(column: number, value: number): void {
    const { uint32 } = this.#scope.memory;
    uint32[(this.#columns[column]!.values >>> 2) + this.rowCount] = value;
  }

  putFloat64(column: number, value: number): void {
    const { float64 } = this.#scope.memory;
    float64[(this.#columns[column]!.values >>> 3) + this.rowCount] = value;
  }

  putBytes(column: number, from: number, sizeBytes: number): void {
    const { memory } = this.#scope;
    let at = from;
    if (sizeBytes > inlineSizeMax) {
      at = this.#text;
      memory.bytes.copyWithin(at, from, from + sizeBytes);
      this.#text += sizeBytes;
    }
    writeView(memory, this.#viewAt(column), at, sizeBytes);
  }

  /** Of a nullable column of bytes. */
  putNull(column: number): void {
    const { memory } = this.#scope;
    const { validity } = this.#columns[column]!;
    memory.bytes[validity + (this.rowCount >>> 3)]! &= ~(1 << (this.rowCount & 7));
    writeView(memory, this.#viewAt(column), 0, 0);
  }

  get rowsLeft(): number {
    return rowsMax - this.rowCount;
  }

  /** Puts rows of entries, whose columns are those of entrySchema; answers how many have had room. */
  putEntries(kernels: Kernels, { records, count, columns }: ListedEntries): number {
    const { uint32 } = this.#scope.memory;
    const word = columns >>> 2;
    this.#columns.forEach(({ values, validity }, at) => {
      uint32[word + at] = values;
      if (validity !== 0) uint32[word + validityWord] = validity;
    });
    const wanted = Math.min(count, this.rowsLeft);
    const [text, textEnd] = [this.#text, this.#textEnd];
    const end = kernels.entryRows(records, wanted, columns, this.rowCount, text, textEnd);
    this.#text = end >>> 0;
    const done = uint32[word + doneWord]!;
    this.rowCount += done;
    return done;
  }

  endRow(): void {
    this.rowCount++;
  }

  /** The rows, which the caller owns; the builder is done. */
  finish(): Batch {
    const { fields } = this.#schema;
    const columns = fields.map(({ type }, column) => ({ type, ...this.#columns[column]! }));
    const parts = { schema: this.#schema, rowCount: this.rowCount, columns };
    return new Batch(this.#scope.memory, { ...parts, blocks: this.#blocks });
  }

  discard(): void {
    for (const block of this.#blocks) this.#scope.memory.release(block);
  }

  #viewAt(column: number): number {
    return this.#columns[column]!.values + this.rowCount * utf8ViewSize;
  }

  #allocate(sizeBytes: number): BlockHandle {
    const block = this.#scope.tryAllocate(sizeBytes);
    if (block === 0) {
      this.discard();
      throw this.#scope.memory.exhaustedError(this.#scope.owner, sizeBytes);
    }
    this.#blocks.push(block);
    return block;
  }
}
