/**
 * Reading a replica: nothing leaves it whose checksum was not compared with the bytes just read.
 *
 *     asked for    │      [················]            any range of the visible bytes
 *     read         │ [chunk][chunk][chunk][chu          whole chunks, with their checksums
 *     handed on    │ [chunk][chunk][chunk][chu          so that whoever gets it can verify it again
 *
 * A replica that changes meanwhile only grows, and what was there when it was opened is read as it was then; where a
 * recovery has cut it, reading ends with DFS_REPLICA_STALE, which is no damage.
 *
 * Before: dfs/datanode/replicas/replica-store.ts.
 */
import type { Checksum } from '../../../base/checksum.ts';
import type { FileId } from '../../../base/env/disk.ts';
import { codeOf } from '../../../base/typed-error.ts';
import { damagedChunkOf } from '../../transfer/chunk-checksums.ts';
import {
  checksumBytes,
  type DecodedMeta,
  decodeChecksums,
  decodeMeta,
  metaBytesOf,
  metaPrefixBytes,
  type ReplicaRecord,
} from './meta-format.ts';
import type { Replica } from './replica.ts';
import { replicaDamagedError, replicaStaleError } from './replica-errors.ts';

/** Verified bytes: from the first byte of a chunk to the end of one, or of what is visible in it. */
export interface VerifiedRun {
  readonly startBytes: number;
  readonly bytes: Uint8Array;
  /** One per chunk. */
  readonly sums: Uint32Array;
}

export class ReplicaReader {
  readonly replica: Replica;
  readonly #checksum: Checksum;
  readonly #files: { readonly block: FileId; readonly meta: FileId };
  readonly #generationStamp: number;
  readonly #lengthBytes: number;
  readonly #tailChecksum: number;

  private constructor(
    replica: Replica,
    checksum: Checksum,
    files: { readonly block: FileId; readonly meta: FileId },
  ) {
    this.replica = replica;
    this.#checksum = checksum;
    this.#files = files;
    this.#generationStamp = replica.generationStamp;
    this.#lengthBytes = replica.lengthBytes;
    this.#tailChecksum = replica.tailChecksum;
  }

