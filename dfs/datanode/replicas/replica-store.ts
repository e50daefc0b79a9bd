/**
 * The replicas of a datanode, over all its volumes: what there is, who may write it, and what a recovery does to it.
 *
 *     start     every volume is scanned (replica-scan.ts); what was being written waits to be recovered
 *     create    a new replica, on the volume with the most room
 *     reopen    the next writer of a replica, under a new generation stamp: a pipeline that lost a node, or an append
 *     recover   begin: the writer is stopped, length and stamp are told; update: cut to what was agreed on, finalized
 *
 * Invariants:
 * - At most one replica per block, at most one writer per replica; a generation stamp only grows.
 * - No call with an older stamp than the replica's changes or shows anything.
 * - What is known to be damaged is not reopened, recovered or copied; its chunks that are right can still be read.
 *
 * Before: dfs/datanode/replicas/replica-writer.ts. After: dfs/datanode/replicas/replica-reader.ts.
 */
import { codeOf } from '../../../base/typed-error.ts';
import type { Block, ReplicaState } from '../../protocol/block.ts';
import type { ClusterIdentity, StorageReport } from '../../protocol/datanode-protocol.ts';
import { metaBytesOf } from './meta-format.ts';
import { blockOf, type Replica } from './replica.ts';
import {
  replicaDamagedError,
  replicaExistsError,
  replicaNotFoundError,
  replicaStaleError,
  replicaStateError,
  volumeFailedError,
  writerReplacedError,
} from './replica-errors.ts';
import { ReplicaFiles, removeFiles } from './replica-files.ts';
import { ReplicaReader } from './replica-reader.ts';
import { blockIdsOf, inspectReplica, readOpenedMeta } from './replica-scan.ts';
import { ReplicaWriter } from './replica-writer.ts';
import type { ReplicaPaths, Volume } from './volume.ts';
import { type ReplicaEnv, VolumeSet } from './volume-set.ts';

export interface ReplicaStoreOptions {
  readonly folders: readonly string[];
  readonly owner: ClusterIdentity & { readonly datanodeId: string };
  readonly keptFreeBytes: number;
  /** A replica was found to be damaged; once for each. */
  readonly onDamaged: (replica: Replica) => void;
  /** A volume was taken out, and its replicas with it. */
  readonly onVolumeFailed: (volume: Volume) => void;
}

export interface CreateOptions {
  readonly blockId: number;
  readonly generationStamp: number;
  readonly chunkBytes: number;
  /** Room for so many bytes is kept until it is finalized. */
  readonly reserveBytes: number;
  /** A copy of a finalized replica, not the target of a pipeline. */
  readonly isTemporary: boolean;
}

/** What a replica has to say to a recovery. */
export interface RecoveryInfo extends Block {
  readonly state: ReplicaState;
}

export class ReplicaStore {
  readonly #env: ReplicaEnv;
  readonly #options: ReplicaStoreOptions;
  readonly #replicas = new Map<number, Replica>();
  #volumes: VolumeSet | null = null;
  #lastVolumeFailure: unknown = null;

  private constructor(env: ReplicaEnv, options: ReplicaStoreOptions) {
    this.#env = env;
    this.#options = options;
  }

  /** Opens the volumes and scans them. @throws DFS_VOLUME_FAILED when none works, DFS_VOLUME_OTHER */
  static async open(env: ReplicaEnv, options: ReplicaStoreOptions): Promise<ReplicaStore> {
    const store = new ReplicaStore(env, options);
    const { folders, keptFreeBytes, owner } = options;
    const onFailed = (volume: Volume) => store.#dropVolume(volume);
    store.#volumes = await VolumeSet.open(env, { folders, keptFreeBytes, onFailed }, owner);
    for (const volume of store.#set.working) {
      try {
        await store.#scan(volume);
      } catch (error) {
        if (!volume.isFailed) throw error;
        env.observe.event('datanode.volume-failed-at-start', { error: String(error) });
      }
    }
    if (store.#set.working.length === 0) {
      throw volumeFailedError(folders.join(', '), store.#lastVolumeFailure);
    }
    return store;
  }

  /** All replicas, in the order of their ids. */
  replicas(): Replica[] {
    return [...this.#replicas.values()].sort((a, b) => a.blockId - b.blockId);
  }

  find(blockId: number): Replica | null {
    return this.#replicas.get(blockId) ?? null;
  }

  get workingVolumes(): readonly Volume[] {
    return this.#set.working;
  }

  storageReports(): Promise<StorageReport[]> {
    return this.#set.reports((volume) => {
      let bytes = 0;
      for (const replica of this.#replicas.values()) {
        if (replica.volume !== volume) continue;
        bytes += replica.lengthBytes + metaBytesOf(replica.lengthBytes, replica.chunkBytes);
      }
      return bytes;
    });
  }

