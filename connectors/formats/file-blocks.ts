/**
 * The bytes of a split's files, block by block, for formats whose files are a row of records. They go
 * from the disk straight into the slot's memory, and rows may show into a block: nothing is copied but
 * the record that a buffer's end cuts.
 *
 *     file     …one\ntwo\nthr│ee\nfour…             │ is the border of a buffer
 *     block 1  …one two thr                         records of block 1: one, two
 *     block 2  three four …                         `thr` is carried over, then the file goes on
 *
 * Whose record is it: the range's in which it begins, as in Hadoop. Where records are lines, a range
 * that does not start at 0 reads from the byte before its start on and begins after the first line
 * break. Where only the format knows how records end, it says where the first one begins. The last
 * record is read on past the range's end. So every record is read once, whatever the borders.
 *
 * A byte order mark at the file's start is dropped. Small files share a block.
 *
 * A range can be opened in its middle, where it was left. Of a compressed file what lies before is decompressed anew,
 * a piece at a time.
 *
 * Invariants:
 * - Bytes up to `scan` are used up, bytes up to `filled` are read; `scan` only grows within a block.
 * - `block` holds one reference of its own; whoever shows into it retains it.
 * - Behind `filled` there is room for one more byte, for a line break that the file's end lacks.
 * After: connectors/formats/record-reader.ts
 */
import { assert } from '../../base/assert.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { FileRange } from '../filesystem/file-range.ts';
import { changedError } from '../filesystem/source-errors.ts';
import { type FileBytes, openFileBytes } from './file-bytes.ts';

const newline = 10;
/** 1 MiB: larger reads gain nothing, and leave the processor's cache. */
const bufferBytesDefault = 1 << 20;
/** A longer record is an error: its batch could not be passed on. */
const recordBytesMaxDefault = 64 << 20;
/** How far a read goes past a range's end at first; records are mostly shorter. */
const tailBytes = 64 << 10;
const byteOrderMark = [0xef, 0xbb, 0xbf];
/** The mark, and the byte after it where the first record begins. */
const markBytesSeen = 4;
/** What a block has beyond its buffer. */
const spareBytes = 64;

/** How records end: at every line break, or as the format finds out. */
export type RecordBorders =
  | { readonly kind: 'lines' }
  | {
      readonly kind: 'own';
      /** Whether a byte order mark is what any other bytes are. @defaultValue false */
      readonly isBinary?: boolean;
      /** The byte offset at which the first record of a range begins. */
      firstRecord(range: FileRange): number;
      /** Throws unless the next range begins at the byte offset behind this one's last record. */
      checkEnd(range: FileRange, byteOffset: number): void;
    };

export interface FileBlocksOptions {
  readonly borders: RecordBorders;
  /** @defaultValue 1 MiB; at least 4; tests set it low. */
  readonly bufferBytes?: number;
  /** @defaultValue 64 MiB; tests set it low. */
  readonly recordBytesMax?: number;
}

/** Where the next record of a range begins, as a checkpoint has it. */
// A type alias, not an interface: only those are assignable to `Json`.
export type RecordPlace = {
  /** Of a compressed file in what it decompresses to. */
  readonly byteOffset: number;
  /** The bytes from there on up to a line break belong to a record that was passed over. */
  readonly isSkipping: boolean;
};

/** The range that is being read. */
interface Cursor {
  readonly bytes: FileBytes;
  readonly range: FileRange;
  /** Where the last record may begin, exclusive; past `range.end` only by a byte order mark. */
  end: number;
  /** Byte offset in the file of the first byte that is not in the block. */
  position: number;
  /** The first line break is still to be found. */
  isSkipping: boolean;
  /** Bytes before the first record that are still to be read, of a compressed file. */
  dropBytes: number;
  /** Byte offset behind a byte order mark that was dropped; 0 for none. */
  markEnd: number;
}

/** What became of a call of `fill`; `dropped`: some of what lies before the first record was read. */
export type FillResult = 'filled' | 'dropped' | 'blockIsHeld' | 'recordIsTooLong';

export class FileBlocks {
  readonly recordBytesMax: number;
  readonly #context: SlotContext;
  readonly #borders: RecordBorders;
  readonly #bufferBytes: number;
  #cursor: Cursor | null = null;
  #block: BlockHandle = 0;
  #blockEnd = 0;
  #scan = 0;
  #filled = 0;
  #hasRecords = false;
  #bytesOfEndedRanges = 0;

