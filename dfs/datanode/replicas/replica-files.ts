/**
 * The two open files of a replica that is being written, and which of the two records may be overwritten.
 *
 * The order of what becomes durable: bytes and their checksums, then the record that promises them. A record that is durable
 * is a promise kept, so the next one goes to the other place until it is durable itself.
 *
 * Before: dfs/datanode/replicas/meta-format.ts. After: dfs/datanode/replicas/replica-writer.ts.
 */
import type { Checksum } from '../../../base/checksum.ts';
import type { Disk, FileId } from '../../../base/env/disk.ts';
import {
  encodeChecksums,
  encodeMetaHeader,
  encodeRecord,
  headerChecksumOf,
  type MetaHeader,
  metaBytesOf,
  metaPrefixBytes,
  type ReplicaRecord,
  recordStarts,
} from './meta-format.ts';
import type { ReplicaPaths } from './volume.ts';

/** Of a record that is still to be written. */
export type UnnumberedRecord = Omit<ReplicaRecord, 'sequence'>;

export interface OpenedMeta {
  readonly header: MetaHeader;
  readonly headerChecksum: number;
  /** Of the newest record. */
  readonly sequence: number;
  readonly newestPlace: 0 | 1;
}

export class ReplicaFiles {
  readonly #disk: Disk;
  readonly #checksum: Checksum;
  readonly #block: FileId;
  readonly #meta: FileId;
  readonly #chunkBytes: number;
  readonly #headerChecksum: number;
  #sequence: number;
  /** Holds the promise that counts; never written. */
  #promisedPlace: 0 | 1;

  private constructor(
    disk: Disk,
    checksum: Checksum,
    files: { readonly block: FileId; readonly meta: FileId },
    opened: OpenedMeta,
  ) {
    this.#disk = disk;
    this.#checksum = checksum;
    this.#block = files.block;
    this.#meta = files.meta;
    this.#chunkBytes = opened.header.chunkBytes;
    this.#headerChecksum = opened.headerChecksum;
    this.#sequence = opened.sequence;
    this.#promisedPlace = opened.newestPlace;
  }

  /** Makes the files, empty but for header and first record; whatever had their names is replaced. */
  static async create(
    disk: Disk,
    checksum: Checksum,
    paths: ReplicaPaths,
    header: MetaHeader,
    first: UnnumberedRecord,
  ): Promise<ReplicaFiles> {
    const encoded = encodeMetaHeader(checksum, header);
    const headerChecksum = headerChecksumOf(encoded);
    const prefix = new Uint8Array(metaPrefixBytes);
    prefix.set(encoded);
    prefix.set(encodeRecord(checksum, headerChecksum, { ...first, sequence: 1 }), recordStarts[0]);
    await removeFiles(disk, paths);
    const files = await openBoth(disk, paths);
    await closingOnFailure(disk, files, () => disk.write(files.meta, prefix, 0));
    const opened = { header, headerChecksum, sequence: 1, newestPlace: 0 } as const;
    return new ReplicaFiles(disk, checksum, files, opened);
  }

  /** Opens what is there, and makes it durable: afterwards the newest record is a promise that counts. */
  static async open(
    disk: Disk,
    checksum: Checksum,
    paths: ReplicaPaths,
    opened: OpenedMeta,
  ): Promise<ReplicaFiles> {
    const files = await openBoth(disk, paths);
    await closingOnFailure(disk, files, async () => {
      await disk.fsync(files.block);
      await disk.fsync(files.meta);
      await disk.syncDir(paths.folder);
    });
    return new ReplicaFiles(disk, checksum, files, opened);
  }

  /**
   * Bytes at a position, with the checksums of the chunks that are complete with them; `record` where the last chunk is not.
   * All of it is written, or has failed, when the answer comes: nothing goes on behind the back of the next call.
   */
  async writeRun(
    bytes: Uint8Array,
    startBytes: number,
    complete: Uint32Array,
    record: UnnumberedRecord | null,
  ): Promise<void> {
    const writes = [this.#disk.write(this.#block, bytes, startBytes)];
    if (complete.length > 0) {
      const at = metaBytesOf(startBytes, this.#chunkBytes);
      writes.push(this.#disk.write(this.#meta, encodeChecksums(complete), at));
    }
    for (const outcome of await Promise.allSettled(writes)) {
      if (outcome.status === 'rejected') throw outcome.reason;
    }
    // Last: it takes the place of the record of the bytes before, which a process that dies here still needs.
    if (record !== null) await this.#writeRecordAt(otherPlace(this.#promisedPlace), record);
  }

  /** Puts a record in the place that is free and makes it the promise that counts. */
  async promise(record: UnnumberedRecord): Promise<void> {
    await this.#writeRecordAt(otherPlace(this.#promisedPlace), record);
    await this.#disk.fsync(this.#meta);
    this.#promisedPlace = otherPlace(this.#promisedPlace);
  }

  /** Puts a record in both places, one after the other; at once when nothing has been promised yet. */
  async promiseTwice(record: UnnumberedRecord, isFirst: boolean): Promise<void> {
    if (!isFirst) await this.promise(record);
    else await this.#writeRecordAt(otherPlace(this.#promisedPlace), record);
    await this.#writeRecordAt(
      isFirst ? this.#promisedPlace : otherPlace(this.#promisedPlace),
      record,
    );
    await this.#disk.fsync(this.#meta);
  }

  /** Bytes and checksums; a record that promises them comes behind it, for a power cut may keep it and lose them. */
  async syncRuns(): Promise<void> {
    await Promise.all([this.#disk.fsync(this.#block), this.#disk.fsync(this.#meta)]);
  }

  /** What is behind the length goes, of both files. */
  async cutTo(lengthBytes: number): Promise<void> {
    await this.#disk.truncate(this.#block, lengthBytes);
    await this.#disk.truncate(this.#meta, metaBytesOf(lengthBytes, this.#chunkBytes));
  }

  async close(): Promise<void> {
    await closeBoth(this.#disk, { block: this.#block, meta: this.#meta });
  }

  async #writeRecordAt(place: 0 | 1, record: UnnumberedRecord): Promise<void> {
    const encoded = encodeRecord(this.#checksum, this.#headerChecksum, {
      ...record,
      sequence: ++this.#sequence,
    });
    await this.#disk.write(this.#meta, encoded, recordStarts[place]);
  }
}

/** Removes both files: the block first, for a block file alone could be anything, and nobody would dare to remove it. */
export async function removeFiles(disk: Disk, paths: ReplicaPaths): Promise<void> {
  await disk.unlink(paths.block);
  await disk.unlink(paths.meta);
}

function otherPlace(place: 0 | 1): 0 | 1 {
  return place === 0 ? 1 : 0;
}

async function openBoth(disk: Disk, { block, meta }: ReplicaPaths) {
  const metaFile = await disk.open(meta, 'update');
  try {
    return { meta: metaFile, block: await disk.open(block, 'update') };
  } catch (error) {
    await disk.close(metaFile);
    throw error;
  }
}

async function closingOnFailure(
  disk: Disk,
  files: { readonly block: FileId; readonly meta: FileId },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    await closeBoth(disk, files);
    throw error;
  }
}

async function closeBoth(
  disk: Disk,
  files: { readonly block: FileId; readonly meta: FileId },
): Promise<void> {
  await Promise.allSettled([disk.close(files.block), disk.close(files.meta)]);
}
