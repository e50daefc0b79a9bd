/**
 * Row collector: gathers rows of many batches into columns of its own, until they make a batch.
 *
 *     batch A  rows 1 5 9 ─┐      fixed-size values are copied; a text (all behind views) as its view, whose
 *     batch B  rows 0 3   ─┼─▶    bytes stay where they are until the batch is built or sent: so the
 *     batch A  row 12     ─┘      collector holds a reference to every batch it took rows of
 *
 * The channel writer collects rows per channel with it, sorting puts small batches together. What it
 * holds is bounded by `batchRowsMax` rows and `sourcesMax` batches.
 */
import { assert } from '../../base/assert.ts';
import { Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { takeOf } from '../kernels/take-kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import {
  bitmapSizeOf,
  type FieldType,
  layoutOf,
  valueSizeOf,
  valuesSizeOf,
} from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import { ownTexts } from './gather-rows.ts';

const sourcesMax = 64; // Batches held at once: 64 MiB of text at the very most, a few in practice.

export interface RowCollectorOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly schema: Schema;
}

/** Where one column is gathered; `validity` is 0 for a field that is not nullable. */
interface Staging {
  readonly type: FieldType;
  readonly values: number;
  readonly validity: number;
}

export class RowCollector {
  readonly #options: RowCollectorOptions;
  readonly #sources = new Set<Batch>();
  #staging: Staging[] = [];
  #blocks: BlockHandle[] = [];
  #rowCount = 0;
  #textBytes = 0;

  constructor(options: RowCollectorOptions) {
    this.#options = options;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** Bytes of all texts collected. */
  get textBytes(): number {
    return this.#textBytes;
  }

  /** Rows that still fit; 0 also when rows of too many batches are held. */
  get room(): number {
    return this.#sources.size >= sourcesMax ? 0 : batchRowsMax - this.#rowCount;
  }

  /** Bytes that it takes to gather rows, however many. */
  get roomBytes(): number {
    return this.#options.schema.fields.reduce(
      (sum, { type }) => sum + valuesSizeOf(type, batchRowsMax) + bitmapSizeOf(batchRowsMax),
      0,
    );
  }

  /** Bytes of text of `count` stored rows of `batch`, listed as u32 at `rows` (0: the first ones). */
  textBytesOf(batch: Batch, rows: number, count: number): number {
    let size = 0;
    for (const column of batch.columns) {
      if (layoutOf(column.type) !== 'view') continue;
      size += this.#options.kernels.utf8SizeOf(column.values, rows, count);
    }
    return size;
  }

  /** Takes `count` stored rows, listed as u32 at `rows` (0: the first ones); they must fit. */
  append(batch: Batch, rows: number, count: number): void {
    assert(count <= this.room, 'collected rows fit in a batch');
    if (count === 0) return;
    if (this.#staging.length === 0) this.#allocate();
    this.#staging.forEach((staging, index) => {
      const column = batch.columns[index];
      assert(column !== undefined, 'collected rows have the schema of the collector');
      this.#takeValues(staging, column, rows, count);
      if (staging.validity !== 0) this.#takeBits(column.validity, staging.validity, rows, count);
    });
    this.#textBytes += this.textBytesOf(batch, rows, count);
    this.#rowCount += count;
    // Parts of one batch may come between those of others.
    if (!this.#sources.has(batch)) this.#sources.add(batch.retain());
  }

  /** The rows as a batch that is valid until the next call of anything here; not to be released. */
  peek(): Batch {
    const { scope, schema } = this.#options;
    const columns = this.#columns();
    return new Batch(scope.memory, { schema, rowCount: this.#rowCount, columns, blocks: [] });
  }

  /** Forgets the rows; the room for the next ones is kept. */
  clear(): void {
    for (const source of this.#sources) source.release();
    this.#sources.clear();
    this.#rowCount = 0;
    this.#textBytes = 0;
  }

  /** The rows as a batch of its own, texts copied; the caller owns it. */
  build(): Batch {
    const { scope, schema } = this.#options;
    const rowCount = this.#rowCount;
    const texts = this.#staging.filter(({ type }) => layoutOf(type) === 'view');
    const room = (sizeBytes: number) => this.#room(sizeBytes);
    for (const { values } of texts) ownTexts(this.#options.kernels, { values, rowCount, room });
    const batch = new Batch(scope.memory, {
      schema,
      rowCount,
      columns: this.#columns(),
      blocks: this.#blocks,
    });
    this.#blocks = [];
    this.#staging = [];
    this.clear();
    return batch;
  }

  close(): void {
    this.clear();
    for (const block of this.#blocks) this.#options.scope.memory.release(block);
    this.#blocks = [];
    this.#staging = [];
  }

  #columns(): Column[] {
    return this.#staging.map(({ type, values, validity }) => ({ type, values, validity }));
  }

  #allocate(): void {
    this.#staging = this.#options.schema.fields.map(({ type, nullable }) => ({
      type,
      values: this.#room(valuesSizeOf(type, batchRowsMax)),
      validity: nullable ? this.#room(bitmapSizeOf(batchRowsMax)) : 0,
    }));
  }

  #room(sizeBytes: number): number {
    const block = this.#options.scope.allocate(sizeBytes);
    this.#blocks.push(block);
    return addressOf(block);
  }

  #takeValues(staging: Staging, column: Column, rows: number, count: number): void {
    const { kernels } = this.#options;
    const { type, values } = staging;
    if (layoutOf(type) === 'bits') {
      this.#takeBits(column.values, values, rows, count);
      return;
    }
    const out = values + valueSizeOf(type) * this.#rowCount;
    takeOf(kernels, type)(column.values, rows, count, out);
  }

  /** Bits do not start at a byte here, so they go one by one. `from` 0: all are set. */
  #takeBits(from: number, to: number, rows: number, count: number): void {
    const { bytes, uint32 } = this.#options.scope.memory;
    for (let index = 0; index < count; index++) {
      const row = rows === 0 ? index : (uint32[(rows >>> 2) + index] ?? 0);
      const bit = from === 0 ? 1 : ((bytes[from + (row >>> 3)] ?? 0) >>> (row & 7)) & 1;
      const at = this.#rowCount + index;
      const byte = to + (at >>> 3);
      const mask = 1 << (at & 7);
      bytes[byte] = bit === 1 ? (bytes[byte] ?? 0) | mask : (bytes[byte] ?? 0) & ~mask;
    }
  }
}
