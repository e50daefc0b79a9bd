/**
 * Reads text files into batches of lines. The bytes go from the disk straight into the slot's memory,
 * and a line is a view of them there: no line is copied, but the one that a buffer's end cuts.
 *
 *     file     …one\ntwo\nthr│ee\nfour…             │ is the border of a buffer
 *     block 1  …one two thr                         rows of block 1: one, two
 *     block 2  three four …                         `thr` is carried over, then the file goes on
 *
 * Whose line is it: the range's in which it begins, as in Hadoop. A range that does not start at 0
 * reads from the byte before its start on and begins after the first line break; the last line is
 * read on past the range's end. So every line is read once, whatever the borders.
 *
 * A line ends with "\n" or "\r\n"; an empty line is a row; after the last line break there is no
 * further row. A byte order mark at the file's start is dropped. Small files share a block and a batch.
 *
 * Invariants:
 * - A batch has at most 8,192 rows and shows into one block (and blocks of repaired text).
 * - `#block` holds one reference of the reader's own; each batch retains it for itself.
 * - UTF-8 is checked over whole lines, so no sequence is judged before all of it is there.
 * Before: connectors/filesystem/file-enumerator.ts · After: engine/batch/batch.ts
 */
import { assert } from '../../base/assert.ts';
import type { FileId } from '../../base/env/disk.ts';
import { codeOf } from '../../base/typed-error.ts';
import { Batch, batchRowsMax } from '../../engine/batch/batch.ts';
import { utf8ViewSize } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { ReadResult, Split, SplitReader } from '../../engine/contracts/source.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { type FileRange, rangesOf } from '../filesystem/file-range.ts';
import { changedError, unreadableError } from '../filesystem/source-errors.ts';
import { invalidUtf8Error, lineTooLongError } from './text-errors.ts';

const newline = 10;
/** A longer line is an error: its batch could not be passed on. */
const lineBytesMaxDefault = 64 << 20;
/** 1 MiB: larger reads gain nothing, and leave the processor's cache. */
const bufferBytesDefault = 1 << 20;
/** How far a read goes past a range's end at first; lines are mostly shorter. */
const tailBytes = 64 << 10;
const byteOrderMark = [0xef, 0xbb, 0xbf];
/** The mark, and the byte after it where the first line begins. */
const markBytesSeen = 4;
/** Opening takes some 30 µs: after so many files a call gives out the rows it has. */
const filesPerReadMax = 64;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** What bytes that are not UTF-8 do: end the job, or become U+FFFD. */
export type InvalidUtf8 = 'fail' | 'replace';

export interface TextReaderOptions {
  readonly invalidUtf8: InvalidUtf8;
  /** @defaultValue 1 MiB; at least 4; tests set it low. */
  readonly bufferBytes?: number;
  /** @defaultValue 64 MiB; tests set it low. */
  readonly lineBytesMax?: number;
}

/** The range that is being read. */
interface Cursor {
  readonly file: FileId;
  readonly range: FileRange;
  /** Where the last line may begin, exclusive; past `range.end` only by a byte order mark. */
  end: number;
  /** Byte offset in the file of the first byte that is not in the block. */
  position: number;
  /** The first line break is still to be found. */
  isSkipping: boolean;
}

export class TextReader implements SplitReader {
  readonly #context: SlotContext;
  readonly #options: TextReaderOptions;
  readonly #bufferBytes: number;
  readonly #lineBytesMax: number;
  #ranges: readonly FileRange[] = [];
  #rangeIndex = 0;
  #cursor: Cursor | null = null;
  /** The block that is read into; addresses: bytes up to `#scan` are rows, up to `#filled` read. */
  #block: BlockHandle = 0;
  #blockEnd = 0;
  #scan = 0;
  #filled = 0;
  /** Whether a whole line may be among the bytes that are not rows yet. */
  #hasLines = false;
  #views: BlockHandle = 0;
  #rowCount = 0;
  /** Blocks of repaired text that rows of the next batch show into. */
  #repaired: BlockHandle[] = [];
  /** Where kernels write their second answer. */
  #result: BlockHandle = 0;
  #bytesOfEndedRanges = 0;

