/**
 * A pipeline that is made anew, because one of its datanodes died or because a file is appended to: the block gets a generation
 * stamp that nobody has had, so the replica that was left out is known to be old.
 *
 *     updateBlockForPipeline ─▶ stamp 1007 ─▶ (the writer sets up the others with it) ─▶ updatePipeline(1007)
 *
 * Only the second call changes the block: a writer that dies between them leaves it as it was, and 1007 is never given again.
 * @see Apache Hadoop HDFS, `FSNamesystem.bumpBlockGenerationStamp`, `updatePipeline`
 */

import type { ReplicaLocation } from '../../protocol/block.ts';
import type {
  DoneAnswer,
  GetAdditionalDatanodeRequest,
  UpdateBlockForPipelineAnswer,
  UpdateBlockForPipelineRequest,
  UpdatePipelineRequest,
} from '../../protocol/client-protocol.ts';
import { blockStates } from '../namespace/block-table.ts';
import type { Namespace } from '../namespace/namespace.ts';
import {
  blockError,
  lastBlockOf,
  locate,
  versionOf,
  type WriteContext,
  type WritePlan,
  writtenFile,
} from './write-operation.ts';

/** @throws DFS_LEASE, DFS_BLOCK */
export function updateBlockForPipeline(
  context: WriteContext,
  request: UpdateBlockForPipelineRequest,
): WritePlan<UpdateBlockForPipelineAnswer> {
  const { namespace } = context;
  const { row } = writtenFile(context, request);
  const version = versionOf(namespace, writtenBlock(namespace, row, request.block.blockId));
  const { nextGenerationStamp: generationStamp } = namespace;
  const offsetBytes = namespace.lengthOf(row) - version.lengthBytes;
  const block = locate(context, { ...version, generationStamp }, offsetBytes);
  const edits = [{ op: 'stamp', generationStamp } as const];
  return { edits, effects: [], answer: () => ({ block }) };
}

/**
 * A repeat of what is done is no mistake.
 * @throws DFS_LEASE, DFS_BLOCK
 */
export function updatePipeline(
  context: WriteContext,
  request: UpdatePipelineRequest,
): WritePlan<DoneAnswer> {
  const { namespace } = context;
  const { row } = writtenFile(context, request);
  const { oldBlock, newBlock, locations } = request;
  const { blockId } = oldBlock;
  const known = versionOf(namespace, writtenBlock(namespace, row, blockId));
  const { generationStamp, lengthBytes } = newBlock;
  const answer = () => ({ isDone: true });
  const isRepeat = known.generationStamp === generationStamp && known.lengthBytes === lengthBytes;
  if (isRepeat) return { edits: [], effects: [], answer };
  if (newBlock.blockId !== blockId || known.generationStamp !== oldBlock.generationStamp) {
    throw blockError(blockId, `has the generation stamp ${known.generationStamp}`);
  }
  const isGiven =
    generationStamp > known.generationStamp && generationStamp < namespace.nextGenerationStamp;
  if (!isGiven) throw blockError(blockId, `was not given the stamp ${generationStamp}`);
  if (lengthBytes < known.lengthBytes) {
    throw blockError(blockId, `has ${known.lengthBytes} bytes, and would lose some`);
  }
  const state = blockStates.underConstruction;
  return {
    edits: [{ op: 'setBlock', blockId, generationStamp, lengthBytes, state }],
    effects: [{ kind: 'expect', blockId, locations }],
    answer,
  };
}

/** More datanodes for a pipeline that has lost some. @throws DFS_LEASE, DFS_BLOCK */
export function getAdditionalDatanode(
  context: WriteContext,
  request: GetAdditionalDatanodeRequest,
): WritePlan<{ readonly locations: readonly ReplicaLocation[] }> {
  const { namespace, replicas } = context;
  const { row } = writtenFile(context, request);
  writtenBlock(namespace, row, request.block.blockId);
  const { count, existing, excludedDatanodeIds } = request;
  const sizeBytes = namespace.inodes.blockSize.get(row);
  const more = { existing, excludedDatanodeIds, clientHost: null };
  const locations = replicas.chooseTargets({ count, sizeBytes, ...more });
  return { edits: [], effects: [], answer: () => ({ locations }) };
}

/** The last block of a file, while it is being written. */
function writtenBlock(namespace: Namespace, row: number, blockId: number): number {
  const last = lastBlockOf(namespace, row);
  const isLast = last >= 0 && namespace.blocks.id.get(last) === blockId;
  if (!isLast || namespace.blocks.state.get(last) !== blockStates.underConstruction) {
    throw blockError(blockId, 'is not being written');
  }
  return last;
}
