/**
 * A volume: one folder on one disk, with an identity that it keeps.
 *
 *     <folder>/volume              who it is, and whose cluster's blocks it has
 *     <folder>/blocks/<xx>/        blk_<id> and blk_<id>.meta, spread over 256 folders by the last byte of the id
 *
 * A write or fsync that fails takes the volume out for good: what the system still has of it is in doubt, and asking again
 * would be answered with success (Linux calls pages clean after a failed fsync). A full disk is no failure. A read that fails may be one bad
 * sector: the volume has to prove by a small file that it still takes writes.
 *
 * On disk: docs/formats/replica.md.
 */
import { decodeChecked, encodeChecked } from '../../../base/checked-text.ts';
import type { Disk } from '../../../base/env/disk.ts';
import { createWholeFile, putWholeFile, readWholeFile } from '../../../base/env/whole-files.ts';
import { codeOf, typedError } from '../../../base/typed-error.ts';
import type { ClusterIdentity } from '../../protocol/datanode-protocol.ts';
import { volumeFailedError } from './replica-errors.ts';

/** What a volume says of itself. */
export interface VolumeIdentity extends ClusterIdentity {
  readonly datanodeId: string;
  readonly storageId: string;
}

export interface ReplicaPaths {
  readonly folder: string;
  readonly block: string;
  readonly meta: string;
}

const identityFormat = 'millrace-datanode-volume-1'; // On disk: never renumber.

/** The identity of a folder; null when it is no volume yet. @throws DFS_VOLUME_DAMAGED */
export async function readVolumeIdentity(
  disk: Disk,
  folder: string,
): Promise<VolumeIdentity | null> {
  const bytes = await readWholeFile(disk, `${folder}/volume`);
  if (bytes === null) return null;
  const body = decodeChecked(identityFormat, bytes);
  if (body === null) {
    throw typedError('DFS_VOLUME_DAMAGED', `file "${folder}/volume" is damaged`, {
      hint: 'Without it nobody knows whose blocks these are. Start the datanode without this volume; its blocks are copied from other replicas.',
      details: { folder },
    });
  }
  return JSON.parse(body);
}

/** Makes a folder a volume; it must not be one. */
export async function formatVolume(
  disk: Disk,
  folder: string,
  identity: VolumeIdentity,
): Promise<void> {
  await disk.makeDir(`${folder}/blocks`);
  await disk.syncDir(folder);
  const { clusterId, blockPoolId, datanodeId, storageId } = identity;
  const body = JSON.stringify({ clusterId, blockPoolId, datanodeId, storageId });
  await disk.unlink(`${folder}/volume.next`);
  const place = { path: `${folder}/volume`, hidden: `${folder}/volume.next` };
  await putWholeFile(disk, place, encodeChecked(identityFormat, body));
}

export class Volume {
  readonly folder: string;
  readonly identity: VolumeIdentity;
  /** The disk, watched: what fails here may take the volume out. */
  readonly disk: Disk;
  /** For blocks that are being written: what they may still need. */
  reservedBytes = 0;
  failure: unknown = null;
  readonly #rawDisk: Disk;
  readonly #onFailed: (volume: Volume) => void;
  readonly #knownFolders = new Set<string>();
  #probe: Promise<void> | null = null;

  constructor(
    disk: Disk,
    folder: string,
    identity: VolumeIdentity,
    onFailed: (volume: Volume) => void,
  ) {
    this.folder = folder;
    this.identity = identity;
    this.#rawDisk = disk;
    this.#onFailed = onFailed;
    this.disk = this.#watched(disk);
  }

  get isFailed(): boolean {
    return this.failure !== null;
  }

  pathsOf(blockId: number): ReplicaPaths {
    const folder = `${this.folder}/blocks/${(blockId % 256).toString(16).padStart(2, '0')}`;
    return { folder, block: `${folder}/blk_${blockId}`, meta: `${folder}/blk_${blockId}.meta` };
  }

  /** Makes the folder of a block, durably, when it is the first one there. */
  async makeFolderOf({ folder }: ReplicaPaths): Promise<void> {
    if (this.#knownFolders.has(folder)) return;
    await this.disk.makeDir(folder);
    await this.disk.syncDir(`${this.folder}/blocks`);
    this.#knownFolders.add(folder);
  }

  /** Free for blocks that are still to come. */
  async remainingBytes(keptFreeBytes: number): Promise<number> {
    const { freeBytes } = await this.disk.space(this.folder);
    return Math.max(0, freeBytes - keptFreeBytes - this.reservedBytes);
  }

  /** Takes the volume out; every later call on its disk says so. */
  fail(cause: unknown): void {
    if (this.isFailed) return;
    this.failure = cause;
    this.#onFailed(this);
  }

  #watched(disk: Disk): Disk {
    return new Proxy(disk, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          // A file that is open is closed all the same.
          if (this.isFailed && name !== 'close') throw volumeFailedError(this.folder, this.failure);
          try {
            return await Reflect.apply(method, target, args);
          } catch (error) {
            await this.#judge(String(name), error);
            throw error;
          }
        };
      },
    });
  }

  /** Whether what a call has met speaks against the volume as a whole. */
  async #judge(call: string, error: unknown): Promise<void> {
    const code = codeOf(error);
    if (code !== 'DISK_IO' && code !== 'DISK_PERMISSION') return;
    if (call !== 'read') this.fail(error);
    else await this.#proveWritable();
  }

  #proveWritable(): Promise<void> {
    this.#probe ??= this.#writeProbe().finally(() => {
      this.#probe = null;
    });
    return this.#probe;
  }

  async #writeProbe(): Promise<void> {
    const path = `${this.folder}/probe`;
    try {
      await this.#rawDisk.unlink(path);
      await createWholeFile(this.#rawDisk, path, new Uint8Array(512));
      await this.#rawDisk.unlink(path);
    } catch (error) {
      if (codeOf(error) !== 'DISK_FULL') this.fail(error);
    }
  }
}
