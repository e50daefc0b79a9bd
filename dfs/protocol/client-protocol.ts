/**
 * What clients ask of the namenode, over `base/rpc`; the names are HDFS's. Bytes never go this way.
 *
 *     write   create ─▶ addBlock ─▶ (pipeline of datanodes) ─▶ addBlock … ─▶ complete
 *                          ▲ a datanode of the first pipeline is down: abandonBlock, then addBlock without it
 *             a datanode dies later: updateBlockForPipeline ─▶ (pipeline of the others) ─▶ updatePipeline
 *     read    getBlockLocations ─▶ (datanodes, in the order given)
 *     live    renewLease, well before `leaseSoftLimitMs` is over
 *
 * Who calls is in `user`; who writes also in `clientName`, which no other writer has. A call that changes something is
 * answered when it is durable. Repeats: a writer may repeat addBlock, abandonBlock and complete, and gets the same
 * answer; for the rest a repeat carries the rpc key of the first try.
 * @see Apache Hadoop HDFS, `ClientProtocol`
 */
import type { ExtendedBlock, LocatedBlock, ReplicaLocation } from './block.ts';

export const clientMethods = {
  create: 'client.create',
  append: 'client.append',
  addBlock: 'client.add-block',
  abandonBlock: 'client.abandon-block',
  getAdditionalDatanode: 'client.get-additional-datanode',
  updateBlockForPipeline: 'client.update-block-for-pipeline',
  updatePipeline: 'client.update-pipeline',
  fsync: 'client.fsync',
  complete: 'client.complete',
  renewLease: 'client.renew-lease',
  recoverLease: 'client.recover-lease',
  getBlockLocations: 'client.get-block-locations',
  getFileInfo: 'client.get-file-info',
  getListing: 'client.get-listing',
  getContentSummary: 'client.get-content-summary',
  mkdirs: 'client.mkdirs',
  rename: 'client.rename',
  delete: 'client.delete',
  concat: 'client.concat',
  truncate: 'client.truncate',
  setReplication: 'client.set-replication',
  setPermission: 'client.set-permission',
  setOwner: 'client.set-owner',
  setTimes: 'client.set-times',
  setQuota: 'client.set-quota',
  reportBadBlocks: 'client.report-bad-blocks',
  getServerDefaults: 'client.get-server-defaults',
  getStats: 'client.get-stats',
  getDatanodeReport: 'client.get-datanode-report',
  setSafeMode: 'client.set-safe-mode',
} as const;

/** A writer that is silent for so long may lose its file to another that wants it. */
export const leaseSoftLimitMs = 60_000;
/** One that is silent for so long loses it in any case. */
export const leaseHardLimitMs = 20 * 60_000;
/** How often a writer renews. */
export const leaseRenewIntervalMs = 15_000;

export interface Caller {
  readonly user: string;
}

export interface PathRequest extends Caller {
  readonly path: string;
}

/** A file or directory, as HDFS's FileStatus has it. */
export interface FileStatus {
  readonly fileId: number;
  /** The last part of its path; empty when it was asked for by its own path. */
  readonly pathSuffix: string;
  readonly type: 'FILE' | 'DIRECTORY';
  /** 0 for a directory. */
  readonly lengthBytes: number;
  /** 0 for a directory. */
  readonly replication: number;
  /** 0 for a directory. */
  readonly blockSizeBytes: number;
  readonly owner: string;
  readonly group: string;
  /** Mode bits, sticky included: 0o1777 at most. */
  readonly permission: number;
  readonly modificationTimeMs: number;
  readonly accessTimeMs: number;
  /** Of a directory, its entries. */
  readonly childrenCount: number;
}

export interface CreateRequest extends PathRequest {
  readonly clientName: string;
  /** After the writer's mask. */
  readonly permission: number;
  readonly overwrite: boolean;
  /** Makes missing directories. */
  readonly createParent: boolean;
  /** Null: the cluster's. */
  readonly replication: number | null;
  readonly blockSizeBytes: number | null;
}

export interface CreateAnswer {
  readonly status: FileStatus;
}

export interface AppendRequest extends PathRequest {
  readonly clientName: string;
  /** True: begin a block of its own, and leave the last one as it is. */
  readonly newBlock: boolean;
}

export interface AppendAnswer {
  readonly status: FileStatus;
  /** The block to write on with; its replicas need the generation stamp of updateBlockForPipeline first. Null: addBlock. */
  readonly lastBlock: LocatedBlock | null;
}

/** What a writer says of its file. */
export interface WriterRequest extends PathRequest {
  readonly clientName: string;
  readonly fileId: number;
}

