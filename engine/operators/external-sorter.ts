/**
 * External sorter: gives any number of rows back sorted, within the operator's share of the memory.
 *
 *     offer ─▶ row sorter, while there is room ──sorted──▶ run on disk        again and again
 *     arrange, next ─▶ no run: the row sorter's rows · runs: merged (engine/operators/run-merger.ts)
 *
 * Sort, top, reduce and fold share it. The sort is stable: runs hold rows in the order in which they came,
 * and the merge takes equal rows from the earlier run. Of a top-n a run has the first n rows of its own.
 *
 * Contract:
 * - Slices: every method works for one slice and is called again when it says so.
 * - What is held stays within the share, unless a single batch is larger than that, or the share is too small
 *   to spill: then it may be all that the slot has.
 */
import { assert } from '../../base/assert.ts';
import { codeOf } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import { largeRowBytesOf } from '../spill/large-rows.ts';
import { SpillFiles } from '../spill/spill-files.ts';
import type { SpillReader } from '../spill/spill-reader.ts';
import type { SpillRun, SpillWriter } from '../spill/spill-writer.ts';
import { rowKeysOf } from '../stream/row-keys.ts';
import type { OrderColumn } from '../stream/row-order.ts';
import { memoryTooSmall } from './memory-too-small.ts';
import { leastBytesOf, type MergeSize, mergeSizeOf } from './merge-size.ts';
import type { OperatorContext } from './operator.ts';
import { RowSorter } from './row-sorter.ts';
import { RunMerger } from './run-merger.ts';

/** A top-n copies its survivors together where that frees half of what is held; else it spills them. */
const keptPartMax = 0.5;

/** Of a slot's memory, where the share is too small to spill. */
const slotPartMax = 0.75;
/** Of a slot's memory: what others may take of the longest free stretch while rows are sorted. */
const scatteredPart = 1 / 8;

export interface ExternalSorterOptions {
  readonly schema: Schema;
  readonly order: readonly OrderColumn[];
  /** Rows wanted, from 1. @defaultValue all */
  readonly limit?: number;
}

/** Rows that are held: first those of the runs on disk, then those in memory, whose batches are the caller's. */
export interface HeldRows {
  readonly runs: readonly (() => SpillReader)[];
  readonly batches: readonly Batch[];
}

