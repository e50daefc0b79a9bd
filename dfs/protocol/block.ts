/**
 * Blocks, and where they are: the words that namenode, datanodes and clients share.
 *
 *     block 1073741825, generation stamp 1002, length 134217728
 *       ├── replica on datanode A, volume a1   finalized    one block, at most one replica per datanode
 *       ├── replica on datanode B, volume b2   finalized
 *       └── replica on datanode C, volume c1   being written, generation stamp 1001: stale, will be deleted
 *
 * A block's id never changes and is never used again. Its generation stamp grows whenever the set of those who
 * write it changes (append, pipeline recovery, lease recovery, truncate), so a replica with an older one is known
 * to lack something. Its length is fixed once the block is complete; until then it is what the replicas say.
 *
 * Ids and stamps are whole numbers below 2^53: at a million blocks a second they last for 285 years.
 * @see Apache Hadoop HDFS, `Block`, `ExtendedBlock`, `HdfsServerConstants.ReplicaState`
 */

/** A block as one version of it is named. */
export interface Block {
  readonly blockId: number;
  readonly generationStamp: number;
  readonly lengthBytes: number;
}

/** A block with the cluster that it belongs to: who holds another cluster's blocks refuses it. */
export interface ExtendedBlock extends Block {
  readonly blockPoolId: string;
}

/** How far a replica on a datanode is. */
export type ReplicaState =
  /** Complete: its length and checksums do not change. HDFS: FINALIZED. */
  | 'finalized'
  /** A pipeline writes it; all that was acknowledged can be read. HDFS: RBW. */
  | 'being-written'
  /** Was being written when the datanode stopped. HDFS: RWR. */
  | 'waiting-to-be-recovered'
  /** A recovery agrees on its length. HDFS: RUR. */
  | 'under-recovery'
  /** A copy for re-replication; of no use until it is finalized, and removed at a start. HDFS: TEMPORARY. */
  | 'temporary';

/** The states in the order of their codes in a full report. On the wire: never renumber. */
export const replicaStates = [
  'finalized',
  'being-written',
  'waiting-to-be-recovered',
  'under-recovery',
  'temporary',
] as const satisfies readonly ReplicaState[];

/** How others reach a datanode. */
export interface DatanodeAddress {
  /** Of the datanode's folders, made once and kept: what it is called whatever its addresses. */
  readonly datanodeId: string;
  /** Host as clients name it; also the last part of its place in the network. */
  readonly host: string;
  /** Where blocks are written and read: `host:port` of its byte connections. */
  readonly transferAddress: string;
  /** Where it answers calls of clients and other datanodes. */
  readonly rpcAddress: string;
  /** Where it answers WebHDFS; null when it does not. */
  readonly httpAddress: string | null;
  /** The rack, as a path: `/default-rack`, `/dc1/rack7`. */
  readonly networkLocation: string;
}

/** A replica's place. */
export interface ReplicaLocation {
  readonly datanode: DatanodeAddress;
  readonly storageId: string;
}

/** A block of a file, with its places in the order in which to try them. */
export interface LocatedBlock {
  readonly block: ExtendedBlock;
  /** Of its first byte in the file. */
  readonly offsetBytes: number;
  readonly locations: readonly ReplicaLocation[];
  /** True when every replica is known to be damaged; all of them are in `locations`, to be tried all the same. */
  readonly isCorrupt: boolean;
  /** What a datanode wants to see before it serves the block; empty where the cluster has no tokens. */
  readonly token: string;
}
