/**
 * What the datanode that leads a block recovery asks of those that have a replica, itself included, over `base/rpc`.
 *
 *     leader ──begin──▶ datanode    its writer is stopped; what it has, or null
 *     leader ──update─▶ datanode    cut to the length agreed on, finalized, `recoveryId` is its generation stamp
 *
 * Each may be repeated. A recovery with an older id than the newest that a replica has seen is refused with DFS_REPLICA_STALE.
 * @see Apache Hadoop HDFS, `InterDatanodeProtocol`
 */
import type { Block, ReplicaState } from './block.ts';

export const recoveryMethods = {
  begin: 'recovery.begin',
  update: 'recovery.update',
} as const;

export interface BeginRecoveryRequest {
  readonly blockId: number;
  readonly recoveryId: number;
  readonly token: string;
}

/** Null: this datanode has no replica of the block. */
export type BeginRecoveryAnswer = (Block & { readonly state: ReplicaState }) | null;

export interface UpdateRecoveredRequest extends BeginRecoveryRequest {
  readonly lengthBytes: number;
}

export interface UpdateRecoveredAnswer {
  readonly storageId: string;
}