  /**
   * Opens a replica as long as it is now; a finalized one is compared with what its meta file says of it.
   * @throws DFS_REPLICA_DAMAGED
   */
  static async open(replica: Replica, checksum: Checksum): Promise<ReplicaReader> {
    const { disk } = replica.volume;
    const { block, meta } = replica.paths;
    const blockFile = await openToRead(replica, block);
    try {
      const files = { block: blockFile, meta: await openToRead(replica, meta) };
      const reader = new ReplicaReader(replica, checksum, files);
      try {
        if (replica.state === 'finalized') await reader.#checkFinalized();
      } catch (error) {
        await disk.close(files.meta);
        throw error;
      }
      return reader;
    } catch (error) {
      await disk.close(blockFile);
      throw error;
    }
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** The chunks that a range meets, verified. @throws DFS_REPLICA_DAMAGED, DFS_REPLICA_STALE */
  async read(startBytes: number, lengthBytes: number): Promise<VerifiedRun> {
    const { chunkBytes } = this.replica;
    const firstChunk = Math.floor(startBytes / chunkBytes);
    const from = firstChunk * chunkBytes;
    const wantedEnd = Math.ceil((startBytes + lengthBytes) / chunkBytes) * chunkBytes;
    const end = Math.min(wantedEnd, this.#lengthBytes);
    const bytes = new Uint8Array(Math.max(0, end - from));
    const stored = new Uint8Array((Math.floor(end / chunkBytes) - firstChunk) * checksumBytes);
    const [blockCount, metaCount] = await Promise.all([
      this.#readFile(this.#files.block, bytes, from),
      this.#readFile(this.#files.meta, stored, metaBytesOf(from, chunkBytes)),
    ]);
    if (blockCount < bytes.length) this.#fail('its block file is too short', from + blockCount);
    if (metaCount < stored.length) this.#fail('its meta file is too short', from);

    const hasTail = end % chunkBytes !== 0;
    const sums = new Uint32Array(stored.length / checksumBytes + (hasTail ? 1 : 0));
    sums.set(decodeChecksums(stored));
    if (hasTail) sums[sums.length - 1] = this.#tailChecksum;
    const run = { chunkBytes, startBytes: from, checksumBefore: 0 };
    const damagedAt = damagedChunkOf(this.#checksum, bytes, run, sums);
    if (damagedAt !== null) this.#fail('a chunk does not have its checksum', damagedAt);
    return { startBytes: from, bytes, sums };
  }

  async close(): Promise<void> {
    const { disk } = this.replica.volume;
    await disk.close(this.#files.block);
    await disk.close(this.#files.meta);
  }

  /** A sector that can't be read damages the replica, unless its whole volume has failed. */
  async #readFile(file: FileId, into: Uint8Array, position: number): Promise<number> {
    const { volume } = this.replica;
    try {
      return await volume.disk.read(file, into, position);
    } catch (error) {
      if (codeOf(error) !== 'DISK_IO' || volume.isFailed) throw error;
      return this.#fail('a part of it can not be read', position);
    }
  }

  async #checkFinalized(): Promise<void> {
    const { volume, paths } = this.replica;
    const prefix = new Uint8Array(metaPrefixBytes);
    const count = await this.#readFile(this.#files.meta, prefix, 0);
    const decoded = decodeMeta(this.#checksum, prefix.subarray(0, count));
    if (typeof decoded === 'string') this.#fail(decoded);
    const objection = objectionTo(decoded, this.replica);
    if (objection !== null) this.#fail(objection);
    const blockBytes = (await volume.disk.stat(paths.block))?.sizeBytes ?? 0;
    const metaBytes = (await volume.disk.stat(paths.meta))?.sizeBytes ?? 0;
    const wrong = sizeObjectionTo(this.#lengthBytes, this.replica.chunkBytes, {
      blockBytes,
      metaBytes,
    });
    if (wrong !== null) this.#fail(wrong);
  }

  #fail(reason: string, byteOffset?: number): never {
    const { blockId, paths, generationStamp, state } = this.replica;
    const isChanged = generationStamp !== this.#generationStamp || state === 'under-recovery';
    if (isChanged || this.replica.lengthBytes < this.#lengthBytes) {
      throw replicaStaleError(blockId, 'was recovered while it was read');
    }
    throw replicaDamagedError(blockId, paths.block, reason, byteOffset);
  }
}

/** What speaks against a meta file being that of a finalized replica; null: nothing. */
function objectionTo({ header, records }: DecodedMeta, replica: Replica): string | null {
  if (header.blockId !== replica.blockId || header.chunkBytes !== replica.chunkBytes) {
    return `its meta file is that of block ${header.blockId}`;
  }
  const isSame = (record: ReplicaRecord | null): boolean =>
    record?.state === 'finalized' &&
    record.generationStamp === replica.generationStamp &&
    record.lengthBytes === replica.lengthBytes &&
    record.tailChecksum === replica.tailChecksum;
  const [a, b] = records;
  if (a === null || b === null) return 'a record of its meta file is damaged';
  return isSame(a) && isSame(b) ? null : 'its meta file is an older one';
}

/** What speaks against the sizes of the files of a finalized replica; null: nothing. */
export function sizeObjectionTo(
  lengthBytes: number,
  chunkBytes: number,
  sizes: { readonly blockBytes: number; readonly metaBytes: number },
): string | null {
  if (sizes.blockBytes !== lengthBytes) {
    return `its block file has ${sizes.blockBytes} bytes and should have ${lengthBytes}`;
  }
  const metaBytes = metaBytesOf(lengthBytes, chunkBytes);
  if (sizes.metaBytes === metaBytes) return null;
  return `its meta file has ${sizes.metaBytes} bytes and should have ${metaBytes}`;
}

async function openToRead({ blockId, volume }: Replica, path: string): Promise<FileId> {
  try {
    return await volume.disk.open(path, 'read');
  } catch (error) {
    if (codeOf(error) !== 'DISK_NOT_FOUND') throw error;
    throw replicaDamagedError(blockId, path, 'a file of it is gone');
  }
}
