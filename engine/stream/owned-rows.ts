/**
 * Owned rows: rows of many batches, copied together into chunks of 8,192 as they come, texts included,
 * so that the batches they came from can go at once.
 *
 *     append ─▶ chunk 0, full │ chunk 1, full │ chunk 2, rows so far        row r is in chunk r >> 13
 *               texts of more than 8 bytes: blocks of 1 MiB, shared by all chunks
 *
 * Rows have the numbers 0, 1, 2, … in the order in which they came, so a list by number has no gaps. They
 * are read back with the gather kernels (`bases`), by who holds `anchor`: one reference for all blocks,
 * however many there are.
 *
 * Not here: what is to happen when the memory is full (`sizeBytes` says what could be had back).
 */
import { assert } from '../../base/assert.ts';
import { Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { takeOf } from '../kernels/take-kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, layoutOf, valueSizeOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';

export interface OwnedRowsOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly schema: Schema;
}

/** Addresses of a column in all chunks, one u32 each, and behind them that of a null. */
export interface ColumnBases {
  readonly values: number;
  /** 0 where no row is null. */
  readonly validity: number;
}

const textBlockBytes = 1 << 20;
/** Zeroes that any null may point to: a value of 16 bytes, a bitmap's byte. */
const nullBytes = 64;

export class OwnedRows {
  readonly #options: OwnedRowsOptions;
  readonly #blocks: BlockHandle[] = [];
  readonly #chunks: Column[][] = [];
  /** The numbers 0 to 8,191, for rows of a batch that has no selection. */
  readonly #places: number;
  #rowCount = 0;
  #sizeBytes = 0;
  /** Where the next text goes, and the end of its block. */
  #text = 0;
  #textEnd = 0;
  #anchor: Batch | null = null;

