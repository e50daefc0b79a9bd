/**
 * The writer of a replica: appends bytes that have their checksums, makes them durable, and ends it.
 *
 *     append ──▶ checksums verified ──▶ block file, meta file      survives the process
 *     sync   ──▶ fsync of both ──▶ record, fsync of meta           survives a power cut
 *     finalize ─▶ sync, record "finalized" in both places
 *
 * Contract:
 * - One writer has a replica; who takes it over stops the one before, which then refuses everything (checked).
 * - Calls are carried out one after the other, in the order in which they were made.
 * - After a call that failed on the disk nothing is known of what it wrote, and the writer goes no further; what was
 *   there before the call is untouched (append only).
 *
 * Before: dfs/datanode/replicas/replica-files.ts. After: dfs/datanode/replicas/replica-store.ts.
 */
import type { Checksum } from '../../../base/checksum.ts';
import { codeOf } from '../../../base/typed-error.ts';
import { damagedChunkOf } from '../../transfer/chunk-checksums.ts';
import type { Replica } from './replica.ts';
import { packetDamagedError, replicaStaleError, writerReplacedError } from './replica-errors.ts';
import type { ReplicaFiles, UnnumberedRecord } from './replica-files.ts';

export interface WriterOptions {
  readonly replica: Replica;
  readonly files: ReplicaFiles;
  readonly checksum: Checksum;
  /** Durable already, of its length; null when not even the names of its files are. */
  readonly syncedBytes: number | null;
  /** Gives back what was reserved on the volume. */
  readonly release: () => void;
}

