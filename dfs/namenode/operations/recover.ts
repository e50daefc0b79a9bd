/**
 * Files whose writers are gone: the namenode takes the file, and datanodes agree on the length of its last block.
 *
 *     writer silent ─▶ releaseLease ─▶ block under recovery, id 1009 ─▶ a datanode asks the others, all cut to one length
 *                           │ all blocks final: closed at once                    │
 *                           ▼                                                     ▼
 *                        closed ◀──────────────── commitBlockSynchronization(1009, length)
 *
 * - The newest recovery counts: its id is the stamp that the block will have, so older ones, and the old writer, are refused.
 * - What is not known is waited for: a block whose datanodes are all away stays open, and is not taken for empty.
 * - A recovery that would lose bytes which the namenode was told are safe is refused.
 * @see Apache Hadoop HDFS, `FSNamesystem.internalReleaseLease`, `commitBlockSynchronization`
 */
import type {
  DoneAnswer,
  RecoverLeaseAnswer,
  RecoverLeaseRequest,
} from '../../protocol/client-protocol.ts';
import type { CommitBlockSynchronizationRequest } from '../../protocol/datanode-protocol.ts';
import { recoveryHolder } from '../leases/lease-manager.ts';
import { blockStates } from '../namespace/block-table.ts';
import type { Edit } from '../namespace/edit.ts';
import { fileRow, targetOf } from './operation.ts';
import { rights, verifyRights, verifyTraverse } from './permission.ts';
import {
  blockError,
  isFinal,
  lastBlockOf,
  leaseError,
  versionOf,
  type WriteContext,
  type WritePlan,
} from './write-operation.ts';

/** @throws DFS_NOT_FOUND, DFS_NOT_A_FILE, DFS_PERMISSION, DFS_PATH */
export function recoverLease(
  context: WriteContext,
  { path }: RecoverLeaseRequest,
): WritePlan<RecoverLeaseAnswer> {
  const { namespace } = context;
  const target = targetOf(namespace, path);
  verifyTraverse(context, target, 'create');
  const row = fileRow(namespace, target);
  verifyRights(context, row, rights.write);
  const fileId = namespace.inodes.id.get(row);
  if (namespace.openFiles.has(fileId)) return releaseLease(context, fileId);
  return { edits: [], effects: [], answer: () => ({ isClosed: true }) };
}

/** Takes an open file from its writer. @throws DFS_LEASE when it is not open */
export function releaseLease(context: WriteContext, fileId: number): WritePlan<RecoverLeaseAnswer> {
  const { namespace, replicas, nowMs } = context;
  const open = namespace.openFiles.get(fileId);
  if (open === undefined) throw leaseError(fileId, 'it is closed');
  const path = namespace.pathOf(open.row);
  const last = lastBlockOf(namespace, open.row);
  const take: Edit[] =
    open.clientName === recoveryHolder ? [] : [{ op: 'open', path, clientName: recoveryHolder }];
  if (last < 0 || isFinal(namespace, last)) {
    const isClosed = last < 0 || replicas.isReported(versionOf(namespace, last));
    const close: Edit = { op: 'close', fileId, timeMs: nowMs };
    return { edits: isClosed ? [close] : take, effects: [], answer: () => ({ isClosed }) };
  }
  const answer = () => ({ isClosed: false });
  const block = versionOf(namespace, last);
  if (replicas.locationsOf(block.blockId).length === 0) return { edits: take, effects: [], answer };
  const isTruncation = namespace.blocks.state.get(last) === blockStates.underTruncation;
  const state = isTruncation ? blockStates.underTruncation : blockStates.underRecovery;
  const recoveryId = namespace.nextGenerationStamp;
  const newLengthBytes = isTruncation ? block.lengthBytes : null;
  return {
    edits: [
      ...take,
      { op: 'setBlock', ...block, state },
      { op: 'stamp', generationStamp: recoveryId },
    ],
    effects: [{ kind: 'recover', block, recoveryId, newLengthBytes }],
    answer,
  };
}

/**
 * What the datanodes have agreed on. A repeat, and one of a file that is gone, are no mistakes.
 * @throws DFS_BLOCK
 */
export function commitBlockSynchronization(
  context: WriteContext,
  request: CommitBlockSynchronizationRequest,
): WritePlan<DoneAnswer> {
  const { namespace, nowMs } = context;
  const { blockId } = request.block;
  const { recoveryId: generationStamp, newLengthBytes: lengthBytes } = request;
  const answer = () => ({ isDone: true });
  const nothing = { edits: [], effects: [], answer };
  const block = namespace.blocks.find(blockId);
  if (block < 0) return nothing;
  const known = versionOf(namespace, block);
  if (known.generationStamp === generationStamp && isFinal(namespace, block)) return nothing;
  verifyNewest(context, block, request);
  const fileId = namespace.inodes.id.get(namespace.blocks.file.get(block));
  const close: Edit = { op: 'close', fileId, timeMs: nowMs };
  if (lengthBytes === 0) {
    return { edits: [{ op: 'removeBlock', blockId }, close], effects: [], answer };
  }
  const version = { blockId, generationStamp, lengthBytes };
  return {
    edits: [{ op: 'setBlock', ...version, state: blockStates.committed }, close],
    effects: [{ kind: 'recovered', block: version, replicas: request.locations }],
    answer,
  };
}

function verifyNewest(
  { namespace, replicas }: WriteContext,
  block: number,
  { block: { blockId }, recoveryId, newLengthBytes }: CommitBlockSynchronizationRequest,
): void {
  const state = namespace.blocks.state.get(block);
  const isTruncation = state === blockStates.underTruncation;
  if (state !== blockStates.underRecovery && !isTruncation) {
    throw blockError(blockId, 'is not being recovered');
  }
  const newest = replicas.recoveryIdOf(blockId);
  if (newest !== recoveryId) throw blockError(blockId, `is being recovered as ${newest} now`);
  const { lengthBytes } = versionOf(namespace, block);
  if (newLengthBytes < lengthBytes) {
    throw blockError(blockId, `has ${lengthBytes} bytes that are promised, not ${newLengthBytes}`);
  }
  if (isTruncation && newLengthBytes !== lengthBytes) {
    throw blockError(blockId, `is to be cut to ${lengthBytes} bytes, not ${newLengthBytes}`);
  }
}
