/**
 * What a reported replica is worth, by what the namespace says of its block: the one table behind full reports, incremental ones and
 * re-replication.
 *
 *     live       counts as a replica
 *     expected   may become one: a pipeline, or a recovery, has not ended
 *     wrong      another version of the block, or cut short: deleted, but only once enough live ones are reported
 *     unneeded   of a block that is gone: deleted
 *     future     of a block, or a version, that this namenode has never given out: kept, and told of. Its log is older than the
 *                datanodes, as after a copy was brought back: what it would delete may be the only one.
 *     unready    nothing follows from it now; the datanode will report it again
 *
 * Whoever is unsure keeps the replica: one too many costs room, one too few costs the file.
 * @see Apache Hadoop HDFS, `BlockManager.processReportedBlock`, `checkReplicaCorrupt`
 */
import { assertNever } from '../../../base/assert.ts';
import type { ReplicaState } from '../../protocol/block.ts';
import { blockStates } from '../namespace/block-table.ts';
import type { Namespace } from '../namespace/namespace.ts';
import type { BlockVersion } from '../operations/write-operation.ts';

export type ReportVerdict = 'live' | 'expected' | 'wrong' | 'unneeded' | 'future' | 'unready';

export interface ReportedReplica extends BlockVersion {
  readonly state: ReplicaState;
}

export function judgeReplica(
  namespace: Pick<Namespace, 'blocks' | 'nextBlockId' | 'nextGenerationStamp'>,
  replica: ReportedReplica,
): ReportVerdict {
  const { blocks, nextBlockId, nextGenerationStamp } = namespace;
  const isFuture = replica.blockId >= nextBlockId || replica.generationStamp >= nextGenerationStamp;
  if (isFuture) return 'future';
  const row = blocks.find(replica.blockId);
  if (row < 0) return 'unneeded';
  const known: BlockVersion = {
    blockId: replica.blockId,
    generationStamp: blocks.generationStamp.get(row),
    lengthBytes: blocks.lengthBytes.get(row),
  };
  const state = blocks.state.get(row);
  const isFinal = state === blockStates.complete || state === blockStates.committed;
  return isFinal ? judgeFinal(known, replica) : judgeOpen(known, replica);
}

/** Stamp and length are decided. */
function judgeFinal(known: BlockVersion, replica: ReportedReplica): ReportVerdict {
  const isSameStamp = replica.generationStamp === known.generationStamp;
  switch (replica.state) {
    case 'finalized':
      return isSameStamp && replica.lengthBytes === known.lengthBytes ? 'live' : 'wrong';
    case 'being-written':
      // The last packet may be on its way to it: it will say that it is finalized, or that it is not.
      return isSameStamp ? 'expected' : 'wrong';
    case 'waiting-to-be-recovered':
      return 'wrong';
    case 'under-recovery':
    case 'temporary':
      return 'unready';
    default:
      return assertNever(replica.state);
  }
}

/** A writer or a recovery is at it: replicas may have a stamp that the namenode gave out and has not heard of again. */
function judgeOpen(known: BlockVersion, replica: ReportedReplica): ReportVerdict {
  switch (replica.state) {
    case 'finalized':
    case 'being-written':
    case 'waiting-to-be-recovered':
      if (replica.generationStamp < known.generationStamp) return 'wrong';
      return 'expected';
    case 'under-recovery':
    case 'temporary':
      return 'unready';
    default:
      return assertNever(replica.state);
  }
}
