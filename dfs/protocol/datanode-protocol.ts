/**
 * What datanodes and the namenode say to each other, over `base/rpc`. Datanodes call, always; what the namenode
 * wants is in its answer to a heartbeat.
 *
 *     datanode ──register──────────────▶ namenode   once per start, and when an answer says so
 *     datanode ──heartbeat─────────────▶ namenode   every `heartbeatIntervalMs`: room per volume, load; commands come back
 *     datanode ──blockReport───────────▶ namenode   all replicas of one volume, in parts: after registering, then rarely
 *     datanode ──blockReceivedAndDeleted▶ namenode  what changed since, at once when a block was finished
 *     datanode ──reportBadBlocks───────▶ namenode   a replica whose checksums are wrong, its own or another's
 *     datanode ──commitBlockSynchronization▶ namenode  what a block recovery came to
 *
 * Order: a registration has a number that grows (`session`); every later call carries it, and the namenode refuses
 * those of an earlier one with DFS_DATANODE_UNREGISTERED, so nothing of a life before is mixed into this one's. The
 * calls of one datanode are made one behind the other.
 *
 * Commands are wishes, not debts: a datanode that dies loses them, and the namenode, which looks only at reports,
 * says them again. Each is safe to do twice.
 * @see Apache Hadoop HDFS, `DatanodeProtocol`
 */
import type { Block, DatanodeAddress, ExtendedBlock, ReplicaLocation } from './block.ts';

export const datanodeMethods = {
  register: 'datanode.register',
  heartbeat: 'datanode.heartbeat',
  blockReport: 'datanode.block-report',
  blockReceivedAndDeleted: 'datanode.block-received-and-deleted',
  reportBadBlocks: 'datanode.report-bad-blocks',
  commitBlockSynchronization: 'datanode.commit-block-synchronization',
} as const;

/** The cluster that a folder belongs to; written into every folder of namenode and datanodes. */
export interface ClusterIdentity {
  readonly clusterId: string;
  readonly blockPoolId: string;
}

/** A volume of a datanode: one folder on one disk. */
export interface StorageReport {
  /** Made once with the folder, and kept in it. */
  readonly storageId: string;
  /** Taken out after an I/O error: its replicas count as gone. */
  readonly isFailed: boolean;
  readonly capacityBytes: number;
  /** By blocks. */
  readonly dfsUsedBytes: number;
  /** For blocks that are still to come: what the disk has, less what is reserved. */
  readonly remainingBytes: number;
}

export interface RegisterRequest {
  readonly datanode: DatanodeAddress;
  /** Null when its folders are empty; else the namenode refuses it with DFS_CLUSTER_MISMATCH unless it is its own. */
  readonly cluster: ClusterIdentity | null;
  readonly protocolVersion: number;
  readonly storages: readonly StorageReport[];
}

export interface RegisterAnswer {
  readonly cluster: ClusterIdentity;
  readonly session: number;
  readonly heartbeatIntervalMs: number;
  /** Between two full reports of a volume. */
  readonly blockReportIntervalMs: number;
}

export interface HeartbeatRequest {
  readonly datanodeId: string;
  readonly session: number;
  readonly storages: readonly StorageReport[];
  /** Writes and reads under way, and copies for re-replication: placement avoids who has many. */
  readonly transferCount: number;
  /** Copies that it makes for re-replication now, as sender. */
  readonly replicationCount: number;
}

export interface HeartbeatAnswer {
  readonly commands: readonly DatanodeCommand[];
}

export type DatanodeCommand =
  /** Copy a finalized replica to each target. HDFS: DNA_TRANSFER. */
  | {
      readonly kind: 'replicate';
      readonly block: ExtendedBlock;
      readonly token: string;
      readonly targets: readonly ReplicaLocation[];
      /** Of all copies that this datanode sends, together. */
      readonly bytesPerSecondMax: number;
    }
  /** Remove replicas, those with exactly this generation stamp or an older one. HDFS: DNA_INVALIDATE. */
  | { readonly kind: 'delete'; readonly blockPoolId: string; readonly blocks: readonly Block[] }
  /** Lead the recovery of a block. HDFS: DNA_RECOVERBLOCK. */
  | {
      readonly kind: 'recover';
      readonly block: ExtendedBlock;
      readonly token: string;
      /** The generation stamp that the block will have; a recovery with a greater one replaces this. */
      readonly recoveryId: number;
      /** Who may hold a replica, itself included. */
      readonly locations: readonly ReplicaLocation[];
      /** Truncate: cut to so many bytes; null: as long as the shortest of the best replicas. */
      readonly newLengthBytes: number | null;
    }
  /** Report a volume's replicas in full. */
  | { readonly kind: 'report'; readonly storageId: string };

/**
 * A part of a volume's full report. Parts of one report have its `reportId` and come in order; the last one makes it
 * count: what the namenode thought was on the volume, and no part has named, is gone. What is reported by itself while a
 * report is being sent is newer than the report: so what the report says is taken after the last change was sent, and before part 0.
 */
export interface BlockReportRequest {
  readonly datanodeId: string;
  readonly session: number;
  readonly storageId: string;
  /** Grows with each report of the volume. */
  readonly reportId: number;
  /** 0-based. */
  readonly part: number;
  readonly isLast: boolean;
  /** Four numbers a replica: block id, generation stamp, length, index in `replicaStates`. Up to `reportReplicasMax` of them. */
  readonly replicas: readonly number[];
}

/** Replicas in a part of a full report: about 200 KB of JSON. */
export const reportReplicasMax = 4_096;

export interface BlockReportAnswer {
  readonly commands: readonly DatanodeCommand[];
}

export interface ReceivedOrDeleted {
  readonly block: Block;
  readonly storageId: string;
  /** `receiving`: a pipeline has begun to write it. `received`: it is finalized. `deleted`: it is gone. */
  readonly status: 'receiving' | 'received' | 'deleted';
}

/** What changed, oldest first; up to `reportReplicasMax`. Sent again until it is answered, before anything newer. */
export interface BlockReceivedAndDeletedRequest {
  readonly datanodeId: string;
  readonly session: number;
  readonly changes: readonly ReceivedOrDeleted[];
}

export interface ReportBadBlocksRequest {
  /** Who found it: the datanode that has it, or one that was to get a copy. */
  readonly datanodeId: string;
  readonly session: number;
  readonly replicas: readonly BadReplica[];
}

export interface BadReplica {
  readonly block: ExtendedBlock;
  readonly datanodeId: string;
  readonly storageId: string;
}

/** What a recovery came to. The namenode takes only the newest `recoveryId` that it gave out for the block. */
export interface CommitBlockSynchronizationRequest {
  readonly datanodeId: string;
  readonly session: number;
  /** As the command named it. */
  readonly block: ExtendedBlock;
  /** The block's generation stamp from now on. */
  readonly recoveryId: number;
  /** 0 when no replica has anything: the block is taken out of its file then. */
  readonly newLengthBytes: number;
  /** Who has it now, with that length and generation stamp. */
  readonly locations: readonly { readonly datanodeId: string; readonly storageId: string }[];
}

/** Of these messages; a namenode refuses others with DFS_PROTOCOL_VERSION. On the wire: never reuse. */
export const datanodeProtocolVersion = 1;

/** Times of a cluster; a datanode is told those that it needs. */
export const datanodeTimes = {
  heartbeatIntervalMs: 1_000,
  /** Silent for so long: no new block goes there, and it is read last. */
  staleAfterMs: 5_000,
  /** Silent for so long: dead, its replicas count as gone. */
  deadAfterMs: 12_000,
  blockReportIntervalMs: 6 * 3_600_000,
} as const;
