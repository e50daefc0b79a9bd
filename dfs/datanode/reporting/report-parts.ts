/** A full report of a volume, cut into the parts that the protocol asks for. */
import { replicaStates } from '../../protocol/block.ts';
import { reportReplicasMax } from '../../protocol/datanode-protocol.ts';
import type { Replica } from '../replicas/replica.ts';

/**
 * Four numbers a replica, in the order of block ids; one part at least. Copies that are being made, and what is known to be damaged, are
 * left out: neither is a replica that the namenode may count.
 */
export function reportPartsOf(
  replicas: readonly Replica[],
  storageId: string,
  replicasMax = reportReplicasMax,
): number[][] {
  const counted = replicas.filter(
    ({ volume, state, damage }) =>
      volume.identity.storageId === storageId && state !== 'temporary' && damage === null,
  );
  const parts: number[][] = [];
  for (let from = 0; from === 0 || from < counted.length; from += replicasMax) {
    const numbers = counted
      .slice(from, from + replicasMax)
      .flatMap(({ blockId, generationStamp, lengthBytes, state }) => [
        ...[blockId, generationStamp, lengthBytes, replicaStates.indexOf(state)],
      ]);
    parts.push(numbers);
  }
  return parts;
}
