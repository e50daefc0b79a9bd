/**
 * A column of plain values, one or none per row, from the pages of its chunk: the next rows each time,
 * across the borders of pages, straight into the column of a batch.
 *
 *     page     levels (runs) ──▶ validity                  which rows have a value
 *              values ──▶ dense ──▶ converted ──▶ spread over the rows that have one
 *
 * Steps that a column does not need are left out: required int64 in plain pages are copied once.
 *
 * Before: connectors/parquet/read/chunk-values.ts · After: connectors/parquet/read/parquet-reader.ts
 */
import { batchRowsMax, type Column } from '../../../engine/batch/batch.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import {
  bitmapSizeOf,
  type Field,
  valueSizeOf,
  valuesSizeOf,
} from '../../../engine/schema/field-type.ts';
import { takeColumn } from '../../../engine/stream/take-column.ts';
import { nullError } from '../parquet-errors.ts';
import type { OpenColumn } from './chunk-pages.ts';
import { type ChunkInputs, ChunkValues, spreadOf } from './chunk-values.ts';
import type { Dictionary } from './dictionary.ts';
import type { ChosenRows } from './late-rows.ts';
import { definitionState } from './page-values.ts';

/** Where rows are put. */
interface RowsOut {
  /** First of the rows in `values` and `validity`. */
  readonly row: number;
  readonly values: number;
  /** The address of the bitmap; 0 where the file's column is required. */
  readonly validity: number;
  readonly blocks: BlockHandle[];
}

export class FlatColumn {
  readonly #column: OpenColumn;
  readonly #inputs: ChunkInputs;
  readonly #values: ChunkValues;
  readonly #valueSize: number;

  constructor(column: OpenColumn, inputs: ChunkInputs) {
    this.#column = column;
    this.#inputs = inputs;
    this.#values = new ChunkValues(column, inputs);
    this.#valueSize = valueSizeOf(inputs.field.type);
  }

  get field(): Field {
    return this.#inputs.field;
  }

  /** The dictionary that has all values of the column; null where there may be others. */
  dictionary(): Dictionary | null {
    const isAllIndexed = this.#inputs.chunk.hints?.isAllIndexed === true;
    return isAllIndexed ? this.#values.dictionary() : null;
  }

  /** The next rows; `blocks` takes what they are in. */
  read(count: number, blocks: BlockHandle[]): Column {
    const { field, leaf } = this.#inputs;
    const { scope } = this.#column.context;
    const block = scope.allocate(valuesSizeOf(field.type, count));
    blocks.push(block);
    const values = addressOf(block);
    let validity = 0;
    if (leaf.definition > 0) {
      const bits = scope.allocate(bitmapSizeOf(count));
      blocks.push(bits);
      validity = addressOf(bits);
    }
    const firstRow = this.#values.row;
    const present = this.#readRows(count, { row: 0, values, validity, blocks });
    if (present === count) return { type: field.type, validity: 0, values };
    if (!field.nullable) {
      const row = firstRow + firstZeroBit(scope.memory.bytes, validity, count);
      throw nullError(this.#column.path, field.name, `row ${row}`);
    }
    return { type: field.type, validity, values };
  }

  /** Some of the next rows; pages that have none of them are not uncompressed. */
  readChosen(count: number, chosen: ChosenRows, blocks: BlockHandle[]): Column {
    const { leaf, field, room } = this.#inputs;
    const { type } = field;
    const { scope } = this.#column.context;
    if (leaf.definition > 0 || type.kind === 'bool') {
      const column = this.read(count, blocks);
      return takeColumn({ ...this.#column.context, blocks }, column, chosen.rows, chosen.count);
    }
    const block = scope.allocate(Math.max(1, valuesSizeOf(type, chosen.count)));
    blocks.push(block);
    const values = addressOf(block);
    const { uint32 } = scope.memory;
    const first = chosen.rows >>> 2;
    for (let [row, done] = [0, 0]; row < count; ) {
      const next = done < chosen.count ? (uint32[first + done] ?? count) : count;
      row += this.#values.passPages(next - row);
      if (row === count) break;
      const part = Math.min(count - row, this.#values.inPage());
      const from = done;
      // Their numbers within the part.
      for (; done < chosen.count && (uint32[first + done] ?? count) < row + part; done++) {
        uint32[(room.passed >>> 2) + done - from] = (uint32[first + done] ?? 0) - row;
      }
      const own = { rows: room.passed, count: done - from };
      this.#values.readChosen(part, own, { out: values + from * this.#valueSize, blocks });
      this.#values.advance(part);
      row += part;
    }
    return { type, validity: 0, values };
  }

  /** Passes over rows; pages that have no others are not uncompressed. */
  skip(count: number): void {
    const { room } = this.#inputs;
    let left = count - this.#values.passPages(count);
    while (left > 0) {
      const blocks: BlockHandle[] = [];
      // Up to the end of a page at most: the next one may be passed over.
      const rows = Math.min(left, batchRowsMax, this.#values.inPage());
      try {
        this.#readRows(rows, { row: 0, values: room.passed, validity: room.bitmap, blocks });
      } finally {
        for (const block of blocks) this.#column.context.scope.memory.release(block);
      }
      left -= rows;
      left -= this.#values.passPages(left);
    }
  }

  close(): void {
    this.#values.close();
  }

  /** Answers with how many have a value. */
  #readRows(count: number, out: RowsOut): number {
    let present = 0;
    for (let row = 0; row < count; ) {
      const part = Math.min(count - row, this.#values.inPage());
      present += this.#readPart(part, { ...out, row });
      row += part;
    }
    return present;
  }

  #readPart(count: number, out: RowsOut): number {
    const { leaf, field } = this.#inputs;
    const { kernels } = this.#column.context;
    const { row, validity, blocks } = out;
    let present = count;
    if (leaf.definition > 0) {
      const state = this.#values.state + definitionState;
      present = kernels.readRunBits(state, count, validity, row);
      if (present < 0) throw this.#values.damaged('levels');
    }
    if (field.type.kind === 'bool') {
      this.#readBits({ count, present }, out);
    } else {
      const size = this.#valueSize;
      const target = out.values + row * size;
      if (present === count) {
        this.#values.readInto(present, target, blocks);
      } else {
        const from = this.#values.read(present, blocks);
        spreadOf(kernels, size)(from, validity, row, count, target);
      }
    }
    this.#values.advance(count);
    return present;
  }

  #readBits({ count, present }: { count: number; present: number }, out: RowsOut): void {
    const { room } = this.#inputs;
    const { kernels } = this.#column.context;
    const { row, validity, values } = out;
    if (present === count) {
      this.#values.readBits(count, values, row);
    } else {
      this.#values.readBits(present, room.dense, 0);
      kernels.spread1Bit(room.dense, validity, row, count, values, row);
    }
  }
}

function firstZeroBit(bytes: Uint8Array, bitmap: number, count: number): number {
  let row = 0;
  while (row < count && (((bytes[bitmap + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 1) row++;
  return row;
}
