/**
 * Writing a file block by block. A writer repeats a call whose answer was lost: what is there shows whether it was done, and the
 * answer is the same.
 *
 *     addBlock(previous null) ─▶ block 1 ─▶ addBlock(previous 1) ─▶ block 2 ─▶ complete(last 2)
 *                                  │ no datanode of it answers: abandonBlock(1), addBlock(previous null)
 *
 * @see Apache Hadoop HDFS, `FSDirWriteFileOp.analyzeFileState`
 */
import { typedError } from '../../../base/typed-error.ts';
import type { ExtendedBlock } from '../../protocol/block.ts';
import type {
  AbandonBlockRequest,
  AddBlockAnswer,
  AddBlockRequest,
  CompleteAnswer,
  CompleteRequest,
  DoneAnswer,
  FsyncRequest,
} from '../../protocol/client-protocol.ts';
import { blockStates } from '../namespace/block-table.ts';
import type { Edit } from '../namespace/edit.ts';
import type { Namespace } from '../namespace/namespace.ts';
import { argumentError, targetOf } from './operation.ts';
import {
  blockError,
  commitEdits,
  isFinal,
  lastBlockOf,
  leaseError,
  locate,
  type OpenTarget,
  versionOf,
  type WriteContext,
  type WritePlan,
  writtenFile,
} from './write-operation.ts';

/**
 * The next block, and the datanodes of its pipeline.
 * @throws DFS_LEASE, DFS_BLOCK, DFS_NOT_REPORTED, DFS_NO_DATANODES, DFS_QUOTA, DFS_ARGUMENT
 */
export function addBlock(
  context: WriteContext,
  request: AddBlockRequest,
): WritePlan<AddBlockAnswer> {
  const { namespace } = context;
  const file = writtenFile(context, request);
  const again = repeatedBlock(namespace, file.row, request.previous);
  if (again >= 0) {
    const version = versionOf(namespace, again);
    const offsetBytes = namespace.lengthOf(file.row) - version.lengthBytes;
    const block = locate(context, version, offsetBytes);
    return { edits: [], effects: [], answer: () => ({ block }) };
  }
  const committed = endPrevious(context, file, request.previous);
  verifyReported(context, file.row, request.previous?.blockId ?? null);
  verifyBlockRoom(context, file, request.previous);
  return newBlock(context, { file, request, committed });
}

interface NewBlock {
  readonly file: OpenTarget;
  readonly request: AddBlockRequest;
  /** The end of the block before. */
  readonly committed: readonly Edit[];
}

function newBlock(context: WriteContext, { file, request, committed }: NewBlock) {
  const { namespace, replicas } = context;
  const { inodes, nextBlockId: blockId, nextGenerationStamp: generationStamp } = namespace;
  const locations = replicas.chooseTargets({
    ...{ count: inodes.replication.get(file.row), sizeBytes: inodes.blockSize.get(file.row) },
    ...{ clientHost: request.clientHost, excludedDatanodeIds: request.excludedDatanodeIds },
    existing: [],
  });
  if (locations.length === 0) throw noDatanodesError(file.path, request.excludedDatanodeIds.length);
  const add: Edit = { op: 'addBlock', fileId: file.fileId, blockId, generationStamp };
  return {
    edits: [...committed, add],
    effects: [{ kind: 'expect', blockId, locations } as const],
    answer: () => {
      const version = { blockId, generationStamp, lengthBytes: 0 };
      return { block: locate(context, version, namespace.lengthOf(file.row), locations) };
    },
  };
}

/** The block that a call with this `previous` has made before, or -1: it is the last one, and still empty. */
function repeatedBlock(namespace: Namespace, row: number, previous: ExtendedBlock | null): number {
  const { inodes, blocks } = namespace;
  const last = lastBlockOf(namespace, row);
  const isEmpty = last >= 0 && !isFinal(namespace, last) && blocks.lengthBytes.get(last) === 0;
  if (!isEmpty || blocks.id.get(last) === previous?.blockId) return -1;
  const count = inodes.contents.count.get(row);
  // Whoever appends a block of its own names none, whatever is before it.
  if (previous === null) return last;
  const before = count > 1 ? blocks.id.get(inodes.contents.at(row, count - 2)) : null;
  return before === previous.blockId ? last : -1;
}

/** What ends the block before; refuses a writer whose last block is another one. */
function endPrevious(
  { namespace }: WriteContext,
  { row }: OpenTarget,
  previous: ExtendedBlock | null,
): Edit[] {
  if (previous !== null) return commitEdits(namespace, row, previous);
  const last = lastBlockOf(namespace, row);
  // After an append that begins a block of its own, the last one is complete and nobody names it.
  if (last < 0 || isFinal(namespace, last)) return [];
  throw blockError(namespace.blocks.id.get(last), 'is being written; name it as the previous one');
}

/** Only the block that was written last may be unknown to datanodes: a file does not grow on what nobody has. */
function verifyReported(context: WriteContext, row: number, exceptId: number | null): void {
  const { namespace, replicas } = context;
  const { inodes, blocks } = namespace;
  const count = inodes.contents.count.get(row);
  // Those before were looked at when this one was added.
  for (let index = Math.max(count - 2, 0); index < count; index++) {
    const block = inodes.contents.at(row, index);
    if (blocks.id.get(block) === exceptId || replicas.isReported(versionOf(namespace, block)))
      continue;
    throw notReportedError(blocks.id.get(block));
  }
}