  /** @throws DFS_REPLICA_EXISTS, DFS_NO_SPACE */
  async create(options: CreateOptions): Promise<ReplicaWriter> {
    const { blockId, generationStamp, chunkBytes, reserveBytes } = options;
    await this.#makeWay(blockId, generationStamp);
    const volume = await this.#set.reserve(reserveBytes);
    const paths = volume.pathsOf(blockId);
    const state = options.isTemporary ? 'temporary' : 'being-written';
    const replica: Replica = {
      ...{ blockId, chunkBytes, volume, paths, state, generationStamp },
      ...{ lengthBytes: 0, tailChecksum: 0, visibleBytes: 0 },
      ...{ writer: null, recovery: null, damage: null },
    };
    const release = () => {
      volume.reservedBytes -= reserveBytes;
    };
    const isTaken = this.#replicas.has(blockId);
    if (isTaken) {
      release();
      throw replicaExistsError(blockId, 'just being made');
    }
    this.#replicas.set(blockId, replica); // At once: two that create it at the same time must not both go on.
    try {
      await volume.makeFolderOf(paths);
      const files = await ReplicaFiles.create(
        volume.disk,
        this.#env.checksum,
        paths,
        { blockId, chunkBytes },
        {
          state: options.isTemporary ? 'temporary' : 'writing',
          ...{ generationStamp, lengthBytes: 0, syncedBytes: 0, tailChecksum: 0 },
        },
      );
      if (this.#replicas.get(blockId) !== replica) {
        await files.close();
        await removeFiles(volume.disk, paths);
        throw writerReplacedError(blockId);
      }
      return this.#writerOf(replica, files, null, release);
    } catch (error) {
      if (this.#replicas.get(blockId) === replica) this.#replicas.delete(blockId);
      release();
      throw error;
    }
  }

  /**
   * The next writer of a replica, under a new generation stamp; the one before is stopped, and what it wrote stays.
   *
   * @param block - As the caller knows it: the stamp that it had at most, the length that it has at least.
   */
  async reopen(block: Block, generationStamp: number): Promise<ReplicaWriter> {
    const replica = this.#get(block.blockId);
    if (replica.state === 'temporary') {
      throw replicaStateError(block.blockId, replica.state, 'written');
    }
    checkIsNewer(replica, generationStamp);
    const writer = await this.#takeOver(replica);
    await stoppingOnFailure(writer, async () => {
      checkIsNewer(replica, generationStamp); // A recovery may have begun meanwhile.
      if (replica.lengthBytes < block.lengthBytes) {
        const has = `has ${replica.lengthBytes} bytes, and ${block.lengthBytes} were acknowledged`;
        throw replicaStaleError(block.blockId, has);
      }
      await writer.renew(generationStamp);
    });
    replica.recovery = null;
    return writer;
  }

  /** A reader of the version that the caller means. @throws DFS_REPLICA_NOT_FOUND, DFS_REPLICA_STALE, DFS_REPLICA_DAMAGED */
  async openReader(block: Pick<Block, 'blockId' | 'generationStamp'>): Promise<ReplicaReader> {
    const replica = this.#get(block.blockId);
    if (replica.state === 'temporary') throw replicaNotFoundError(block.blockId);
    if (replica.generationStamp < block.generationStamp) {
      throw replicaStaleError(
        block.blockId,
        `has generation stamp ${replica.generationStamp}, an older one`,
      );
    }
    return await this.noticingDamage(replica, () =>
      ReplicaReader.open(replica, this.#env.checksum),
    );
  }

  /** Carries out a read; what it finds to be damaged is kept in mind and told. */
  async noticingDamage<T>(replica: Replica, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isGone = this.#replicas.get(replica.blockId) !== replica;
      if (codeOf(error) === 'DFS_REPLICA_DAMAGED' && !isGone)
        this.markDamaged(replica, String(error));
      throw error;
    }
  }

  markDamaged(replica: Replica, reason: string): void {
    if (replica.damage !== null) return;
    replica.damage = reason;
    this.#options.onDamaged(replica);
  }

  /**
   * A recovery has the replica from now on: its writer is stopped, and it says what it is.
   * @throws DFS_REPLICA_STALE when a newer recovery or writer has it
   */
  async beginRecovery(blockId: number, recoveryId: number): Promise<RecoveryInfo> {
    const replica = this.#get(blockId);
    if (replica.state === 'temporary') throw replicaNotFoundError(blockId);
    this.#checkUsable(replica);
    while (replica.writer !== null) await replica.writer.stop();
    if (recoveryId !== replica.recovery?.id) checkIsNewer(replica, recoveryId); // Else it is asked again.
    const stateBefore = replica.recovery?.stateBefore ?? replica.state;
    replica.recovery = { id: recoveryId, stateBefore };
    replica.state = 'under-recovery';
    return { ...blockOf(replica), state: stateBefore };
  }

  /** Ends the recovery: the replica has that length and the recovery's id as its stamp, and is finalized. */
  async updateRecovered(
    blockId: number,
    recoveryId: number,
    lengthBytes: number,
  ): Promise<Replica> {
    const replica = this.#get(blockId);
    const isDone = replica.state === 'finalized' && replica.generationStamp === recoveryId;
    if (isDone && replica.lengthBytes === lengthBytes) return replica; // It is asked again.
    checkIsUnder(replica, recoveryId);
    if (lengthBytes > replica.lengthBytes) {
      throw replicaStaleError(blockId, `has ${replica.lengthBytes} bytes, not ${lengthBytes}`);
    }
    const tailChecksum = await this.#tailChecksumAt(replica, lengthBytes);
    const writer = await this.#takeOver(replica);
    await stoppingOnFailure(writer, async () => {
      checkIsUnder(replica, recoveryId);
      await writer.cutAndFinalize(recoveryId, lengthBytes, tailChecksum);
    });
    replica.recovery = null;
    return replica;
  }

  /** Removes a replica that has at most that generation stamp. @returns Null when there is none such. */
  async delete(blockId: number, generationStampMax: number): Promise<Replica | null> {
    const replica = this.find(blockId);
    if (replica === null || replica.generationStamp > generationStampMax) return null;
    this.#replicas.delete(blockId);
    await replica.writer?.stop();
    await removeFiles(replica.volume.disk, replica.paths);
    return replica;
  }

  get #set(): VolumeSet {
    if (this.#volumes === null) throw new Error('assertion failed: the store is open');
    return this.#volumes;
  }

  #get(blockId: number): Replica {
    const replica = this.#replicas.get(blockId);
    if (replica === undefined) throw replicaNotFoundError(blockId);
    return replica;
  }

