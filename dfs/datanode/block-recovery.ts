/**
 * Block recovery: the datanode that the namenode has chosen makes all replicas of a block whose writer is gone agree on one length.
 *
 *     begin at every location ──▶ who has what ──▶ agreeOnLength ──▶ update at those ──▶ commitBlockSynchronization
 *       (writers are stopped)                                          (cut, finalized, stamp = recovery id)
 *
 * What was acknowledged is in every replica that the last pipeline had, so the shortest of the best ones has all of it; what is behind was
 * promised to nobody. The best: a finalized one says how long the block is; else those that were being written by a living datanode; else
 * those that a restart has found. One whose stamp is older than the newest was left out by a pipeline, and counts for nothing.
 *
 * Two recoveries of one block do not mix: each has an id, every replica obeys the newest, and the namenode takes only the newest.
 * @see Apache Hadoop HDFS, `BlockRecoveryWorker`
 */

import { typedError } from '../../base/typed-error.ts';
import type { ReplicaState } from '../protocol/block.ts';

/** A replica as its datanode says it is; `null`: it has none, or could not be asked. */
export interface RecoveryCandidate {
  readonly location: string;
  readonly state: ReplicaState;
  readonly generationStamp: number;
  readonly lengthBytes: number;
}

export interface Agreement {
  readonly lengthBytes: number;
  /** Who gets that length and the new stamp; the others are left to be deleted. */
  readonly participants: readonly string[];
}

/** Better ones first. */
const rankOfState: Readonly<Record<ReplicaState, number>> = {
  finalized: 0,
  'being-written': 1,
  'waiting-to-be-recovered': 2,
  'under-recovery': 3,
  temporary: 4,
};

/**
 * The length that replicas agree on.
 *
 * @param newLengthBytes - A truncate cuts to so much; null: as long as the shortest of the best.
 * @returns Null when nobody has anything: the block goes out of its file.
 */
export function agreeOnLength(
  candidates: readonly RecoveryCandidate[],
  newLengthBytes: number | null,
): Agreement | null {
  const newestStamp = Math.max(0, ...candidates.map(({ generationStamp }) => generationStamp));
  const newest = candidates.filter(({ generationStamp }) => generationStamp === newestStamp);
  const finalized = newest.find(({ state }) => state === 'finalized');
  if (newLengthBytes !== null) {
    const long = newest.filter(({ lengthBytes }) => lengthBytes >= newLengthBytes);
    return agreementOf(long, newLengthBytes);
  }
  if (finalized !== undefined) {
    // The close had got so far: the others were about to, and have all of it, or are left out.
    const { lengthBytes } = finalized;
    return agreementOf(
      newest.filter((candidate) => candidate.lengthBytes >= lengthBytes),
      lengthBytes,
    );
  }
  const bestRank = Math.min(...newest.map(({ state }) => rankOfState[state]));
  const best = newest.filter(({ state }) => rankOfState[state] === bestRank);
  const lengthBytes = Math.min(...best.map((candidate) => candidate.lengthBytes));
  const isNothing = newest.length === 0 || newest.every((candidate) => candidate.lengthBytes === 0);
  if (isNothing) return null;
  return agreementOf(
    newest.filter((candidate) => candidate.lengthBytes >= lengthBytes),
    lengthBytes,
  );
}

function agreementOf(
  participants: readonly RecoveryCandidate[],
  lengthBytes: number,
): Agreement | null {
  if (participants.length === 0) return null;
  return { lengthBytes, participants: participants.map(({ location }) => location) };
}

/** How the leader of a recovery reaches the replicas; a rejection leaves that one out. */
export interface RecoveryPeers {
  /** Null when it has no replica. */
  begin(location: string, blockId: number, recoveryId: number): Promise<RecoveryCandidate | null>;
  update(location: string, blockId: number, recoveryId: number, lengthBytes: number): Promise<void>;
}

export interface RecoveryOrder {
  readonly blockId: number;
  readonly recoveryId: number;
  readonly newLengthBytes: number | null;
  readonly locations: readonly string[];
}

export interface RecoveryOutcome {
  readonly lengthBytes: number;
  readonly locations: readonly string[];
}

/**
 * Leads a recovery to its end.
 * @throws DFS_RECOVERY_FAILED when nobody could be asked, or nobody could be updated: the namenode orders it again
 */
export async function recoverBlock(
  order: RecoveryOrder,
  peers: RecoveryPeers,
): Promise<RecoveryOutcome> {
  const { blockId, recoveryId, locations } = order;
  const asked = await Promise.allSettled(
    locations.map((location) => peers.begin(location, blockId, recoveryId)),
  );
  const candidates = asked.flatMap((answer) =>
    answer.status === 'fulfilled' && answer.value !== null ? [answer.value] : [],
  );
  const answeredCount = asked.filter(({ status }) => status === 'fulfilled').length;
  if (answeredCount === 0) throw recoveryFailedError(order, 'no datanode has answered');
  const agreement = agreeOnLength(candidates, order.newLengthBytes);
  if (agreement === null) {
    // Who could not be asked may have something: only when all have said that they have nothing is there nothing.
    if (answeredCount < locations.length || order.newLengthBytes !== null) {
      throw recoveryFailedError(order, 'no replica that could be asked has what is needed');
    }
    return { lengthBytes: 0, locations: [] };
  }
  const updated = await Promise.allSettled(
    agreement.participants.map((location) =>
      peers.update(location, blockId, recoveryId, agreement.lengthBytes),
    ),
  );
  const done = agreement.participants.filter((_, index) => updated[index]?.status === 'fulfilled');
  if (done.length === 0) throw recoveryFailedError(order, 'no replica could be updated');
  return { lengthBytes: agreement.lengthBytes, locations: done };
}

function recoveryFailedError({ blockId, recoveryId }: RecoveryOrder, reason: string) {
  const message = `recovery ${recoveryId} of block ${blockId} has failed: ${reason}`;
  return typedError('DFS_RECOVERY_FAILED', message, {
    hint: 'The namenode orders another one. Start the datanodes that have a replica of the block.',
    retryable: true,
    details: { blockId, recoveryId, reason },
  });
}
