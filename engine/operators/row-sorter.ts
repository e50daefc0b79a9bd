/**
 * Row sorter: takes batches in any order, gives rows back sorted, all in memory.
 *
 *     add ──▶ batches kept (small ones put together) + their keys in a sort buffer
 *     sortSlice, again and again ──▶ next ──▶ sorted batches of its own memory
 *
 * With a limit only the first rows matter: most are dropped as they come, and `compact` copies the
 * survivors together, so that the batches they came from can go.
 *
 * Invariants:
 * - A batch is kept exactly as long as the sort buffer has a row of it.
 * - Rows of small batches are in the sort buffer only after `seal`.
 * After: engine/operators/external-sorter.ts, which has one of these for what fits in memory.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import { HeldBlocks } from '../batch/held-blocks.ts';
import { isRadixSortable, RadixBuffer } from '../kernels/radix-buffer.ts';
import { SortBuffer } from '../kernels/sort-buffer.ts';
import { type RowNumberSort, type SortKey, sortTypeOf } from '../kernels/sort-keys.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { gatherBatchesMax, gatherRows } from '../stream/gather-rows.ts';
import { RowCollector } from '../stream/row-collector.ts';
import type { OrderColumn } from '../stream/row-order.ts';
import type { OperatorContext } from './operator.ts';

/** Batches of fewer rows than this are put together first. */
const smallBatchRows = 2048;
/** Texts of more bytes than this are not copied for that. */
const smallTextBytes = 256 << 10;
/** With a limit: batches kept, beyond those of the rows wanted, before survivors are put together. */
const extraBatchesMax = 64;

export interface RowSorterOptions {
  readonly schema: Schema;
  readonly order: readonly OrderColumn[];
  /** Rows wanted, from 1. @defaultValue all */
  readonly limit?: number;
}

export class RowSorter {
  readonly #context: OperatorContext;
  readonly #options: RowSorterOptions;
  readonly #keyIndexes: readonly number[];
  readonly #buffer: RowNumberSort;
  readonly #collector: RowCollector;
  readonly #numbers: BlockHandle;
  #batches: Batch[] = [];
  /** What the batches hold, and what those that the collector took rows of do. */
  readonly #held: HeldBlocks;
  readonly #collectorHeld: HeldBlocks;
  /** Rows given back so far. */
  #readRows = 0;

