/**
 * The bytes of one file as its readers see them: as they are on the disk, or decompressed where the
 * file's name ends with `.gz` or `.zst`. A compressed file is read in order and in one piece, 64 KiB at
 * a time, whatever it expands to.
 */
import { assert } from '../../base/assert.ts';
import { Codec, type Compression, compressionOf } from '../../base/compression.ts';
import type { FileId, SyncDisk } from '../../base/env/disk.ts';
import type { FileRange } from '../filesystem/file-range.ts';
import { changedError, damagedError, openError } from '../filesystem/source-errors.ts';

const compressedBytesPerRead = 64 << 10;

export interface FileBytes {
  /** Whether `position` is a place in the file as it is on the disk. */
  readonly isPlain: boolean;
  /** Bytes in all; infinite until the end of a compressed file was read. */
  readonly size: number;
  /** Bytes of the file on the disk that were used up; of a compressed file. */
  readonly compressedBytesRead: number;
  /**
   * Reads into all of `into`, or as much as there is; answers with the count of bytes.
   * @throws SOURCE_CHANGED, SOURCE_DAMAGED, and the disk's errors.
   */
  read(into: Uint8Array, position: number): number;
  close(): void;
}

/** @throws SOURCE_CHANGED, SOURCE_UNREADABLE. */
export function openFileBytes(disk: SyncDisk, range: FileRange): FileBytes {
  const compression = compressionOf(range.path);
  const file = openFile(disk, range.path);
  return compression === null
    ? new PlainFileBytes(disk, file, range)
    : new CompressedFileBytes(disk, file, range, compression);
}

function openFile(disk: SyncDisk, path: string): FileId {
  try {
    return disk.open(path, 'read');
  } catch (error) {
    throw openError(path, error);
  }
}

class PlainFileBytes implements FileBytes {
  readonly isPlain = true;
  readonly size: number;
  readonly compressedBytesRead = 0;
  readonly #disk: SyncDisk;
  readonly #file: FileId;
  readonly #path: string;

  constructor(disk: SyncDisk, file: FileId, { path, fileSize }: FileRange) {
    this.#disk = disk;
    this.#file = file;
    this.#path = path;
    this.size = fileSize;
  }

  read(into: Uint8Array, position: number): number {
    const count = this.#disk.read(this.#file, into, position);
    if (count < into.length) throw changedError(this.#path, 'became shorter');
    return count;
  }

  close(): void {
    this.#disk.close(this.#file);
  }
}

class CompressedFileBytes implements FileBytes {
  readonly isPlain = false;
  readonly #disk: SyncDisk;
  readonly #file: FileId;
  readonly #range: FileRange;
  readonly #codec: Codec;
  readonly #input = new Uint8Array(compressedBytesPerRead);
  /** Bytes of the input that were used, and that there are. */
  #used = 0;
  #filled = 0;
  /** Bytes of the file that were read into the input. */
  #inputEnd = 0;
  #position = 0;
  #size = Number.POSITIVE_INFINITY;

  constructor(disk: SyncDisk, file: FileId, range: FileRange, compression: Compression) {
    this.#disk = disk;
    this.#file = file;
    this.#range = range;
    this.#codec = Codec.decompress(compression);
  }

  get size(): number {
    return this.#size;
  }

  get compressedBytesRead(): number {
    return this.#inputEnd - (this.#filled - this.#used);
  }

  read(into: Uint8Array, position: number): number {
    assert(position === this.#position, 'a compressed file is read in order');
    let count = 0;
    while (count < into.length && this.#size === Number.POSITIVE_INFINITY) {
      if (this.#used === this.#filled) this.#readInput();
      const room = into.subarray(count);
      const isLast = this.#inputEnd === this.#range.fileSize;
      const range = { from: this.#used, end: this.#filled };
      const fault = this.#codec.step(this.#input, range, room, isLast);
      if (fault !== null) throw damagedError(this.#range.path, fault);
      this.#used += this.#codec.used;
      count += this.#codec.written;
      this.#position += this.#codec.written;
      const isDone = isLast && this.#used === this.#filled && this.#codec.written < room.length;
      if (isDone) this.#size = this.#position;
    }
    return count;
  }

  close(): void {
    this.#codec.close();
    this.#disk.close(this.#file);
  }

  #readInput(): void {
    const { path, fileSize } = this.#range;
    const size = Math.min(this.#input.length, fileSize - this.#inputEnd);
    if (size === 0) return;
    const count = this.#disk.read(this.#file, this.#input.subarray(0, size), this.#inputEnd);
    if (count < size) throw changedError(path, 'became shorter');
    this.#used = 0;
    this.#filled = size;
    this.#inputEnd += size;
  }
}
