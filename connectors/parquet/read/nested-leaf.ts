/**
 * A leaf of a nested column: for the next rows its levels, and the values that are there, side by side.
 *
 *     [a, b]  []  null  [c, null]      repetition   0 1 0 0 0 1        values  a b c
 *                                      definition   3 3 1 0 3 2
 *
 * How many values rows have is known from the levels only, so a page's are read as soon as it is open; its
 * values follow when rows take them. A row may go on in the next page.
 *
 * Before: connectors/parquet/read/chunk-values.ts · After: connectors/parquet/read/nested-column.ts
 */
import { batchRowsMax } from '../../../engine/batch/batch.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import { bitmapSizeOf, valueSizeOf } from '../../../engine/schema/field-type.ts';
import { GrowingBytes } from '../../formats/growing-bytes.ts';
import type { OpenColumn } from './chunk-pages.ts';
import { type ChunkInputs, ChunkValues } from './chunk-values.ts';
import { definitionState, repetitionState } from './page-values.ts';

/** Levels and values of rows; valid until the next rows are read. */
export interface LeafRows {
  /** Levels, one of each per entry. */
  readonly count: number;
  /** Addresses of u32 words. */
  readonly repetitions: number;
  readonly definitions: number;
  /** Address of the values that are there. */
  readonly values: number;
}

export class NestedLeaf {
  readonly #column: OpenColumn;
  readonly #inputs: ChunkInputs;
  readonly #values: ChunkValues;
  readonly #valueSize: number;
  /** Of the rows that are read. */
  readonly #repetitions: GrowingBytes;
  readonly #definitions: GrowingBytes;
  readonly #dense: GrowingBytes;
  #present = 0;
  /** Both levels of the page, one behind the other, and how many of them rows have taken. */
  #page: BlockHandle = 0;
  #pageCount = 0;
  #taken = 0;

  constructor(column: OpenColumn, inputs: ChunkInputs) {
    const { scope } = column.context;
    this.#column = column;
    this.#inputs = inputs;
    this.#values = new ChunkValues(column, inputs);
    this.#valueSize = valueSizeOf(inputs.field.type);
    this.#repetitions = new GrowingBytes(scope);
    this.#definitions = new GrowingBytes(scope);
    this.#dense = new GrowingBytes(scope);
  }

  /** The next rows, of which there are so many; `blocks` takes what values show into. */
  read(rowCount: number, blocks: BlockHandle[]): LeafRows {
    for (const bytes of [this.#repetitions, this.#definitions, this.#dense]) bytes.length = 0;
    this.#present = 0;
    let rows = 0;
    for (;;) {
      if (this.#taken === this.#pageCount && !this.#openPage()) break;
      const { end, started } = this.#rowsInPage(rowCount - rows);
      rows += started;
      this.#take(end, blocks);
      // In the page a row begins that is not wanted.
      if (end < this.#pageCount) break;
    }
    if (rows !== rowCount) throw this.#values.damaged('rows');
    return {
      count: this.#definitions.length / 4,
      repetitions: this.#repetitions.start,
      definitions: this.#definitions.start,
      values: this.#dense.start,
    };
  }

  close(): void {
    this.#endPage();
    for (const bytes of [this.#repetitions, this.#definitions, this.#dense]) bytes.close();
    this.#values.close();
  }

  /** Reads the levels of the next page; false behind the last. */
  #openPage(): boolean {
    this.#endPage();
    if (this.#values.isAtEnd) return false;
    const count = this.#values.inPage();
    const { scope } = this.#column.context;
    this.#page = scope.allocate(count * 8);
    this.#pageCount = count;
    const { repetition, definition } = this.#inputs.leaf;
    const start = addressOf(this.#page);
    this.#readLevels({ state: repetitionState, most: repetition, count, to: start });
    this.#readLevels({ state: definitionState, most: definition, count, to: start + count * 4 });
    return true;
  }

  #endPage(): void {
    const page = this.#page;
    this.#page = 0;
    this.#pageCount = 0;
    this.#taken = 0;
    if (page !== 0) this.#column.context.scope.memory.release(page);
  }

  #readLevels(levels: {
    readonly state: number;
    readonly most: number;
    readonly count: number;
    readonly to: number;
  }): void {
    const { kernels, scope } = this.#column.context;
    const { state, most, count, to } = levels;
    if (most === 0) {
      scope.memory.uint32.fill(0, to >>> 2, (to >>> 2) + count);
    } else if (kernels.readRuns(this.#values.state + state, count, most + 1, to) < count) {
      throw this.#values.damaged('levels');
    }
  }

  /** Where in the page the rows end: `wanted` ones that begin in it, and what goes on of the row before. */
  #rowsInPage(wanted: number): { readonly end: number; readonly started: number } {
    const { uint32 } = this.#column.context.scope.memory;
    const word = addressOf(this.#page) >>> 2;
    let started = 0;
    let end = this.#taken;
    for (; end < this.#pageCount; end++) {
      if (uint32[word + end] !== 0) continue;
      if (started === wanted) break;
      started++;
    }
    return { end, started };
  }

  #take(end: number, blocks: BlockHandle[]): void {
    const count = end - this.#taken;
    if (count === 0) return;
    const { memory } = this.#column.context.scope;
    const from = addressOf(this.#page) + this.#taken * 4;
    const parts = [
      { bytes: this.#repetitions, from },
      { bytes: this.#definitions, from: from + this.#pageCount * 4 },
    ];
    for (const part of parts) {
      const to = part.bytes.reserve(count * 4);
      memory.bytes.copyWithin(to, part.from, part.from + count * 4);
      part.bytes.length += count * 4;
    }
    this.#readValues(this.#countPresent(count), blocks);
    this.#values.advance(count);
    this.#taken = end;
  }

  /** Of the levels that came last. */
  #countPresent(count: number): number {
    const { uint32 } = this.#column.context.scope.memory;
    const { definition } = this.#inputs.leaf;
    const end = (this.#definitions.start + this.#definitions.length) >>> 2;
    let present = 0;
    for (let word = end - count; word < end; word++) if (uint32[word] === definition) present++;
    return present;
  }

  #readValues(count: number, blocks: BlockHandle[]): void {
    const dense = this.#dense;
    const isBits = this.#inputs.field.type.kind === 'bool';
    for (let left = count; left > 0; ) {
      const some = Math.min(left, batchRowsMax);
      if (isBits) {
        // The byte of the last bits is kept when the bytes move.
        dense.length = (this.#present + 7) >>> 3;
        dense.reserve(bitmapSizeOf(some) + 8);
        this.#values.readBits(some, dense.start, this.#present);
      } else {
        const to = dense.reserve(some * this.#valueSize + 8);
        this.#values.readInto(some, to, blocks);
        dense.length += some * this.#valueSize;
      }
      this.#present += some;
      left -= some;
    }
  }
}
