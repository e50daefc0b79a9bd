/**
 * Map output: what a task sends through a blocking edge, in one file that all its readers share.
 *
 *     block of partition 1 │ block of 0 │ block of 1 │ … │ index │ footer      docs/formats/map-output.md
 *
 * Blocks lie in the order in which they filled up; the index lists those of each partition. So a writer
 * holds one batch being gathered per partition, and nothing is sorted or copied twice. The file gets its
 * name when it is whole: who can open it can read it to its end, or finds it damaged.
 *
 * Blocks are those of spill files, compressed and checked (engine/spill/spill-blocks.ts).
 *
 * Before: engine/shuffle/channel-output.ts. After: engine/shuffle/map-output-reader.ts.
 */
import { crc32c } from '../../base/checksum.ts';
import type { FileId, SyncDisk } from '../../base/env/disk.ts';
import { addressOf, type MemoryScope } from '../memory/slot-memory.ts';
import type { SpillBlocks } from '../spill/spill-blocks.ts';
import { spillWriteError } from '../spill/spill-errors.ts';
import type { MessageWriter } from './channel-output.ts';

/** A map output, and which attempt of which task has written it. */
export interface MapOutputFile {
  readonly path: string;
  readonly taskId: string;
  readonly attempt: number;
}

export interface MapOutputOptions {
  readonly file: MapOutputFile;
  readonly partitionCount: number;
  readonly disk: SyncDisk;
  readonly scope: MemoryScope;
  readonly blocks: SpillBlocks;
  /** Is told the bytes of every block. */
  readonly onWritten: (bytes: number) => void;
}

/** On disk: never renumber. "MAP1". */
export const footerMark = 0x3150_414d;
export const footerBytes = 16;
/** Room in front of what is written as a block, which keeps it at a multiple of 64. */
export const blockHeadroomBytes = 64;

/** The name of a map output until it is whole. */
export function hiddenPathOf(path: string): string {
  return `${path}.tmp`;
}

export class MapOutputWriter {
  readonly #options: MapOutputOptions;
  /** By partition: where its blocks begin. */
  readonly #places: number[][];
  /** By partition, as they lie on disk. */
  readonly #bytes: number[];
  #openPartitions: number;
  #file: FileId | null = null;
  /** Whether there is a file that has not got its name. */
  #isHidden = false;
  #position = 0;

  constructor(options: MapOutputOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.partitionCount }, () => []);
    this.#bytes = this.#places.map(() => 0);
    this.#openPartitions = options.partitionCount;
  }

  /** Bytes of each partition so far. */
  get partitionBytes(): readonly number[] {
    return this.#bytes;
  }

  /** Where each partition's messages go; the file is published with the last `end`. */
  partitions(): MessageWriter[] {
    return this.#places.map((places, partition) => ({
      tryWrite: (message) => {
        const before = this.#position;
        places.push(before);
        this.#write(message.byteOffset, message.length);
        this.#bytes[partition] = (this.#bytes[partition] ?? 0) + this.#position - before;
        return true;
      },
      end: () => {
        if (--this.#openPartitions === 0) this.#publish();
      },
      // A file without its name is none.
      fail: () => {},
    }));
  }

  /** Closes and removes a file that was not published; twice is once. */
  close(): void {
    if (!this.#isHidden) return;
    this.#isHidden = false;
    try {
      this.#closeFile();
    } finally {
      this.#options.disk.unlink(this.#hiddenPath);
    }
  }

  get #hiddenPath(): string {
    return hiddenPathOf(this.#options.file.path);
  }

  #publish(): void {
    const { disk, file } = this.#options;
    const index = this.#writeIndex();
    this.#attempt(() => disk.write(this.#opened(), footerOf(index), this.#position));
    this.#closeFile();
    disk.rename(this.#hiddenPath, file.path);
    this.#isHidden = false;
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = null;
    if (file !== null) this.#options.disk.close(file);
  }

  /** Counts of blocks by partition, then their places; answers where it lies. */
  #writeIndex(): number {
    const { scope } = this.#options;
    const counts = this.#places.map((places) => places.length);
    const places = this.#places.flat();
    const sizeBytes = Math.ceil((4 + counts.length * 4 + places.length * 8) / 8) * 8;
    const block = scope.allocate(blockHeadroomBytes + sizeBytes);
    try {
      const start = addressOf(block) + blockHeadroomBytes;
      const words = scope.memory.uint32.subarray(start >>> 2, (start + sizeBytes) >>> 2);
      words.fill(0);
      words.set([counts.length, ...counts]);
      for (const [at, place] of places.entries()) {
        const word = 1 + counts.length + at * 2;
        words[word] = place % 2 ** 32;
        words[word + 1] = Math.floor(place / 2 ** 32);
      }
      const index = this.#position;
      this.#write(start, sizeBytes);
      return index;
    } finally {
      scope.memory.release(block);
    }
  }

  #write(start: number, sizeBytes: number): void {
    const { blocks, file, onWritten } = this.#options;
    const opened = { id: this.#opened(), path: file.path };
    const bytes = this.#attempt(() => blocks.write(opened, this.#position, start, sizeBytes));
    this.#position += bytes;
    onWritten(bytes);
  }

  #opened(): FileId {
    const { disk, file } = this.#options;
    this.#file ??= this.#attempt(() => {
      disk.makeDir(file.path.slice(0, file.path.lastIndexOf('/')), true);
      this.#isHidden = true;
      return disk.open(this.#hiddenPath, 'replace');
    });
    return this.#file;
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw spillWriteError(error, this.#options.file.taskId, this.#position);
    }
  }
}

/** Where the index is, a mark, and a checksum of both. */
function footerOf(index: number): Uint8Array {
  const words = Uint32Array.of(index % 2 ** 32, Math.floor(index / 2 ** 32), footerMark, 0);
  const bytes = new Uint8Array(words.buffer);
  words[3] = crc32c(bytes.subarray(0, 12));
  return bytes;
}