  constructor(context: OperatorContext, options: RowSorterOptions) {
    const { scope, kernels } = context;
    const { schema, order, limit } = options;
    this.#context = context;
    this.#options = options;
    this.#keyIndexes = order.map(({ column }) => fieldIndexOf(schema, column));
    const keys = order.map((column, place): SortKey => {
      const type = schema.fields[this.#keyIndexes[place] ?? -1]?.type;
      assert(type !== undefined, 'columns to sort by are in the schema');
      const { isDescending, areNullsFirst } = column;
      return { type: sortTypeOf(type), isDescending, areNullsLast: !areNullsFirst };
    });
    this.#buffer =
      limit === undefined && isRadixSortable(keys)
        ? new RadixBuffer(scope, kernels, keys)
        : new SortBuffer(scope, kernels, { keys, ...(limit !== undefined && { limit }) });
    this.#collector = new RowCollector({ scope, kernels, schema });
    this.#held = new HeldBlocks(scope.memory);
    this.#collectorHeld = new HeldBlocks(scope.memory);
    this.#numbers = scope.allocate(batchRowsMax * 4);
  }

  /** Rows held. */
  get rowCount(): number {
    return this.#buffer.rowCount + this.#collector.rowCount;
  }

  /** With a limit: `sortSlice` until true, then `compact`, are due before the next row. */
  get needsCompaction(): boolean {
    const { limit } = this.#options;
    if (limit === undefined) return false;
    const batchesMax = extraBatchesMax + 2 * Math.ceil(limit / batchRowsMax);
    return this.#buffer.needsSort || this.#batches.length >= batchesMax;
  }

  /** The most that it would hold in bytes, up to the end of the sort, with the rows of one more batch. */
  peakBytesWith(batch: Batch): number {
    const rowCount = this.rowCount + batch.rowCount;
    const textBytes = this.#gatheredTextBytes(batch);
    const isGathered = textBytes >= 0 || this.#collector.rowCount > 0;
    const texts = this.#collector.textBytes + Math.max(0, textBytes);
    const gathered = isGathered ? this.#collector.roomBytes + texts : 0;
    const held = this.#held.bytesWith(batch) + this.#collectorHeld.bytes;
    return held + gathered + this.#buffer.peakBytes(rowCount);
  }

  /** The longest stretch of memory that it would ask for, with the rows of one more batch. */
  stretchBytesWith(batch: Batch): number {
    return this.#buffer.stretchBytes(this.rowCount + batch.rowCount);
  }

  /** Of the rows that are held in memory, how many are among those wanted; once they are sorted. */
  get keptPart(): number {
    const stored = this.#batches.reduce((sum, { rowCount }) => sum + rowCount, 0);
    return stored === 0 ? 1 : this.#buffer.rowCount / stored;
  }

  /** Takes all rows of the batch, without taking it over. */
  add(batch: Batch): void {
    if (batch.rowCount === 0) return;
    if (this.#gatheredTextBytes(batch) < 0) {
      // The rows before it come first.
      this.seal();
      this.#addBatch(batch.retain());
      return;
    }
    if (batch.rowCount > this.#collector.room) this.seal();
    this.#collector.append(batch, batch.selection, batch.rowCount);
    this.#collectorHeld.add(batch);
  }

  /** What the texts of a batch have that is put together with others; negative where it is kept as it is. */
  #gatheredTextBytes(batch: Batch): number {
    if (batch.rowCount >= smallBatchRows) return -1;
    const bytes = this.#collector.textBytesOf(batch, batch.selection, batch.rowCount);
    return bytes > smallTextBytes ? -1 : bytes;
  }

  /** Brings the rows of small batches into the sort; call before `sortSlice`. */
  seal(): void {
    if (this.#collector.rowCount > 0) this.#addBatch(this.#collector.build());
    this.#collectorHeld.clear();
  }

  /** Sorts for one slice; true when `next` or `compact` may be called. */
  sortSlice(): boolean {
    return this.#buffer.sortSlice();
  }

  /**
   * The next sorted rows, or null at the end. The caller owns the batch.
   * @param showsTexts - Texts are not copied: the batch is released before the rows are forgotten.
   */
  next(showsTexts = false): Batch | null {
    const count = this.#buffer.rowCount - this.#readRows;
    if (count === 0) return null;
    const numbers = addressOf(this.#numbers);
    const found = this.#buffer.readRowNumbers(
      this.#readRows,
      Math.min(count, batchRowsMax),
      numbers,
    );
    const { scope, kernels } = this.#context;
    const { schema } = this.#options;
    const target = { scope, kernels, schema, batches: this.#batches, showsTexts };
    const batch = gatherRows(target, numbers, found);
    this.#readRows += batch.rowCount;
    return batch;
  }

  /** Copies the survivors of a top-n into batches of their own and lets the others go. */
  compact(): void {
    const survivors: Batch[] = [];
    const old = this.#batches;
    try {
      for (let batch = this.next(); batch !== null; batch = this.next()) survivors.push(batch);
    } finally {
      this.#readRows = 0;
      this.#batches = survivors;
      for (const batch of old) batch.release();
    }
    this.#held.clear();
    for (const batch of survivors) this.#held.add(batch);
    this.#buffer.clear();
    survivors.forEach((batch, index) => {
      const input = this.#inputOf(batch, index);
      if (index === 0) this.#buffer.restart(input);
      else this.#buffer.addRows(input, 0);
    });
  }

  /** All rows, as they lie, in the order in which they came; the batches are the caller's. Without a limit. */
  held(): Batch[] {
    assert(this.#options.limit === undefined, 'no row has been dropped');
    this.seal();
    return this.#batches.map((batch) => batch.retain());
  }

  /** Forgets all rows. */
  clear(): void {
    this.#buffer.clear();
    this.#collector.clear();
    for (const batch of this.#batches.splice(0)) batch.release();
    this.#held.clear();
    this.#collectorHeld.clear();
    this.#readRows = 0;
  }

  close(): void {
    this.clear();
    this.#buffer.close();
    this.#collector.close();
    this.#context.scope.memory.release(this.#numbers);
  }

  #addBatch(batch: Batch): void {
    const before = this.#buffer.rowCount;
    assert(this.#batches.length < gatherBatchesMax, 'row numbers of a sort fit 32 bits');
    this.#batches.push(batch);
    const input = this.#inputOf(batch, this.#batches.length - 1);
    let row = this.#buffer.addRows(input, 0);
    const isWhole = row === batch.rowCount;
    while (row < batch.rowCount) {
      // A top-n that is full in the middle of a batch: 2n rows are few, or sort in few slices.
      while (!this.#buffer.sortSlice());
      row = this.#buffer.addRows(input, row);
    }
    // None of its rows is among the first ones so far: the batch can go.
    if (isWhole && this.#buffer.rowCount === before) {
      this.#batches.pop();
      batch.release();
    } else {
      this.#held.add(batch);
    }
  }

  #inputOf(batch: Batch, index: number) {
    const columns = this.#keyIndexes.map((key) => batch.columns[key]);
    return {
      columns: columns.filter((column) => column !== undefined),
      selection: batch.selection,
      rowCount: batch.rowCount,
      firstNumber: index * batchRowsMax,
    };
  }
}