export interface AddBlockRequest extends WriterRequest {
  /** The block before, with its final length: the namenode commits it. Null for the first. */
  readonly previous: ExtendedBlock | null;
  /** Datanodes that the writer could not reach. */
  readonly excludedDatanodeIds: readonly string[];
  /** Where the writer runs, for the first replica; null: anywhere. */
  readonly clientHost: string | null;
}

/** Locations in the order of the pipeline. */
export interface AddBlockAnswer {
  readonly block: LocatedBlock;
}

export interface AbandonBlockRequest extends WriterRequest {
  readonly block: ExtendedBlock;
}

export interface GetAdditionalDatanodeRequest extends WriterRequest {
  readonly block: ExtendedBlock;
  /** Those that the pipeline still has. */
  readonly existing: readonly ReplicaLocation[];
  readonly excludedDatanodeIds: readonly string[];
  readonly count: number;
}

export interface UpdateBlockForPipelineRequest extends Caller {
  readonly clientName: string;
  readonly fileId: number;
  readonly block: ExtendedBlock;
}

/** The block with a generation stamp that nobody has had. */
export interface UpdateBlockForPipelineAnswer {
  readonly block: LocatedBlock;
}

export interface UpdatePipelineRequest extends Caller {
  readonly clientName: string;
  readonly fileId: number;
  readonly oldBlock: ExtendedBlock;
  /** Its length: all that was acknowledged. */
  readonly newBlock: ExtendedBlock;
  readonly locations: readonly ReplicaLocation[];
}

/** hsync or hflush with the length to show: readers who ask later see at least so much. */
export interface FsyncRequest extends WriterRequest {
  readonly block: ExtendedBlock;
}

export interface CompleteRequest extends WriterRequest {
  readonly last: ExtendedBlock | null;
}

/** False: too few datanodes have reported the last block yet; ask again in a moment. */
export interface CompleteAnswer {
  readonly isComplete: boolean;
}

export interface RenewLeaseRequest extends Caller {
  readonly clientName: string;
}

export interface RecoverLeaseRequest extends PathRequest {
  readonly clientName: string;
}

/** True when the file is closed; false while its last block is being recovered. */
export interface RecoverLeaseAnswer {
  readonly isClosed: boolean;
}

export interface GetBlockLocationsRequest extends PathRequest {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Where the reader runs: its own host's replicas come first. */
  readonly clientHost: string | null;
}

export interface LocatedBlocks {
  readonly fileLengthBytes: number;
  /** Those that meet the range, in order. */
  readonly blocks: readonly LocatedBlock[];
  /** A writer has it open: the last block's length is what its replicas say, at least `lengthBytes`. */
  readonly isUnderConstruction: boolean;
}

export interface GetListingRequest extends PathRequest {
  /** Names behind this one, in the order of their bytes; empty: from the first. */
  readonly startAfter: string;
}

export interface DirectoryListing {
  readonly entries: readonly FileStatus[];
  readonly remainingCount: number;
}

export interface MkdirsRequest extends PathRequest {
  readonly permission: number;
}

export interface RenameRequest extends Caller {
  readonly source: string;
  readonly destination: string;
  /**
   * `legacy`: into a directory when the destination is one, never over anything, false when it can't be done.
   * `none`: fails with a reason. `overwrite`: a file, or an empty directory, gives way.
   */
  readonly mode: 'legacy' | 'none' | 'overwrite';
}

export interface DeleteRequest extends PathRequest {
  readonly isRecursive: boolean;
}

export interface ConcatRequest extends PathRequest {
  readonly sources: readonly string[];
}

export interface TruncateRequest extends PathRequest {
  readonly clientName: string;
  readonly newLengthBytes: number;
}

/** Of calls that did it or had nothing to do. */
export interface DoneAnswer {
  readonly isDone: boolean;
}

export interface SetReplicationRequest extends PathRequest {
  readonly replication: number;
}

export interface SetPermissionRequest extends PathRequest {
  readonly permission: number;
}

/** Null: as it is. */
export interface SetOwnerRequest extends PathRequest {
  readonly owner: string | null;
  readonly group: string | null;
}

/** Null: as it is. */
export interface SetTimesRequest extends PathRequest {
  readonly modificationTimeMs: number | null;
  readonly accessTimeMs: number | null;
}

/** Null: no quota. */
export interface SetQuotaRequest extends PathRequest {
  readonly namesMax: number | null;
  readonly spaceBytesMax: number | null;
}

export interface ContentSummary {
  readonly lengthBytes: number;
  readonly fileCount: number;
  readonly directoryCount: number;
  /** Lengths times replication. */
  readonly spaceConsumedBytes: number;
  readonly namesMax: number | null;
  readonly spaceBytesMax: number | null;
}

export interface ServerDefaults {
  readonly blockSizeBytes: number;
  readonly bytesPerChecksum: number;
  readonly checksumType: 'CRC32C';
  readonly writePacketBytes: number;
  readonly replication: number;
}