  #checkUsable({ blockId, paths, damage }: Replica): void {
    if (damage !== null) throw replicaDamagedError(blockId, paths.block, damage);
  }

  /** What is in the way of a new replica: one of an older stamp that nobody needs goes. */
  async #makeWay(blockId: number, generationStamp: number): Promise<void> {
    const old = this.find(blockId);
    if (old === null) return;
    const isWorthless = old.damage !== null || (old.state === 'temporary' && old.writer === null);
    if (!isWorthless && old.generationStamp >= generationStamp) {
      throw replicaExistsError(blockId, old.state);
    }
    const isInUse =
      old.state === 'finalized' || old.state === 'under-recovery' || old.writer !== null;
    if (!isWorthless && isInUse) throw replicaExistsError(blockId, old.state);
    await this.delete(blockId, old.generationStamp);
  }

  /** Stops whoever writes and opens the files for the next. */
  async #takeOver(replica: Replica, isKnown = true): Promise<ReplicaWriter> {
    this.#checkUsable(replica);
    await replica.writer?.stop();
    const { checksum } = this.#env;
    const opened = await readOpenedMeta(replica, checksum);
    if (typeof opened === 'string') {
      this.markDamaged(replica, opened);
      throw replicaDamagedError(replica.blockId, replica.paths.meta, opened);
    }
    const { volume, paths } = replica;
    const files = await ReplicaFiles.open(volume.disk, checksum, paths, opened);
    // Somebody else was faster, or it was deleted meanwhile.
    if (replica.writer !== null || (isKnown && this.find(replica.blockId) !== replica)) {
      await files.close();
      throw writerReplacedError(replica.blockId);
    }
    return this.#writerOf(replica, files, replica.lengthBytes, () => undefined);
  }

  #writerOf(
    replica: Replica,
    files: ReplicaFiles,
    syncedBytes: number | null,
    release: () => void,
  ): ReplicaWriter {
    const { checksum } = this.#env;
    const writer = new ReplicaWriter({ replica, files, checksum, syncedBytes, release });
    replica.writer = writer;
    return writer;
  }

  /** The checksum of the last chunk of a replica that is cut there, from bytes that were verified. */
  async #tailChecksumAt(replica: Replica, lengthBytes: number): Promise<number> {
    if (lengthBytes === replica.lengthBytes) return replica.tailChecksum;
    const tailBytes = lengthBytes % replica.chunkBytes;
    if (tailBytes === 0) return 0;
    const reader = await ReplicaReader.open(replica, this.#env.checksum);
    try {
      const { bytes } = await reader.read(lengthBytes - tailBytes, tailBytes);
      return this.#env.checksum(bytes.subarray(0, tailBytes));
    } finally {
      await reader.close();
    }
  }

  async #scan(volume: Volume): Promise<void> {
    const { checksum, observe } = this.#env;
    for (const blockId of await blockIdsOf(volume)) {
      const found = await inspectReplica(volume, checksum, blockId);
      if (found.kind === 'removable') await removeFiles(volume.disk, volume.pathsOf(blockId));
      if (found.kind === 'unusable') {
        observe.event('datanode.replica-put-aside', { blockId, reason: found.reason });
        await putAside(volume, volume.pathsOf(blockId));
      }
      if (found.kind !== 'replica') continue;
      if (found.isUnfinished) await this.#finish(found.replica);
      await this.#adopt(found.replica);
    }
  }

  /** Brings a finalization to its end that a crash has interrupted. */
  async #finish(replica: Replica): Promise<void> {
    const writer = await this.#takeOver(replica, false);
    await stoppingOnFailure(writer, () =>
      writer.cutAndFinalize(replica.generationStamp, replica.lengthBytes, replica.tailChecksum),
    );
  }

  /** Of two replicas of one block on two volumes the better one stays. */
  async #adopt(replica: Replica): Promise<void> {
    const other = this.find(replica.blockId);
    const isBetter = other === null || isBetterThan(replica, other);
    if (isBetter) this.#replicas.set(replica.blockId, replica);
    if (other === null) return;
    const worse = isBetter ? other : replica;
    this.#env.observe.event('datanode.replica-twice', { blockId: replica.blockId });
    await putAside(worse.volume, worse.paths);
  }

  #dropVolume(volume: Volume): void {
    this.#lastVolumeFailure = volume.failure;
    for (const [blockId, replica] of this.#replicas) {
      if (replica.volume !== volume) continue;
      this.#replicas.delete(blockId);
      // It ends by itself: every further call of it fails with the volume.
      replica.writer?.stop().catch((error: unknown) => {
        this.#env.observe.event('datanode.writer-stopped', { blockId, error: String(error) });
      });
    }
    this.#options.onVolumeFailed(volume);
  }
}

