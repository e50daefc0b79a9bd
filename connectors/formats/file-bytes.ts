/** The bytes of one file as its readers see them: read in order, from some place on. */
import type { FileId, SyncDisk } from '../../base/env/disk.ts';
import { codeOf } from '../../base/typed-error.ts';
import type { FileRange } from '../filesystem/file-range.ts';
import { changedError, unreadableError } from '../filesystem/source-errors.ts';

export interface FileBytes {
  /** Whether `position` is a place in the file as it is on the disk. */
  readonly isPlain: boolean;
  /** Bytes in all; infinite until the end of a compressed file was read. */
  readonly size: number;
  /** Bytes of the file on the disk that were used up; of a compressed file. */
  readonly compressedBytesRead: number;
  /**
   * Reads into all of `into`, or as much as there is; answers with the count of bytes.
   * @throws SOURCE_CHANGED, and the disk's errors.
   */
  read(into: Uint8Array, position: number): number;
  close(): void;
}

/** @throws SOURCE_CHANGED, SOURCE_UNREADABLE. */
export function openFileBytes(disk: SyncDisk, range: FileRange): FileBytes {
  return new PlainFileBytes(disk, openFile(disk, range.path), range);
}

function openFile(disk: SyncDisk, path: string): FileId {
  try {
    return disk.open(path, 'read');
  } catch (error) {
    if (codeOf(error) === 'DISK_NOT_FOUND') throw changedError(path, 'vanished', error);
    throw unreadableError('file', path, error);
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
