/**
 * Owned rows: rows of many batches, copied together into chunks of 8,192 as they come, texts included,
 * so that the batches they came from can go at once.
 *
 *     append ─▶ chunk 0, full │ chunk 1, full │ chunk 2, rows so far        row r is in chunk r >> 13
 *               texts of more than 8 bytes: blocks of 1 MiB, shared by all chunks
 *
 * Rows have the numbers 0, 1, 2, … in the order in which they came, so a list by number has no gaps. They
 * are read back with the gather kernels (`bases`), by who holds `anchor`: one reference for all blocks,
 * however many there are. Rows may be read while others still come: then bases and anchor are asked for again.
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
  /** Whether there may be few rows: then their room is small at first, and doubled. @defaultValue false */
  readonly isSmallAtFirst?: boolean;
}

/** Addresses of a column in all chunks, one u32 each, and behind them that of a null. */
export interface ColumnBases {
  readonly values: number;
  /** 0 where no row is null. */
  readonly validity: number;
}

const textBlockBytes = 1 << 20;
/** Rows of the first chunk, and bytes of the first block of texts, where there may be few. */
const fewRows = 256;
const fewTextBytes = 4096;
/** Zeroes that any null may point to: a value of 16 bytes, a bitmap's byte. */
const nullBytes = 64;

export class OwnedRows {
  readonly #options: OwnedRowsOptions;
  readonly #blocks: BlockHandle[] = [];
  readonly #chunks: Column[][] = [];
  /** The numbers 0 to 8,191, for rows of a batch that has no selection; made when first needed. */
  #places = 0;
  /** Rows that the last chunk has room for, and its blocks. */
  #capacity = 0;
  #chunkBlocks: BlockHandle[] = [];
  #version = 0;
  #nextTextBytes: number;
  #rowCount = 0;
  #sizeBytes = 0;
  /** Where the next text goes, and the end of its block. */
  #text = 0;
  #textEnd = 0;
  #anchor: Batch | null = null;
  /** While rows are appended: what the last one who asked was given, and how many blocks it holds. */
  #openAnchor: Batch | null = null;
  #anchoredBlocks = 0;

  constructor(options: OwnedRowsOptions) {
    this.#options = options;
    this.#nextTextBytes = options.isSmallAtFirst === true ? fewTextBytes : textBlockBytes;
    if (options.isSmallAtFirst !== true) this.#places = this.#makePlaces();
  }