  constructor(context: SlotContext, options: FileBlocksOptions) {
    this.#context = context;
    this.#borders = options.borders;
    this.#bufferBytes = options.bufferBytes ?? bufferBytesDefault;
    this.recordBytesMax = options.recordBytesMax ?? recordBytesMaxDefault;
    assert(this.#bufferBytes >= markBytesSeen, 'a buffer has room for a byte order mark');
    assert(this.#bufferBytes <= this.recordBytesMax, 'a record may be as long as a buffer');
  }

  /** Bytes of ranges used up so far; of a compressed file its compressed bytes. */
  get bytesRead(): number {
    return this.#bytesOfEndedRanges + this.#bytesOfRange();
  }

  get hasRange(): boolean {
    return this.#cursor !== null;
  }

  /** The file of the range that is open. */
  get path(): string {
    return this.#open().range.path;
  }

  get block(): BlockHandle {
    return this.#block;
  }

  /** Address of the first byte that is not used up. */
  get scan(): number {
    return this.#scan;
  }

  /** Address behind the bytes that were read. */
  get filled(): number {
    return this.#filled;
  }

  /** Whether a whole record may be among the bytes that are not used up. */
  get hasRecords(): boolean {
    return this.#hasRecords;
  }

  /** Whether the bytes that were read end the file. */
  get isFileEnd(): boolean {
    const { position, bytes } = this.#open();
    return position === bytes.size;
  }

  /** Whether all records of the range are used up. */
  get isRangeEnd(): boolean {
    const { position, end } = this.#open();
    if (position < end) return false;
    return (
      this.#scan === this.#filled || (this.#borders.kind === 'own' && this.#scan >= this.limit)
    );
  }

  /** Address from which on records belong to the next range; behind `filled` where all are this range's. */
  get limit(): number {
    const { position, end } = this.#open();
    return Math.min(this.#filled - (position - end), this.#filled + 1);
  }

  /** The byte offset in the file of an address in the block. */
  offsetOf(address: number): number {
    return this.#open().position - (this.#filled - address);
  }

  /** Where to open the range again. */
  get place(): RecordPlace {
    const { isSkipping, dropBytes, markEnd } = this.#open();
    const byteOffset = this.offsetOf(this.#scan) + dropBytes;
    // With the mark ahead of it the first record is the first one again, however short the range is.
    return { byteOffset: byteOffset === markEnd ? 0 : byteOffset, isSkipping };
  }

  /** @param place - Where to go on. @defaultValue with the range's first record */
  openRange(range: FileRange, place: RecordPlace | null = null): void {
    assert(this.#cursor === null, 'the range before has ended');
    const bytes = openFileBytes(this.#context.disk, range);
    this.#scan = this.#filled;
    this.#hasRecords = false;
    const cursor: Cursor = {
      bytes,
      range,
      end: bytes.isPlain ? range.end : bytes.size,
      position: 0,
      isSkipping: false,
      dropBytes: 0,
      markEnd: 0,
    };
    this.#cursor = cursor; // Now, so that it is closed whatever happens.
    // A format may have to look at the file's start, wherever it goes on.
    const first = this.#firstPlaceOf(range);
    const { byteOffset, isSkipping } = place ?? first;
    cursor.isSkipping = isSkipping;
    if (bytes.isPlain) cursor.position = byteOffset;
    else cursor.dropBytes = byteOffset;
  }

  endRange(): void {
    const { bytes, range } = this.#open();
    if (this.#borders.kind === 'own' && range.end < range.fileSize) {
      this.#borders.checkEnd(range, this.offsetOf(this.#scan));
    }
    this.#bytesOfEndedRanges += range.end - range.start;
    this.#filled = this.#scan;
    this.#cursor = null;
    bytes.close();
  }

  /** Everything up to the address is used up. */
  use(upTo: number, hasRecords: boolean): void {
    this.#scan = upTo;
    this.#hasRecords = hasRecords;
  }

  /**
   * Reads the next bytes.
   * @param isHeld - Rows show into the block, so a full block is not left: `blockIsHeld` instead.
   */
  fill(isHeld: boolean): FillResult {
    const cursor = this.#open();
    const carried = this.#filled - this.#scan;
    // One more: the last byte may be the "\r" of a line break. A record that is whole is measured later.
    if (carried > this.recordBytesMax + 1) return 'recordIsTooLong';
    const isTail = cursor.position >= cursor.end;
    const wanted = wantedBytes(cursor, Math.max(carried, Math.min(tailBytes, this.#bufferBytes)));
    if (this.#blockEnd - this.#filled < wanted) {
      if (isHeld) return 'blockIsHeld';
      this.#moveToNewBlock(carried);
    }
    const from = this.#filled;
    const isFileStart = cursor.position === 0 && !cursor.isSkipping && cursor.dropBytes === 0;
    this.#read(cursor, Math.min(this.#blockEnd - this.#filled, wanted));
    if (!this.#drop(cursor)) return 'dropped';
    if (cursor.isSkipping) this.#skip(cursor);
    else if (isTail && this.#borders.kind === 'lines') this.#endTailAtLineBreak(cursor, from);
    else this.#hasRecords = true;
    if (isFileStart && !this.#isBinary) this.#dropByteOrderMark(cursor);
    return 'filled';
  }

  /** Passes over the record that has begun, up to the next line break. */
  skipRecord(): void {
    const cursor = this.#open();
    this.#filled = this.#scan;
    this.#hasRecords = false;
    cursor.isSkipping = cursor.position < cursor.end;
  }

  close(): void {
    const cursor = this.#cursor;
    this.#cursor = null;
    if (this.#block !== 0) this.#context.scope.memory.release(this.#block);
    this.#block = 0;
    this.#scan = this.#filled = this.#blockEnd = 0;
    cursor?.bytes.close(); // Last, for it may fail.
  }

  get #isBinary(): boolean {
    return this.#borders.kind === 'own' && this.#borders.isBinary === true;
  }

  #open(): Cursor {
    assert(this.#cursor !== null, 'a range is open');
    return this.#cursor;
  }

  #firstPlaceOf(range: FileRange): RecordPlace {
    if (this.#borders.kind === 'own') {
      return { byteOffset: this.#borders.firstRecord(range), isSkipping: false };
    }
    const isSkipping = range.start > 0;
    return { byteOffset: isSkipping ? range.start - 1 : 0, isSkipping };
  }

  #bytesOfRange(): number {
    if (this.#cursor === null) return 0;
    const { position, range, bytes } = this.#cursor;
    const used = bytes.isPlain ? position : bytes.compressedBytesRead;
    return Math.min(Math.max(used, range.start), range.end) - range.start;
  }

  #read(cursor: Cursor, size: number): void {
    const into = this.#context.scope.memory.bytes.subarray(this.#filled, this.#filled + size);
    const count = cursor.bytes.read(into, cursor.position);
    this.#filled += count;
    cursor.position += count;
    // Only now is it known how long a compressed file is.
    if (!cursor.bytes.isPlain) cursor.end = cursor.bytes.size;
  }

  /** The carried bytes are the beginning of a record that needs more room than is left. */
  #moveToNewBlock(carried: number): void {
    const { scope } = this.#context;
    // Twice the record so far: it is looked through again, so the sum stays linear.
    const sizeMax = this.recordBytesMax + this.#bufferBytes;
    const isLong = carried * 2 > this.#bufferBytes;
    const sizeBytes = isLong ? Math.min(carried * 2, sizeMax) : this.#bufferBytes;
    const block = scope.allocate(sizeBytes + spareBytes);
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
    if (index >= 0) this.#giveBack(cursor, this.#filled - (index + 1));
    this.#hasRecords = index >= 0 || cursor.position === cursor.bytes.size;
  }

  #skip(cursor: Cursor): void {
    const index = this.#indexOfLineBreak(this.#scan, this.#filled);
    cursor.isSkipping = index < 0;
    this.#scan = index < 0 ? this.#filled : index + 1;
    this.#hasRecords = index >= 0;
  }

  #indexOfLineBreak(from: number, end: number): number {
    const index = this.#context.scope.memory.bytes.subarray(from, end).indexOf(newline);
    return index < 0 ? -1 : from + index;
  }

  /** Called with the first bytes of a file, at least 4 of them where it has so many. */
  #dropByteOrderMark(cursor: Cursor): void {
    const { bytes } = this.#context.scope.memory;
    const { end } = cursor;
    const size = this.#filled - this.#scan;
    if (size >= 3 && byteOrderMark.every((byte, index) => bytes[this.#scan + index] === byte)) {
      this.#scan += byteOrderMark.length;
      cursor.markEnd = byteOrderMark.length;
      // The first record begins after the mark, and belongs to the range that has the file's start.
      cursor.end = Math.max(end, Math.min(markBytesSeen, cursor.bytes.size));
      return;
    }
    this.#giveBack(cursor, Math.max(cursor.position - end, 0));
  }

  /** Passes over bytes that are not wanted; false while there are more of them. */
  #drop(cursor: Cursor): boolean {
    const count = Math.min(cursor.dropBytes, this.#filled - this.#scan);
    this.#scan += count;
    cursor.dropBytes -= count;
    const { dropBytes, position, bytes, range } = cursor;
    if (dropBytes > 0 && position === bytes.size) throw changedError(range.path, 'became shorter');
    return dropBytes === 0;
  }

  /** The last bytes are not this range's after all. */
  #giveBack(cursor: Cursor, count: number): void {
    this.#filled -= count;
    cursor.position -= count;
  }
}

/** How many bytes are to be read next, if there is room. */
function wantedBytes({ position, end, bytes, isSkipping }: Cursor, tailMax: number): number {
  if (position >= end) return Math.min(tailMax, bytes.size - position);
  if (position > 0 || isSkipping) return end - position;
  // At a file's start enough to see a byte order mark, also in a range that is shorter.
  return Math.max(end, Math.min(markBytesSeen, bytes.size));
}
