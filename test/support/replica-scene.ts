/** A datanode's replicas on a disk in memory, for tests that write, restart and damage them. */
import { crc32c } from '../../base/checksum.ts';
import type { Disk, SyncDisk } from '../../base/env/disk.ts';
import type { Env } from '../../base/env/env.ts';
import type { Replica } from '../../dfs/datanode/replicas/replica.ts';
import { ReplicaStore } from '../../dfs/datanode/replicas/replica-store.ts';
import type { ReplicaWriter } from '../../dfs/datanode/replicas/replica-writer.ts';
import { checksumsOf } from '../../dfs/transfer/chunk-checksums.ts';
import { blockContent } from '../../simulation/blocks/block-content.ts';

export const sceneChunkBytes = 512;
export const sceneOwner = {
  clusterId: 'cluster-1',
  blockPoolId: 'pool-1',
  datanodeId: 'datanode-1',
};

/** The bytes that writers of a scene write: at each place always the same, and no two chunks alike. */
export function contentOf(startBytes: number, endBytes: number, blockId = 1): Uint8Array {
  return blockContent(blockId, startBytes, endBytes);
}

/** A blocking disk with promises around it. */
export function promisedDisk(blocking: SyncDisk): Disk {
  return new Proxy(blocking, {
    get(target, name) {
      const method = target[name as keyof SyncDisk] as (...args: unknown[]) => unknown;
      return async (...args: unknown[]) => method.apply(target, args);
    },
  }) as unknown as Disk;
}

export interface StoreScene {
  readonly store: ReplicaStore;
  readonly damaged: Replica[];
  readonly failedVolumes: string[];
  readonly events: string[];
}

export async function openStore(
  env: Pick<Env, 'disk'> & Partial<Pick<Env, 'observe'>>,
  folders: readonly string[] = ['/data'],
): Promise<StoreScene> {
  const damaged: Replica[] = [];
  const failedVolumes: string[] = [];
  const events: string[] = [];
  let secretCount = 0;
  const store = await ReplicaStore.open(
    {
      disk: env.disk,
      checksum: crc32c,
      observe: {
        event: (name, fields) => {
          events.push(name);
          env.observe?.event(name, fields);
        },
      },
      secrets: { hex: () => `${secretCount++}` },
    },
    {
      ...{ folders, owner: sceneOwner, keptFreeBytes: 0 },
      onDamaged: (replica) => damaged.push(replica),
      onVolumeFailed: ({ folder }) => failedVolumes.push(folder),
    },
  );
  return { store, damaged, failedVolumes, events };
}

export function create(
  store: ReplicaStore,
  blockId: number,
  options: { readonly generationStamp?: number; readonly isTemporary?: boolean } = {},
): Promise<ReplicaWriter> {
  const { generationStamp = 1, isTemporary = false } = options;
  const chunkBytes = sceneChunkBytes;
  return store.create({ blockId, generationStamp, chunkBytes, reserveBytes: 4_096, isTemporary });
}

/** Appends the scene's bytes from where the replica ends, or from `startBytes`, up to `endBytes`. */
export async function appendTo(
  writer: ReplicaWriter,
  endBytes: number,
  startBytes = writer.replica.lengthBytes,
): Promise<void> {
  const { blockId, chunkBytes } = writer.replica;
  const bytes = contentOf(startBytes, endBytes, blockId);
  const chunkStart = startBytes - (startBytes % chunkBytes);
  const checksumBefore = crc32c(contentOf(chunkStart, startBytes, blockId));
  const run = { chunkBytes, startBytes, checksumBefore };
  await writer.append(bytes, startBytes, checksumsOf(crc32c, bytes, run));
}

/** All bytes of a replica, through a reader. */
export async function readAll(
  store: ReplicaStore,
  blockId: number,
  generationStamp = 0,
): Promise<Uint8Array> {
  const reader = await store.openReader({ blockId, generationStamp });
  try {
    const replica = store.find(blockId) as Replica;
    return (
      await store.noticingDamage(replica, () => reader.read(0, Math.max(1, reader.lengthBytes)))
    ).bytes;
  } finally {
    await reader.close();
  }
}
