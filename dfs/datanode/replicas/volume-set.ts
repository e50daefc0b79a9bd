/**
 * The volumes of a datanode: opened together, chosen by free space, taken out one by one when they fail.
 *
 * A block goes to the volume with the most room left once what other blocks have reserved is counted, so blocks that are
 * written at the same time spread by themselves; between equals the one that was used less recently.
 */
import type { Checksum } from '../../../base/checksum.ts';
import type { Disk } from '../../../base/env/disk.ts';
import type { Env } from '../../../base/env/env.ts';
import { codeOf, typedError } from '../../../base/typed-error.ts';
import type { ClusterIdentity, StorageReport } from '../../protocol/datanode-protocol.ts';
import { noSpaceError } from './replica-errors.ts';
import { formatVolume, readVolumeIdentity, Volume, type VolumeIdentity } from './volume.ts';

export interface VolumeSetOptions {
  readonly folders: readonly string[];
  /** Left free on each disk for others. */
  readonly keptFreeBytes: number;
  readonly onFailed: (volume: Volume) => void;
}

export type ReplicaEnv = Pick<Env, 'disk' | 'observe' | 'secrets'> & {
  readonly checksum: Checksum;
};

/** Who the folders say the datanode is; null when all are empty. @throws DFS_VOLUME_OTHER, DFS_VOLUME_DAMAGED */
export async function readIdentityOf(
  disk: Disk,
  folders: readonly string[],
): Promise<Omit<VolumeIdentity, 'storageId'> | null> {
  let known: VolumeIdentity | null = null;
  for (const folder of folders) {
    const identity = await readVolumeIdentity(disk, folder);
    if (identity === null) continue;
    if (known !== null && !isSameDatanode(known, identity))
      throw otherVolumeError(folder, identity, known);
    known ??= identity;
  }
  if (known === null) return null;
  const { clusterId, blockPoolId, datanodeId } = known;
  return { clusterId, blockPoolId, datanodeId };
}

export class VolumeSet {
  readonly #volumes: readonly Volume[];
  readonly #options: VolumeSetOptions;
  /** Where each volume is in the order of use. */
  readonly #lastUse = new Map<Volume, number>();
  #useCount = 0;

  private constructor(volumes: readonly Volume[], options: VolumeSetOptions) {
    this.#volumes = volumes;
    this.#options = options;
  }

  /** Opens the folders as volumes of that datanode; those that are empty become so. @throws DFS_VOLUME_OTHER */
  static async open(
    env: ReplicaEnv,
    options: VolumeSetOptions,
    owner: ClusterIdentity & { readonly datanodeId: string },
  ): Promise<VolumeSet> {
    const volumes: Volume[] = [];
    const openOne = async (folder: string): Promise<void> => {
      let identity = await readVolumeIdentity(env.disk, folder);
      if (identity === null) {
        identity = { ...owner, storageId: `storage-${env.secrets.hex(8)}` };
        await formatVolume(env.disk, folder, identity);
      }
      if (!isSameDatanode(identity, owner)) throw otherVolumeError(folder, identity, owner);
      volumes.push(new Volume(env.disk, folder, identity, options.onFailed));
    };
    for (const folder of options.folders) {
      try {
        await openOne(folder);
      } catch (error) {
        // A disk that is dead at the start is one that has failed: the others are worth having.
        if (codeOf(error) !== 'DISK_IO' || options.folders.length === 1) throw error;
        env.observe.event('datanode.volume-failed-at-start', { folder, error: String(error) });
      }
    }
    return new VolumeSet(volumes, options);
  }

  /** Those that work. */
  get working(): readonly Volume[] {
    return this.#volumes.filter(({ isFailed }) => !isFailed);
  }

  /** The volume for a block of up to so many bytes, which are reserved on it. @throws DFS_NO_SPACE */
  async reserve(neededBytes: number): Promise<Volume> {
    const { working } = this;
    const rooms = await Promise.all(working.map((volume) => this.#remainingOf(volume)));
    let best: Volume | null = null;
    let bestRoom = neededBytes - 1;
    for (const [index, volume] of working.entries()) {
      const room = rooms[index] ?? 0;
      const isUsedLess =
        best !== null && room === bestRoom && this.#useOf(volume) < this.#useOf(best);
      if (room <= bestRoom && !isUsedLess) continue;
      best = volume;
      bestRoom = room;
    }
    if (best === null) throw noSpaceError(neededBytes, working.length);
    best.reservedBytes += neededBytes;
    this.#lastUse.set(best, ++this.#useCount);
    return best;
  }

  /** @param usedBytesOf - What blocks take on a volume. */
  async reports(usedBytesOf: (volume: Volume) => number): Promise<StorageReport[]> {
    return await Promise.all(
      this.#volumes.map(async (volume) => {
        const { storageId } = volume.identity;
        const failed = {
          storageId,
          isFailed: true,
          capacityBytes: 0,
          dfsUsedBytes: 0,
          remainingBytes: 0,
        };
        if (volume.isFailed) return failed;
        try {
          const { capacityBytes } = await volume.disk.space(volume.folder);
          const remainingBytes = await volume.remainingBytes(this.#options.keptFreeBytes);
          const dfsUsedBytes = usedBytesOf(volume);
          return { storageId, isFailed: false, capacityBytes, dfsUsedBytes, remainingBytes };
        } catch (error) {
          volume.fail(error); // Not even its size can be asked for.
          return failed;
        }
      }),
    );
  }

  async #remainingOf(volume: Volume): Promise<number> {
    try {
      return await volume.remainingBytes(this.#options.keptFreeBytes);
    } catch (error) {
      volume.fail(error);
      return 0;
    }
  }

  #useOf(volume: Volume): number {
    return this.#lastUse.get(volume) ?? 0;
  }
}

type Owner = Omit<VolumeIdentity, 'storageId'>;

function isSameDatanode(a: Owner, b: Owner): boolean {
  const isSameCluster = a.clusterId === b.clusterId && a.blockPoolId === b.blockPoolId;
  return isSameCluster && a.datanodeId === b.datanodeId;
}

function otherVolumeError(folder: string, found: Owner, wanted: Owner) {
  const name = ({ clusterId, datanodeId }: Owner) =>
    `datanode ${datanodeId} of cluster ${clusterId}`;
  const message = `volume "${folder}" belongs to ${name(found)}, not to ${name(wanted)}`;
  return typedError('DFS_VOLUME_OTHER', message, {
    hint: 'Give this datanode folders of its own, or connect it to the namenode that it belongs to.',
    details: { folder, clusterId: found.clusterId, datanodeId: found.datanodeId },
  });
}
