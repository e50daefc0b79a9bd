/**
 * Snapshot part reader: one part of a snapshot file, first its checksum, then its rows.
 *
 * Before: worker/snapshot/snapshot-file-reader.ts. After: connectors/arrow/arrow-reader.ts.
 */
import type { FileId } from '../../base/env/disk.ts';
import { createArrowReader } from '../../connectors/arrow/arrow-reader.ts';
import { scanStreamRange } from '../../connectors/arrow/arrow-stream-range.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { SnapshotPart } from '../../engine/checkpoint/task-snapshot.ts';
import type { SplitReader } from '../../engine/contracts/source.ts';
import { crcTableBytes, writeCrcTables } from '../../engine/kernels/checksum-kernels.ts';
import { addressOf } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { partReadError, snapshotDamaged } from './snapshot-errors.ts';
import type { SnapshotContext } from './snapshot-output.ts';
import { schemaOfStream, slotContextOf } from './snapshot-stream.ts';

const checkedBytes = 256 << 10;

export class SnapshotPartReader {
  readonly schema: Schema;
  readonly #path: string;
  readonly #part: SnapshotPart;
  readonly #rows: SplitReader;
  #rowCount = 0;

  /** Checks the whole part. @throws SNAPSHOT_DAMAGED; MEMORY_EXHAUSTED; errors of the disk */
  constructor(context: SnapshotContext, part: SnapshotPart) {
    const { disk, folder } = context;
    this.#path = `${folder}/${part.path}`;
    this.#part = part;
    const path = this.#path;
    const { schema, split } = this.#naming(() => {
      const id = disk.open(path, 'read');
      try {
        this.#check(context, id);
        const { schema: found, split } = scanStreamRange(disk, { id, path }, part);
        return { schema: schemaOfStream(found), split };
      } finally {
        disk.close(id);
      }
    });
    if (schema === null) throw snapshotDamaged(path, part, 'its schema can not be read');
    this.schema = schema;
    this.#rows = createArrowReader(slotContextOf(context, schema));
    this.#rows.open(split);
  }

  /** The next rows, which the caller owns; null at the end. */
  read(): Batch | null {
    for (;;) {
      const result = this.#naming(() => this.#rows.read());
      if (typeof result === 'object') {
        this.#rowCount += result.rowCount;
        return result;
      }
      if (result === 'end') break;
    }
    const { rowCount } = this.#part;
    if (this.#rowCount === rowCount) return null;
    throw snapshotDamaged(this.#path, this.#part, `it has ${this.#rowCount} rows, not ${rowCount}`);
  }

  close(): void {
    this.#rows.close();
  }

  #check({ disk, scope, kernels }: SnapshotContext, file: FileId): void {
    const { byteOffset, sizeBytes, checksum } = this.#part;
    const block = scope.allocate(crcTableBytes + checkedBytes);
    try {
      const { uint32, bytes } = scope.memory;
      const tables = addressOf(block);
      const room = tables + crcTableBytes;
      writeCrcTables(uint32, tables);
      let found = 0;
      for (let done = 0; done < sizeBytes; ) {
        const wanted = Math.min(checkedBytes, sizeBytes - done);
        const count = disk.read(file, bytes.subarray(room, room + wanted), byteOffset + done);
        if (count < wanted) throw snapshotDamaged(this.#path, this.#part, 'it ends early');
        found = kernels.crc32c(tables, room, count, found);
        done += count;
      }
      if (found >>> 0 === checksum) return;
    } finally {
      scope.memory.release(block);
    }
    throw snapshotDamaged(this.#path, this.#part, 'its checksum differs');
  }

  #naming<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw partReadError(this.#path, this.#part, error);
    }
  }
}