/** Of two replicas of one block: whole before damaged, newer before older, longer before shorter. */
function isBetterThan(a: Replica, b: Replica): boolean {
  if ((a.damage === null) !== (b.damage === null)) return a.damage === null;
  if (a.generationStamp !== b.generationStamp) return a.generationStamp > b.generationStamp;
  return a.lengthBytes > b.lengthBytes;
}

/** Out of the way, and not gone: a person may look at it. */
async function putAside({ disk, folder }: Volume, paths: ReplicaPaths): Promise<void> {
  const aside = `${folder}/unusable`;
  await disk.makeDir(aside);
  for (const path of [paths.block, paths.meta]) {
    if ((await disk.stat(path)) === null) continue;
    await disk.rename(path, `${aside}${path.slice(path.lastIndexOf('/'))}`);
  }
  await disk.syncDir(aside);
  await disk.syncDir(paths.folder);
}

function checkIsNewer({ blockId, generationStamp, recovery }: Replica, stamp: number): void {
  const newest = Math.max(generationStamp, recovery?.id ?? 0);
  if (stamp > newest) return;
  throw replicaStaleError(blockId, `has generation stamp ${newest}, and ${stamp} is no newer one`);
}

function checkIsUnder({ blockId, recovery }: Replica, recoveryId: number): void {
  if (recovery?.id === recoveryId) return;
  throw replicaStaleError(blockId, `is not under recovery ${recoveryId}`);
}

async function stoppingOnFailure(writer: ReplicaWriter, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await writer.stop();
    throw error;
  }
}