export class ReplicaWriter {
  readonly replica: Replica;
  readonly #options: WriterOptions;
  #syncedBytes: number | null;
  #queue: Promise<unknown> = Promise.resolve();
  #ending: 'stopped' | 'finalized' | null = null;
  #failure: unknown = null;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.replica = options.replica;
    this.#syncedBytes = options.syncedBytes;
  }

  /**
   * Appends a run, with the checksums of its chunks (dfs/transfer/chunk-checksums.ts). What the replica has of it already is
   * skipped: a pipeline that was set up anew sends again what it has no acknowledgement for.
   *
   * @throws DFS_PACKET_DAMAGED: the bytes are not those of the checksums, and nothing was written
   * @throws DFS_REPLICA_STALE: bytes in front of the run are missing
   */
  append(bytes: Uint8Array, startBytes: number, sums: Uint32Array): Promise<void> {
    return this.#inOrder(() => this.#append(bytes, startBytes, sums));
  }

  /** Makes all that was appended durable. */
  sync(): Promise<void> {
    return this.#inOrder(() => this.#sync());
  }

  /** Makes the replica durable and complete; nothing can be appended any more. */
  finalize(): Promise<void> {
    return this.#inOrder(async () => {
      const { files, replica } = this.#options;
      await this.#makeBytesDurable();
      await files.promiseTwice(this.#promiseOf({ state: 'finalized' }), this.#syncedBytes === null);
      this.#ending = 'finalized';
      replica.state = 'finalized';
      replica.visibleBytes = replica.lengthBytes;
      await this.#letGo();
    });
  }

  /** Makes the replica one of a newer generation stamp, and durable as it is. */
  renew(generationStamp: number): Promise<void> {
    return this.#inOrder(async () => {
      const { files, replica } = this.#options;
      await this.#makeBytesDurable();
      await files.promise(this.#promiseOf({ state: 'writing', generationStamp }));
      this.#syncedBytes = replica.lengthBytes;
      replica.generationStamp = generationStamp;
      replica.state = 'being-written';
      // What a life before has left behind its last whole chunk.
      await files.cutTo(replica.lengthBytes);
    });
  }

  /** Cuts the replica to a length that a recovery has agreed on, and finalizes it. */
  cutAndFinalize(
    generationStamp: number,
    lengthBytes: number,
    tailChecksum: number,
  ): Promise<void> {
    return this.#inOrder(async () => {
      const { files, replica } = this.#options;
      await this.#makeBytesDurable();
      const cut = { generationStamp, lengthBytes, tailChecksum };
      const record = this.#promiseOf({ state: 'finalized', ...cut });
      // The promise first: were the files cut before, a crash would leave less than the old promise says.
      await files.promise(record);
      await files.cutTo(lengthBytes);
      await files.syncRuns();
      await files.promise(record);
      this.#ending = 'finalized';
      Object.assign(replica, cut, { state: 'finalized', visibleBytes: lengthBytes });
      await this.#letGo();
    });
  }

  /** Ends the writer where it is, once what it does now is done; the replica stays as far as it has come. */
  async stop(): Promise<void> {
    this.#ending ??= 'stopped';
    await this.#queue;
    if (this.replica.writer === this) await this.#letGo();
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    const run = async (): Promise<void> => {
      if (this.#ending !== null) throw writerReplacedError(this.replica.blockId);
      if (this.#failure !== null) throw this.#failure;
      try {
        await work();
      } catch (error) {
        const code = codeOf(error);
        const isUntouched = code === 'DFS_PACKET_DAMAGED' || code === 'DFS_REPLICA_STALE';
        if (!isUntouched) this.#failure = error;
        throw error;
      }
    };
    const done = this.#queue.then(run);
    this.#queue = done.catch(() => undefined); // Told to the caller; the next one asks `#failure`.
    return done;
  }

  async #append(bytes: Uint8Array, startBytes: number, sums: Uint32Array): Promise<void> {
    const { replica } = this;
    const { blockId, chunkBytes, lengthBytes } = replica;
    const skipBytes = lengthBytes - startBytes;
    if (skipBytes < 0) {
      throw replicaStaleError(blockId, `ends at ${lengthBytes}, before what is to follow`);
    }
    if (skipBytes >= bytes.length) return;
    const fresh = bytes.subarray(skipBytes);
    const freshSums = sums.subarray(
      Math.floor(lengthBytes / chunkBytes) - Math.floor(startBytes / chunkBytes),
    );
    const run = { chunkBytes, startBytes: lengthBytes, checksumBefore: replica.tailChecksum };
    const damagedAt = damagedChunkOf(this.#options.checksum, fresh, run, freshSums);
    if (damagedAt !== null) throw packetDamagedError(blockId, damagedAt);

    const endBytes = startBytes + bytes.length;
    const completeCount = Math.floor(endBytes / chunkBytes) - Math.floor(lengthBytes / chunkBytes);
    const hasTail = endBytes % chunkBytes !== 0;
    const tailChecksum = hasTail ? (freshSums.at(-1) ?? 0) : 0;
    const syncedBytes = this.#syncedBytes ?? 0;
    const grown = { lengthBytes: endBytes, tailChecksum };
    const record = hasTail ? { ...this.#promiseOf(grown), syncedBytes } : null;
    const { files } = this.#options;
    await files.writeRun(fresh, lengthBytes, freshSums.subarray(0, completeCount), record);
    Object.assign(replica, grown);
  }

  async #sync(): Promise<void> {
    const { lengthBytes } = this.replica;
    if (this.#syncedBytes === lengthBytes) return;
    await this.#makeBytesDurable();
    await this.#options.files.promise(this.#promiseOf({}));
    this.#syncedBytes = lengthBytes;
  }

  async #makeBytesDurable(): Promise<void> {
    const { volume, paths } = this.replica;
    await this.#options.files.syncRuns();
    if (this.#syncedBytes === null) await volume.disk.syncDir(paths.folder);
  }

  /** A record of the replica, durable as it is, or as it will be. */
  #promiseOf(changed: Partial<UnnumberedRecord>): UnnumberedRecord {
    const { generationStamp, lengthBytes, tailChecksum } = this.replica;
    const state = this.replica.state === 'temporary' ? 'temporary' : 'writing';
    const whole = { state, generationStamp, lengthBytes, tailChecksum, ...changed } as const;
    return { ...whole, syncedBytes: whole.lengthBytes };
  }

  async #letGo(): Promise<void> {
    this.replica.writer = null;
    this.#options.release();
    await this.#options.files.close();
  }
}