  /** Changes when `bases` has to be asked again. */
  get version(): number {
    return this.#version;
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
    const rowCount = this.#rowCount + batch.rowCount;
    const had = Math.max(0, this.#chunks.length - 1) * batchRowsMax + this.#capacity;
    const needed =
      rowCount > batchRowsMax
        ? Math.ceil(rowCount / batchRowsMax) * batchRowsMax
        : this.#capacityFor(rowCount);
    let bytes = this.#sizeBytes;
    if (needed > had) bytes += ((needed - had) / batchRowsMax) * chunkBytesOf(schema);
    let room = this.#textEnd - this.#text;
    for (const { type, values } of batch.columns) {
      if (layoutOf(type) !== 'view') continue;
      const sizeBytes = kernels.utf8SizeOf(values, batch.selection, batch.rowCount);
      if (sizeBytes > room) {
        room = Math.max(sizeBytes, this.#nextTextBytes);
        bytes += room;
      }
      room -= sizeBytes;
    }
    return bytes;
  }

  /** All blocks as one batch, to be retained by who points to rows; before `seal` those that are there now. */
  get anchor(): Batch {
    if (this.#anchor !== null) return this.#anchor;
    if (this.#openAnchor !== null && this.#anchoredBlocks === this.#blocks.length) {
      return this.#openAnchor;
    }
    const { memory } = this.#options.scope;
    this.#openAnchor?.release();
    for (const block of this.#blocks) memory.retain(block);
    this.#anchoredBlocks = this.#blocks.length;
    const parts = { schema: { fields: [] }, rowCount: 0, columns: [], blocks: [...this.#blocks] };
    this.#openAnchor = new Batch(memory, parts);
    return this.#openAnchor;
  }

  /** Copies the rows of a batch. @throws MEMORY_EXHAUSTED */
  append(batch: Batch): void {
    assert(this.#anchor === null, 'rows are appended before they are read');
    if (batch.selection === 0 && this.#places === 0) this.#places = this.#makePlaces();
    const rows = batch.selection === 0 ? this.#places : batch.selection;
    for (let done = 0; done < batch.rowCount; ) {
      const start = this.#rowCount % batchRowsMax;
      const count = Math.min(batchRowsMax - start, batch.rowCount - done);
      if (start === 0) this.#addChunk(count);
      else if (start + count > this.#capacity) this.#growChunk(start, start + count);
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
    this.#openAnchor?.release();
    this.#openAnchor = null;
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

  /** The rows so far, as batches that hold them whatever comes later; the caller's. */
  frozen(): Batch[] {
    const { scope, schema } = this.#options;
    return this.#chunks.map((columns, index) => {
      const rowCount = Math.min(batchRowsMax, this.#rowCount - index * batchRowsMax);
      const holds = [this.anchor.retain()];
      return new Batch(scope.memory, {
        schema,
        rowCount,
        columns: [...columns],
        blocks: [],
        holds,
      });
    });
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
    this.#openAnchor?.release();
    for (const block of this.#blocks) this.#options.scope.memory.release(block);
  }

  #addChunk(rowCount: number): void {
    this.#capacity = this.#chunks.length > 0 ? batchRowsMax : this.#capacityFor(rowCount);
    this.#chunks.push(this.#newColumns(this.#capacity));
    this.#version++;
  }

  /** Moves the first chunk's rows to where there is room for more. */
  #growChunk(start: number, rowCount: number): void {
    const { memory } = this.#options.scope;
    const before = this.#chunks.pop() ?? [];
    const blocks = this.#chunkBlocks;
    this.#capacity = this.#capacityFor(rowCount);
    const columns = this.#newColumns(this.#capacity);
    for (const [index, { type, values, validity }] of before.entries()) {
      const to = columns[index] as Column;
      memory.bytes.copyWithin(to.values, values, values + valuesSizeOf(type, start));
      if (validity === 0) continue;
      memory.bytes.copyWithin(to.validity, validity, validity + bitmapSizeOf(start));
    }
    this.#chunks.push(columns);
    this.#version++;
    for (const block of blocks) {
      this.#sizeBytes -= memory.sizeOf(block);
      this.#blocks.splice(this.#blocks.indexOf(block), 1);
      memory.release(block);
    }
    this.#anchoredBlocks = -1;
  }

  #newColumns(rowCount: number): Column[] {
    const first = this.#blocks.length;
    const columns = this.#options.schema.fields.map(({ type, nullable }) => ({
      type,
      values: this.#room(valuesSizeOf(type, rowCount)),
      validity: nullable ? this.#room(bitmapSizeOf(rowCount)) : 0,
    }));
    this.#chunkBlocks = this.#blocks.slice(first);
    return columns;
  }

  #capacityFor(rowCount: number): number {
    if (this.#options.isSmallAtFirst !== true) return batchRowsMax;
    let capacity = Math.max(this.#capacity, fewRows);
    while (capacity < rowCount) capacity *= 2;
    return Math.min(capacity, batchRowsMax);
  }

  #makePlaces(): number {
    const places = this.#room(batchRowsMax * 4);
    const { uint32 } = this.#options.scope.memory;
    for (let row = 0; row < batchRowsMax; row++) uint32[(places >>> 2) + row] = row;
    return places;
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
      const blockBytes = Math.max(sizeBytes, this.#nextTextBytes);
      this.#nextTextBytes = Math.min(this.#nextTextBytes * 4, textBlockBytes);
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
