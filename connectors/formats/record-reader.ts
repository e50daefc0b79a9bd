/**
 * Reads the records of files into batches: brings the bytes of one range after the other to the format
 * and takes its rows when a batch is full, or when the block that they show into is.
 *
 * Small files share a block and a batch. A batch has at most 8,192 rows.
 * Before: connectors/formats/file-blocks.ts · After: engine/batch/batch.ts
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { ReadResult, Split, SplitReader } from '../../engine/contracts/source.ts';
import { type FileRange, rangesOf } from '../filesystem/file-range.ts';
import { BadRecords } from './bad-records.ts';
import { FileBlocks, type FileBlocksOptions, type RecordPlace } from './file-blocks.ts';
import type { RecordFormat } from './record-format.ts';
import { lineTooLongError, longerThan } from './text-errors.ts';

/** Where a split goes on: in which of its ranges, and where in it; at its first record when nothing is said. */
// A type alias, not an interface: only those are assignable to `Json`.
type Position = { readonly rangeIndex: number; readonly place: RecordPlace | null };

/** Opening takes some 30 µs: after so many files a call gives out the rows it has. */
const filesPerReadMax = 64;
/** So much of a record that is too long becomes a dead letter. */
const shownBytesMax = 1024;

const fromStart: Position = { rangeIndex: 0, place: null };

export class RecordReader implements SplitReader {
  readonly #context: SlotContext;
  readonly #blocks: FileBlocks;
  readonly #bad: BadRecords;
  readonly #format: RecordFormat;
  /** Bytes of ranges that had been read when their splits were opened. */
  #bytesBefore = 0;
  #ranges: readonly FileRange[] = [];
  #rangeIndex = 0;
  /** Where in the range that comes next to begin; null for its first record. */
  #place: RecordPlace | null = null;
  readonly #offsetOf = (address: number) => this.#blocks.offsetOf(address);

  /** @param formatOf - Makes the format; it gives its bad records to the argument. */
  constructor(
    context: SlotContext,
    options: FileBlocksOptions,
    formatOf: (bad: BadRecords) => RecordFormat,
  ) {
    this.#context = context;
    this.#blocks = new FileBlocks(context, options);
    this.#bad = new BadRecords(context);
    this.#format = formatOf(this.#bad);
  }

  get bytesRead(): number {
    return this.#bytesBefore + this.#blocks.bytesRead;
  }

  open(split: Split): void {
    const isIdle = !this.#blocks.hasRange && this.#format.rowCount === 0;
    assert(isIdle, 'the split before has ended');
    const { rangeIndex, place } = (split.position ?? fromStart) as Position;
    this.#ranges = rangesOf(split.payload);
    this.#rangeIndex = rangeIndex;
    this.#place = place;
    for (const { start, end } of this.#ranges.slice(0, rangeIndex))
      this.#bytesBefore += end - start;
    this.#format.beginSplit?.(split);
  }

  /** @throws SOURCE_UNREADABLE, SOURCE_CHANGED, TEXT_LINE_TOO_LONG, and the errors of the format. */
  read(): ReadResult {
    const rangeIndexMax = this.#rangeIndex + filesPerReadMax;
    const blocks = this.#blocks;
    for (;;) {
      if (!blocks.hasRange && !this.#openRange(rangeIndexMax)) {
        return this.#rowsOr(this.#rangeIndex === this.#ranges.length ? 'end' : 'more');
      }
      if (blocks.hasRecords && this.#addRows()) return this.#takeBatch();
      if (blocks.isRangeEnd) blocks.endRange();
      else if (!blocks.hasRecords && !this.#fill()) return this.#rowsOr('more');
    }
  }

  takeDeadLetters(): Batch | null {
    return this.#bad.take();
  }

  /** Rows never wait between two reads, so the next record is the first that is not given out. */
  snapshot(): Json {
    assert(this.#format.rowCount === 0, 'a read gives out all rows that it has made');
    const { hasRange } = this.#blocks;
    const rangeIndex = hasRange ? this.#rangeIndex - 1 : this.#rangeIndex;
    const position: Position = { rangeIndex, place: hasRange ? this.#blocks.place : this.#place };
    return position;
  }

  position(): string {
    if (!this.#blocks.hasRange) return this.#ranges[this.#rangeIndex - 1]?.path ?? 'no file';
    return `${this.#blocks.path}, byte ${this.#blocks.offsetOf(this.#blocks.scan)}`;
  }

  close(): void {
    this.#ranges = [];
    this.#format.close();
    this.#bad.close();
    this.#blocks.close();
  }

  /** False when there is none, or when enough were opened in this call. */
  #openRange(rangeIndexMax: number): boolean {
    const range = this.#ranges[this.#rangeIndex];
    if (range === undefined || this.#rangeIndex >= rangeIndexMax) return false;
    this.#rangeIndex++;
    this.#blocks.openRange(range, this.#place);
    this.#place = null;
    return true;
  }

  /** Makes rows of the bytes there are; true when the batch is full. */
  #addRows(): boolean {
    const blocks = this.#blocks;
    const { path, scan, filled, limit } = blocks;
    const isLast = blocks.isFileEnd;
    const offsetOf = this.#offsetOf;
    const used = this.#format.addRows({ path, from: scan, end: filled, isLast, limit, offsetOf });
    const { isFull } = this.#format;
    blocks.use(used, isFull);
    return isFull;
  }

  /** False when the rows must be given out first, or a record was passed over. */
  #fill(): boolean {
    const isHeld = this.#format.rowCount > 0 && this.#format.showsIntoBlock;
    const result = this.#blocks.fill(isHeld);
    if (result === 'recordIsTooLong') this.#passOver();
    return result === 'filled';
  }

  #passOver(): void {
    const { path, scan, filled, recordBytesMax } = this.#blocks;
    const { bytes } = this.#context.scope.memory;
    const byteOffset = this.#blocks.offsetOf(scan);
    const error = () => lineTooLongError(path, byteOffset, recordBytesMax);
    const shown = bytes.subarray(scan, Math.min(scan + shownBytesMax, filled));
    const reason = `is ${longerThan(recordBytesMax)}; this is its beginning`;
    this.#bad.add({ path, byteOffset, bytes: shown, reason }, error);
    this.#blocks.skipRecord();
  }

  #rowsOr(result: 'more' | 'end'): ReadResult {
    return this.#format.rowCount > 0 ? this.#takeBatch() : result;
  }

  #takeBatch(): Batch {
    return this.#format.takeBatch(this.#blocks.block);
  }
}