export class ExternalSorter {
  readonly #context: OperatorContext;
  readonly #options: ExternalSorterOptions;
  readonly #sorter: RowSorter;
  readonly #files: SpillFiles;
  readonly #size: MergeSize;
  #runs: SpillRun[] = [];
  /** Of the run that is being written. */
  #writer: SpillWriter | null = null;
  #merger: RunMerger | null = null;
  #rowCount = 0;
  /** Bytes of the largest row that came; 0 while none was larger than a block. */
  #largeRowBytes = 0;
  #givenRows = 0;
  /** Whether what is in memory is being sorted to make room: until that is done no row can be added. */
  #isMakingRoom = false;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: ExternalSorterOptions) {
    this.#context = context;
    this.#options = options;
    this.#sorter = new RowSorter(context, options);
    const { schema, order } = options;
    const { stride } = rowKeysOf(context.kernels, schema, order);
    this.#size = mergeSizeOf(schema, stride, context.spill.share.bytes);
    try {
      this.#files = new SpillFiles(context, this.#size);
    } catch (error) {
      this.#sorter.close();
      throw error;
    }
  }

  /** Rows offered since the start or the last `clear`. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** Whether `offer` takes the batch at once. */
  hasRoomFor(batch: Batch): boolean {
    return this.#wantFor(batch) === null;
  }

  /** Takes all rows of the batch, without taking it over; false when the slice ended before there was room. */
  offer(batch: Batch): boolean {
    try {
      const rowBytes = largeRowBytesOf(this.#context.kernels, batch, this.#size.blockBytes);
      this.#largeRowBytes = Math.max(this.#largeRowBytes, rowBytes);
      for (let want = this.#wantFor(batch); want !== null; want = this.#wantFor(batch)) {
        this.#makeRoom(want);
        if (this.#context.shouldYield()) return false;
      }
      this.#sorter.add(batch);
    } catch (error) {
      throw this.#explained(error);
    }
    this.#rowCount += batch.rowCount;
    return true;
  }

  /** No more rows come: works for a slice; true when `next` may be called. */
  arrange(): boolean {
    if (this.#runs.length === 0 && this.#writer === null) return this.#sortInMemory();
    if (this.#sorter.rowCount > 0 || this.#writer !== null) {
      this.#makeRoom('run');
      return false;
    }
    this.#merger ??= this.#newMerger();
    return this.#merger.prepare();
  }

  /** The next sorted rows, or null at the end. The caller owns the batch. */
  next(): Batch | null {
    const { limit = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#givenRows >= limit) return null;
    const batch = this.#merger === null ? this.#sorter.next() : this.#merger.next();
    if (batch === null) return null;
    this.#givenRows += batch.rowCount;
    return this.#givenRows <= limit ? batch : firstRows(batch, this.#givenRows - limit);
  }

  /** All rows, in the order in which those that are equal come out; between two offers, of a sort without a limit. */
  held(): HeldRows {
    assert(this.#writer === null && this.#merger === null, 'rows are still offered');
    const { schema } = this.#options;
    const runs = this.#runs.map((run) => () => this.#files.open(run, schema));
    return { runs, batches: this.#sorter.held() };
  }

  /** Forgets all rows. */
  clear(): void {
    this.#merger?.close();
    this.#merger = null;
    this.#writer?.close();
    this.#writer = null;
    for (const run of this.#runs.splice(0)) this.#files.remove(run);
    this.#sorter.clear();
    this.#isMakingRoom = false;
    this.#rowCount = 0;
    this.#largeRowBytes = 0;
    this.#givenRows = 0;
  }

  close(): void {
    this.#sorter.close();
    try {
      this.#merger?.close();
    } finally {
      this.#files.close();
    }
  }

  #sortInMemory(): boolean {
    try {
      this.#sorter.seal();
      return this.#sorter.sortSlice();
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** What has to be done before the batch can be taken; null when nothing. */
  #wantFor(batch: Batch): 'run' | 'fewer rows' | 'memory' | null {
    if (this.#writer !== null) return 'run';
    if (this.#sorter.needsCompaction) return 'fewer rows';
    if (this.#sorter.rowCount === 0) return null;
    if (this.#isMakingRoom) return 'memory';
    if (!this.#canSpill) return this.#isSlotFull ? 'memory' : null;
    const reserve = this.#size.reserveBytes + this.#largeRowBytes;
    const bytes = this.#sorter.peakBytesWith(batch) + reserve;
    return bytes > this.#context.spill.share.bytes || this.#isScattered(batch) ? 'memory' : null;
  }

  /** Whether what is free lies in pieces that are too short to sort the rows, or will soon be. */
  #isScattered(batch: Batch): boolean {
    const { memory } = this.#context.scope;
    const others = memory.budgetBytes * scatteredPart;
    return !memory.fits(this.#sorter.stretchBytesWith(batch) + others);
  }

  /** One slice on the way of the rows in memory to a run, or of a top-n to fewer rows. */
  #makeRoom(want: 'run' | 'fewer rows' | 'memory'): void {
    if (this.#writer !== null) {
      this.#writeRows(this.#writer);
      return;
    }
    this.#isMakingRoom = true;
    this.#sorter.seal();
    if (!this.#sorter.sortSlice()) return;
    this.#isMakingRoom = false;
    const isTop = this.#options.limit !== undefined;
    if (
      isTop &&
      want !== 'run' &&
      (want === 'fewer rows' || this.#sorter.keptPart <= keptPartMax)
    ) {
      this.#sorter.compact();
      return;
    }
    if (!this.#canSpill) throw this.#tooLittleMemory();
    this.#writer = this.#files.create();
  }

  #writeRows(writer: SpillWriter): void {
    const batch = this.#sorter.next(true);
    if (batch === null) {
      this.#runs.push(writer.finish());
      this.#writer = null;
      this.#sorter.clear();
      return;
    }
    try {
      writer.append(batch);
    } finally {
      batch.release();
    }
  }

  #newMerger(): RunMerger {
    const { schema, order } = this.#options;
    const options = { schema, order, files: this.#files, runs: this.#runs, size: this.#size };
    return new RunMerger(this.#context, options);
  }

  /** Where the share is too small to spill, rows stay in memory for as long as the slot has some. */
  get #canSpill(): boolean {
    return this.#leastBytes <= this.#context.spill.share.bytes;
  }

  get #leastBytes(): number {
    return leastBytesOf(this.#size, this.#largeRowBytes);
  }

  /** Whether a quarter is left, which others need. */
  get #isSlotFull(): boolean {
    const { memory } = this.#context.scope;
    return memory.usedBytes > memory.budgetBytes * slotPartMax;
  }

  #explained(error: unknown): unknown {
    if (this.#canSpill || codeOf(error) !== 'MEMORY_EXHAUSTED') return error;
    return this.#tooLittleMemory(error);
  }

  #tooLittleMemory(cause?: unknown): Error {
    return memoryTooSmall(this.#context, {
      ...{ verb: 'sort', leastBytes: this.#leastBytes, cause },
      ...(this.#largeRowBytes > 0 && { rowBytes: this.#largeRowBytes }),
    });
  }
}

/** The batch without its last rows; takes it over. */
function firstRows(batch: Batch, dropped: number): Batch {
  const rowCount = batch.rowCount - dropped;
  const first = batch.derive({ rowCount, storedRows: rowCount });
  batch.release();
  return first;
}