/** @throws DFS_QUOTA, DFS_ARGUMENT */
function verifyBlockRoom(
  { namespace, limits }: WriteContext,
  { row, path }: OpenTarget,
  previous: ExtendedBlock | null,
): void {
  const { inodes, quotas } = namespace;
  if (inodes.contents.count.get(row) >= limits.fileBlocksMax) {
    throw argumentError(
      `file "${path}" has ${limits.fileBlocksMax} blocks, as many as one may have`,
      'Write it with greater blocks, or in several files.',
    );
  }
  // The block before counts as full until now.
  const blockSize = inodes.blockSize.get(row);
  const freed = previous === null ? 0 : blockSize - previous.lengthBytes;
  const spaceBytes = (blockSize - freed) * inodes.replication.get(row);
  const { parent } = inodes;
  const pathOf = (one: number) => namespace.pathOf(one);
  const more = { names: 0, spaceBytes, stopRow: null };
  quotas.verify({ ...more, parent, directory: parent.get(row), pathOf });
}

/**
 * Takes back a block that could not be written; one that is gone already is no mistake.
 * @throws DFS_LEASE, DFS_BLOCK
 */
export function abandonBlock(
  context: WriteContext,
  request: AbandonBlockRequest,
): WritePlan<DoneAnswer> {
  const { namespace } = context;
  const { row } = writtenFile(context, request);
  const { blockId } = request.block;
  const answer = () => ({ isDone: true });
  const block = namespace.blocks.find(blockId);
  if (block < 0) return { edits: [], effects: [], answer };
  const isOwn = namespace.blocks.file.get(block) === row && lastBlockOf(namespace, row) === block;
  if (!isOwn || isFinal(namespace, block)) throw blockError(blockId, 'is not one to be taken back');
  // Of an append, or an fsync: others count on these bytes.
  const { lengthBytes } = versionOf(namespace, block);
  if (lengthBytes > 0) throw blockError(blockId, `has ${lengthBytes} bytes that are promised`);
  return { edits: [{ op: 'removeBlock', blockId }], effects: [], answer };
}

/** The length that readers may count on. @throws DFS_LEASE, DFS_BLOCK */
export function fsync(context: WriteContext, request: FsyncRequest): WritePlan<DoneAnswer> {
  const { namespace } = context;
  const { row } = writtenFile(context, request);
  const [commit] = commitEdits(namespace, row, request.block);
  const answer = () => ({ isDone: true });
  if (commit?.op !== 'setBlock') return { edits: [], effects: [], answer };
  const state = blockStates.underConstruction;
  return { edits: [{ ...commit, state }], effects: [], answer };
}

/**
 * Ends the file. False while a block of it is not reported; what was said of the last one is kept.
 * @throws DFS_LEASE, DFS_BLOCK
 */
export function complete(
  context: WriteContext,
  request: CompleteRequest,
): WritePlan<CompleteAnswer> {
  const { namespace, nowMs } = context;
  if (isCompleteAlready(namespace, request)) return doneAlready;
  const { row, fileId } = writtenFile(context, request);
  const committed = request.last === null ? [] : commitEdits(namespace, row, request.last);
  const last = lastBlockOf(namespace, row);
  if (request.last === null && last >= 0 && !isFinal(namespace, last)) {
    throw blockError(namespace.blocks.id.get(last), 'is being written; name it as the last one');
  }
  const isComplete = areAllReported(context, row, request.last);
  const close: Edit[] = isComplete ? [{ op: 'close', fileId, timeMs: nowMs }] : [];
  return { edits: [...committed, ...close], effects: [], answer: () => ({ isComplete }) };
}

const doneAlready: WritePlan<CompleteAnswer> = {
  ...{ edits: [], effects: [] },
  answer: () => ({ isComplete: true }),
};

/** The answer to the first call was lost: the file is closed, and ends with this block. */
function isCompleteAlready(namespace: Namespace, { fileId, path, last }: CompleteRequest): boolean {
  if (namespace.openFiles.has(fileId)) return false;
  if (last === null) {
    const { row } = targetOf(namespace, path);
    return row !== null && namespace.inodes.id.get(row) === fileId;
  }
  const block = namespace.blocks.find(last.blockId);
  if (block < 0) throw leaseError(fileId, `it is not at "${path}" any more`);
  const row = namespace.blocks.file.get(block);
  const isSame = namespace.inodes.id.get(row) === fileId && lastBlockOf(namespace, row) === block;
  const { generationStamp, lengthBytes } = versionOf(namespace, block);
  return isSame && generationStamp === last.generationStamp && lengthBytes === last.lengthBytes;
}

/** `last` as its writer says it: it may not be applied yet. */
function areAllReported(context: WriteContext, row: number, last: ExtendedBlock | null): boolean {
  const { namespace, replicas } = context;
  const { contents } = namespace.inodes;
  for (let index = contents.count.get(row) - 1; index >= 0; index--) {
    const version = versionOf(namespace, contents.at(row, index));
    const isLast = version.blockId === last?.blockId;
    if (!replicas.isReported(isLast && last !== null ? last : version)) return false;
  }
  return true;
}

function noDatanodesError(path: string, excludedCount: number) {
  return typedError('DFS_NO_DATANODES', `no datanode can take a block of "${path}"`, {
    hint:
      excludedCount > 0
        ? `The writer could not reach ${excludedCount} of them. Look at their logs and at the network.`
        : 'Start datanodes, or free space on their disks: "millrace dfs report" lists them.',
    retryable: true,
    details: { path, excludedCount },
  });
}

function notReportedError(blockId: number) {
  return typedError('DFS_NOT_REPORTED', `no datanode has reported block ${blockId} yet`, {
    hint: 'Ask again in a moment.',
    retryable: true,
    details: { blockId },
  });
}
