/**
 * Snapshot output: the file of one task and checkpoint while it is written. Parts lie one behind the other; each is
 * checked by itself. The format: docs/formats/snapshot.md.
 *
 * The file is made with the first full buffer, so a snapshot without rows has none. What was made durable by `finish`
 * survives a power cut, names included.
 *
 * Before: worker/snapshot/snapshot-file-writer.ts. After: base/env/disk.ts.
 */
import { assert } from '../../base/assert.ts';
import type { FileId, SyncDisk } from '../../base/env/disk.ts';
import { OutputBuffer } from '../../connectors/formats/output-buffer.ts';
import { crcTableBytes, writeCrcTables } from '../../engine/kernels/checksum-kernels.ts';
import type { Kernels } from '../../engine/kernels/kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../engine/memory/slot-memory.ts';

/** What reading and writing of snapshots work with. */
export interface SnapshotContext {
  readonly disk: SyncDisk;
  /** The task's, under a name of its own. */
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  /** Of the job's checkpoints; all paths are below it. */
  readonly folder: string;
}

/** Where a part is in the file. */
export interface PartPlace {
  readonly byteOffset: number;
  readonly sizeBytes: number;
  readonly checksum: number;
}

export class SnapshotOutput {
  readonly path: string;
  readonly buffer: OutputBuffer;
  readonly #context: SnapshotContext;
  readonly #crcTables: BlockHandle;
  #file: FileId | null = null;
  #isMade = false;
  #position = 0;
  #partStart = 0;
  #checksum = 0;

  /**
   * @param path - Below the folder.
   * @throws MEMORY_EXHAUSTED
   */
  constructor(context: SnapshotContext, path: string, bufferBytes?: number) {
    const { scope } = context;
    this.#context = context;
    this.path = path;
    this.#crcTables = scope.allocate(crcTableBytes);
    try {
      this.buffer = new OutputBuffer(scope, (bytes) => this.#write(bytes), bufferBytes);
    } catch (error) {
      scope.memory.release(this.#crcTables);
      throw error;
    }
    writeCrcTables(scope.memory.uint32, addressOf(this.#crcTables));
  }

  /** Bytes on disk so far; what is in the buffer comes to them. */
  get sizeBytes(): number {
    return this.#position;
  }

  /** Ends a part: what was written since the last one. */
  cut(): PartPlace {
    this.buffer.flush();
    const byteOffset = this.#partStart;
    const place = {
      byteOffset,
      sizeBytes: this.#position - byteOffset,
      checksum: this.#checksum >>> 0,
    };
    this.#partStart = this.#position;
    this.#checksum = 0;
    return place;
  }

  /** Makes the file durable and closes it. */
  finish(): void {
    assert(this.#position === this.#partStart, 'a file ends with a part');
    if (this.#file !== null) {
      this.#context.disk.fsync(this.#file);
      this.#closeFile();
      this.#syncFolders();
    }
    this.#release();
  }

  /** Gives up, and removes what there is of the file. */
  abort(): void {
    this.#release();
    try {
      this.#closeFile();
    } finally {
      if (this.#isMade) this.#context.disk.unlink(this.#fullPath);
    }
  }

  get #fullPath(): string {
    return `${this.#context.folder}/${this.path}`;
  }

  #write(bytes: Uint8Array): void {
    const { disk, kernels } = this.#context;
    this.#file ??= this.#open();
    disk.write(this.#file, bytes, this.#position);
    const tables = addressOf(this.#crcTables);
    this.#checksum = kernels.crc32c(tables, bytes.byteOffset, bytes.length, this.#checksum);
    this.#position += bytes.length;
  }

  #open(): FileId {
    const { disk } = this.#context;
    disk.makeDir(parentOf(this.#fullPath));
    const file = disk.open(this.#fullPath, 'createNew');
    this.#isMade = true;
    return file;
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = null;
    if (file !== null) this.#context.disk.close(file);
  }

  /** Of the file's name, and of the names of folders that may be new. */
  #syncFolders(): void {
    const { disk, folder } = this.#context;
    let path = this.#fullPath;
    do {
      path = parentOf(path);
      disk.syncDir(path);
    } while (path.length > folder.length);
  }

  #release(): void {
    this.buffer.close();
    this.#context.scope.memory.release(this.#crcTables);
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