  constructor(options: OwnedRowsOptions) {
    this.#options = options;
    this.#places = this.#room(batchRowsMax * 4);
    const { uint32 } = options.scope.memory;
    for (let row = 0; row < batchRowsMax; row++) uint32[(this.#places >>> 2) + row] = row;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  get chunkCount(): number {
    return this.#chunks.length;
  }

  /** The number that the gather kernels take for a row of nulls. */
  get nullNumber(): number {
    return this.#chunks.length * batchRowsMax;
  }

  /** Bytes of all rows. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What it would come to with the rows of one more batch; with texts a little less or more. */
  sizeBytesWith(batch: Batch): number {
    const { kernels, schema } = this.#options;
    const chunkCount = Math.ceil((this.#rowCount + batch.rowCount) / batchRowsMax);
    let bytes = this.#sizeBytes + (chunkCount - this.#chunks.length) * chunkBytesOf(schema);
    let room = this.#textEnd - this.#text;
    for (const { type, values } of batch.columns) {
      if (layoutOf(type) !== 'view') continue;
      const sizeBytes = kernels.utf8SizeOf(values, batch.selection, batch.rowCount);
      if (sizeBytes > room) {
        room = Math.max(sizeBytes, textBlockBytes);
        bytes += room;
      }
      room -= sizeBytes;
    }
    return bytes;
  }

  /** All blocks as one batch, to be retained by who points to rows; from `seal` on. */
  get anchor(): Batch {
    assert(this.#anchor !== null, 'rows are read when all are there');
    return this.#anchor;
  }

  /** Copies the rows of a batch. @throws MEMORY_EXHAUSTED */
  append(batch: Batch): void {
    assert(this.#anchor === null, 'rows are appended before they are read');
    const rows = batch.selection === 0 ? this.#places : batch.selection;
    for (let done = 0; done < batch.rowCount; ) {
      const start = this.#rowCount % batchRowsMax;
      if (start === 0) this.#addChunk();
      const count = Math.min(batchRowsMax - start, batch.rowCount - done);
      this.#chunks.at(-1)?.forEach((target, index) => {
        const column = batch.columns[index];
        assert(column !== undefined, 'appended rows have the schema of the others');
        this.#take(column, target, { rows: rows + done * 4, count, start });
      });
      done += count;
      this.#rowCount += count;
    }
  }

  /** No more rows come. */
  seal(): void {
    const { memory } = this.#options.scope;
    const blocks = this.#blocks.splice(0);
    const schema = { fields: [] };
    this.#anchor = new Batch(memory, { schema, rowCount: 0, columns: [], blocks });
  }

  /** The rows of a chunk as a batch that is valid while the anchor is; not to be released. */
  chunk(index: number): Batch {
    const { scope, schema } = this.#options;
    const columns = this.#chunks[index];
    assert(columns !== undefined, 'there is a chunk of this index');
    const rowCount = Math.min(batchRowsMax, this.#rowCount - index * batchRowsMax);
    return new Batch(scope.memory, { schema, rowCount, columns, blocks: [] });
  }

  /**
   * Where the gather kernels find columns.
   * @param mayBeNull - Whether `nullNumber` is asked for.
   * @param block - Gets the block that all of them lie in; the caller's.
   */
  bases(indexes: readonly number[], mayBeNull: boolean): [readonly ColumnBases[], BlockHandle] {
    const { scope, schema } = this.#options;
    const length = this.#chunks.length + 1;
    const sizeBytes = indexes.length * 2 * length * 4;
    const block = scope.allocate(nullBytes + sizeBytes);
    const { uint32, bytes } = scope.memory;
    const nulls = addressOf(block);
    bytes.fill(0, nulls, nulls + nullBytes);
    let next = nulls + nullBytes;
    const list = (addresses: readonly number[]) => {
      const start = next;
      uint32.set([...addresses, nulls], start >>> 2);
      next += length * 4;
      return start;
    };
    const bases = indexes.map((index): ColumnBases => {
      const columns = this.#chunks.map((chunk) => chunk[index] as Column);
      const isNullable = mayBeNull || schema.fields[index]?.nullable === true;
      return {
        values: list(columns.map(({ values }) => values)),
        validity: isNullable ? list(columns.map(({ validity }) => validity)) : 0,
      };
    });
    return [bases, block];
  }

  close(): void {
    this.#anchor?.release();
    for (const block of this.#blocks) this.#options.scope.memory.release(block);
  }

  #addChunk(): void {
    const columns = this.#options.schema.fields.map(({ type, nullable }) => ({
      type,
      values: this.#room(valuesSizeOf(type, batchRowsMax)),
      validity: nullable ? this.#room(bitmapSizeOf(batchRowsMax)) : 0,
    }));
    this.#chunks.push(columns);
  }

  #take(
    from: Column,
    to: Column,
    { rows, count, start }: { rows: number; count: number; start: number },
  ): void {
    const { kernels } = this.#options;
    const { type } = to;
    if (to.validity !== 0) kernels.appendBits(from.validity, rows, count, to.validity, start);
    if (layoutOf(type) === 'bits') {
      kernels.appendBits(from.values, rows, count, to.values, start);
      return;
    }
    const values = to.values + start * valueSizeOf(type);
    takeOf(kernels, type)(from.values, rows, count, values);
    if (layoutOf(type) !== 'view') return;
    const sizeBytes = kernels.longTextSizeOf(values, count);
    if (sizeBytes > 0) kernels.copyLongTexts(values, count, this.#textRoom(sizeBytes));
  }

  #textRoom(sizeBytes: number): number {
    // What is read or written of a text goes up to 8 bytes past its end; blocks have that much behind.
    if (this.#text + sizeBytes > this.#textEnd) {
      const blockBytes = Math.max(sizeBytes, textBlockBytes);
      this.#text = this.#room(blockBytes);
      this.#textEnd = this.#text + blockBytes;
    }
    const at = this.#text;
    this.#text += Math.ceil(sizeBytes / 8) * 8;
    return at;
  }

  #room(sizeBytes: number): number {
    const { scope } = this.#options;
    const block = scope.allocate(sizeBytes);
    this.#blocks.push(block);
    this.#sizeBytes += scope.memory.sizeOf(block);
    return addressOf(block);
  }
}

/** The least that rows take, whatever they are: a chunk, and a block for texts where there are any. */
export function ownedRowsBytesMin(schema: Schema): number {
  const hasTexts = schema.fields.some(({ type }) => layoutOf(type) === 'view');
  return batchRowsMax * 4 + chunkBytesOf(schema) + (hasTexts ? textBlockBytes : 0);
}

function chunkBytesOf({ fields }: Schema): number {
  return fields.reduce(
    (sum, { type, nullable }) =>
      sum + valuesSizeOf(type, batchRowsMax) + (nullable ? bitmapSizeOf(batchRowsMax) : 0),
    0,
  );
}