  constructor(options: TextReaderOptions, context: SlotContext) {
    const { fields } = context.schema;
    assert(fields.length === 1 && fields[0]?.type.kind === 'utf8', 'text has one column of utf8');
    this.#context = context;
    this.#options = options;
    this.#bufferBytes = options.bufferBytes ?? bufferBytesDefault;
    this.#lineBytesMax = options.lineBytesMax ?? lineBytesMaxDefault;
    assert(this.#bufferBytes >= markBytesSeen, 'a buffer has room for a byte order mark');
    assert(this.#bufferBytes <= this.#lineBytesMax, 'a line may be as long as a buffer');
  }

  get bytesRead(): number {
    return this.#bytesOfEndedRanges + this.#bytesOfRange();
  }

  open(split: Split): void {
    assert(this.#cursor === null && this.#rowCount === 0, 'the split before has ended');
    this.#ranges = rangesOf(split.payload);
    this.#rangeIndex = 0;
  }

  /** @throws SOURCE_UNREADABLE, SOURCE_CHANGED, TEXT_INVALID_UTF8, TEXT_LINE_TOO_LONG. */
  read(): ReadResult {
    const rangeIndexMax = this.#rangeIndex + filesPerReadMax;
    for (;;) {
      if (this.#cursor === null) {
        const range = this.#ranges[this.#rangeIndex];
        const isEnough = range === undefined || this.#rangeIndex >= rangeIndexMax;
        if (isEnough && this.#rowCount > 0) return this.#takeBatch();
        if (range === undefined) return 'end';
        this.#rangeIndex++;
        this.#cursor = this.#openRange(range);
      }
      if (this.#hasLines && this.#splitIntoRows(this.#cursor)) return this.#takeBatch();
      if (this.#scan === this.#filled && this.#cursor.position >= this.#cursor.end) {
        this.#endRange(this.#cursor);
      } else if (!this.#fill(this.#cursor)) {
        return this.#takeBatch();
      }
    }
  }

  position(): string {
    const cursor = this.#cursor;
    if (cursor === null) return this.#ranges[this.#rangeIndex - 1]?.path ?? 'no file';
    return `${cursor.range.path}, byte ${this.#offsetOf(cursor, this.#scan)}`;
  }

  close(): void {
    const cursor = this.#cursor;
    this.#cursor = null;
    this.#ranges = [];
    this.#rowCount = 0;
    for (const block of [this.#block, this.#views, this.#result, ...this.#repaired]) {
      if (block !== 0) this.#context.scope.memory.release(block);
    }
    this.#block = this.#views = this.#result = 0;
    this.#scan = this.#filled = this.#blockEnd = 0;
    this.#repaired = [];
    if (cursor !== null) this.#context.disk.close(cursor.file); // Last, for it may fail.
  }

  #openRange(range: FileRange): Cursor {
    const { path, start, end } = range;
    let file: FileId;
    try {
      file = this.#context.disk.open(path, 'read');
    } catch (error) {
      if (codeOf(error) === 'DISK_NOT_FOUND') throw changedError(path, 'vanished', error);
      throw unreadableError('file', path, error);
    }
    this.#scan = this.#filled;
    this.#hasLines = false;
    const isSkipping = start > 0;
    return { file, range, end, position: isSkipping ? start - 1 : 0, isSkipping };
  }

  #endRange({ file, range }: Cursor): void {
    this.#bytesOfEndedRanges += range.end - range.start;
    this.#cursor = null;
    this.#context.disk.close(file);
  }

  #bytesOfRange(): number {
    if (this.#cursor === null) return 0;
    const { position, range } = this.#cursor;
    return Math.min(Math.max(position, range.start), range.end) - range.start;
  }

  /** The byte offset in the file of an address in the block. */
  #offsetOf(cursor: Cursor, address: number): number {
    return cursor.position - (this.#filled - address);
  }

  /** Reads the next bytes; false when the rows must be given out first, for their block is full. */
  #fill(cursor: Cursor): boolean {
    const carried = this.#filled - this.#scan;
    // One more: the last byte may be the "\r" of a line break. A line that is whole is measured below.
    if (carried > this.#lineBytesMax + 1) throw this.#tooLong(cursor);
    const isTail = cursor.position >= cursor.end;
    const wanted = wantedBytes(cursor, Math.max(carried, Math.min(tailBytes, this.#bufferBytes)));
    if (this.#blockEnd - this.#filled < wanted) {
      if (this.#rowCount > 0) return false;
      this.#moveToNewBlock(carried);
    }
    const size = Math.min(this.#blockEnd - this.#filled, wanted);
    const from = this.#filled;
    const isFileStart = cursor.position === 0 && !cursor.isSkipping;
    this.#readInto(cursor, size);
    if (isTail) this.#endTailAtLineBreak(cursor, from);
    else if (cursor.isSkipping) this.#skip(cursor);
    else this.#hasLines = true;
    if (isFileStart) this.#dropByteOrderMark(cursor);
    return true;
  }

  #readInto(cursor: Cursor, size: number): void {
    const { disk, scope } = this.#context;
    const into = scope.memory.bytes.subarray(this.#filled, this.#filled + size);
    const count = disk.read(cursor.file, into, cursor.position);
    if (count < size) throw changedError(cursor.range.path, 'became shorter');
    this.#filled += size;
    cursor.position += size;
  }

  /** The carried bytes are the beginning of a line that needs more room than is left. */
  #moveToNewBlock(carried: number): void {
    const { scope } = this.#context;
    // Twice the line so far: it is looked through again, so the sum stays linear.
    const sizeMax = this.#lineBytesMax + this.#bufferBytes;
    const isLong = carried * 2 > this.#bufferBytes;
    const sizeBytes = isLong ? Math.min(carried * 2, sizeMax) : this.#bufferBytes;
    const block = scope.allocate(sizeBytes);
    const address = addressOf(block);
    scope.memory.bytes.copyWithin(address, this.#scan, this.#filled);
    if (this.#block !== 0) scope.memory.release(this.#block);
    this.#block = block;
    this.#blockEnd = address + sizeBytes;
    this.#scan = address;
    this.#filled = address + carried;
  }

  /** Past the range's end only the line is wanted that began before it. */
  #endTailAtLineBreak(cursor: Cursor, from: number): void {
    const index = this.#indexOfLineBreak(from, this.#filled);
    if (index >= 0) {
      const excess = this.#filled - (index + 1);
      this.#filled -= excess;
      cursor.position -= excess;
    }
    this.#hasLines = index >= 0 || cursor.position === cursor.range.fileSize;
  }

  #skip(cursor: Cursor): void {
    const index = this.#indexOfLineBreak(this.#scan, this.#filled);
    cursor.isSkipping = index < 0;
    this.#scan = index < 0 ? this.#filled : index + 1;
    this.#hasLines = index >= 0;
  }

  #indexOfLineBreak(from: number, end: number): number {
    const index = this.#context.scope.memory.bytes.subarray(from, end).indexOf(newline);
    return index < 0 ? -1 : from + index;
  }

  /** Called with the first bytes of a file, at least 4 of them where it has so many. */
  #dropByteOrderMark(cursor: Cursor): void {
    const { bytes } = this.#context.scope.memory;
    const { end, fileSize } = cursor.range;
    if (fileSize >= 3 && byteOrderMark.every((byte, index) => bytes[this.#scan + index] === byte)) {
      this.#scan += 3;
      // The first line begins after the mark, and belongs to the range that has the file's start.
      cursor.end = Math.max(end, Math.min(markBytesSeen, fileSize));
      return;
    }
    const excess = Math.max(cursor.position - end, 0);
    this.#filled -= excess;
    cursor.position -= excess;
  }

  /** Makes rows of the whole lines there are; true when the batch is full. */
  #splitIntoRows(cursor: Cursor): boolean {
    const { kernels, scope } = this.#context;
    const { uint32 } = scope.memory;
    if (this.#views === 0) this.#views = scope.allocate(batchRowsMax * utf8ViewSize);
    if (this.#result === 0) this.#result = scope.allocate(8);
    const rowsMax = batchRowsMax - this.#rowCount;
    const views = addressOf(this.#views) + this.#rowCount * utf8ViewSize;
    const result = addressOf(this.#result);
    const from = this.#scan;
    const isLast = cursor.position === cursor.range.fileSize ? 1 : 0;
    const count = kernels.splitLines(from, this.#filled, isLast, views, rowsMax, result);
    if (count === 0) {
      this.#hasLines = false;
      return false;
    }
    const end = uint32[result >>> 2]!;
    // Only the first line can have been carried over, and so be longer than a buffer.
    if (uint32[views >>> 2]! > this.#lineBytesMax) throw this.#tooLong(cursor);
    const invalid = kernels.findInvalidUtf8(from, end, result) >>> 0;
    if (invalid !== 0) this.#repair(cursor, { from, end, invalid, isLast, views, count });
    this.#scan = end;
    this.#rowCount += count;
    this.#hasLines = count === rowsMax;
    return this.#rowCount === batchRowsMax;
  }

  /** Copies lines with U+FFFD for what is not UTF-8, and lets their views show into the copy. */
  #repair(cursor: Cursor, lines: DamagedLines): void {
    const { scope, kernels } = this.#context;
    const { from, end, invalid, isLast, views, count } = lines;
    if (this.#options.invalidUtf8 === 'fail') {
      throw invalidUtf8Error(cursor.range.path, this.#offsetOf(cursor, invalid));
    }
    const repaired = encoder.encode(decoder.decode(scope.memory.bytes.subarray(from, end)));
    const block = scope.allocate(repaired.length);
    this.#repaired.push(block);
    const address = addressOf(block);
    scope.memory.bytes.set(repaired, address);
    const addressEnd = address + repaired.length;
    const result = addressOf(this.#result);
    const again = kernels.splitLines(address, addressEnd, isLast, views, count, result);
    assert(again === count, 'a repair keeps line breaks where they are');
  }

  #takeBatch(): Batch {
    const { schema, scope } = this.#context;
    scope.memory.retain(this.#block);
    const batch = new Batch(scope.memory, {
      schema,
      rowCount: this.#rowCount,
      columns: schema.fields.map(({ type }) => ({
        type,
        validity: 0,
        values: addressOf(this.#views),
      })),
      blocks: [this.#views, this.#block, ...this.#repaired],
    });
    this.#views = 0;
    this.#repaired = [];
    this.#rowCount = 0;
    return batch;
  }

  #tooLong(cursor: Cursor): Error {
    const byteOffset = this.#offsetOf(cursor, this.#scan);
    return lineTooLongError(cursor.range.path, byteOffset, this.#lineBytesMax);
  }
}

interface DamagedLines {
  /** Addresses of the lines' bytes and of the first that is not UTF-8. */
  readonly from: number;
  readonly end: number;
  readonly invalid: number;
  readonly isLast: number;
  /** Address of their views. */
  readonly views: number;
  readonly count: number;
}

/** How many bytes are to be read next, if there is room. */
function wantedBytes({ position, end, range, isSkipping }: Cursor, tailMax: number): number {
  if (position >= end) return Math.min(tailMax, range.fileSize - position);
  if (position > 0 || isSkipping) return end - position;
  // At a file's start enough to see a byte order mark, also in a range that is shorter.
  return Math.max(end, Math.min(markBytesSeen, range.fileSize));
}
