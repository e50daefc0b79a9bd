/**
 * Where the bytes of a file are: its blocks that meet a range, with their replicas.
 *
 * @see Apache Hadoop HDFS, `BlockManager.createLocatedBlocks`
 */
import type { LocatedBlock } from '../../protocol/block.ts';
import type { GetBlockLocationsRequest, LocatedBlocks } from '../../protocol/client-protocol.ts';
import { argumentError, fileRow, type Plan, targetOf } from './operation.ts';
import { rights, verifyRights, verifyTraverse } from './permission.ts';
import { isFinal, lastBlockOf, locate, versionOf, type WriteContext } from './write-operation.ts';

/** @throws DFS_NOT_FOUND, DFS_NOT_A_FILE, DFS_PERMISSION, DFS_ARGUMENT, DFS_PATH */
export function getBlockLocations(
  context: WriteContext,
  request: GetBlockLocationsRequest,
): Plan<LocatedBlocks> {
  const { namespace } = context;
  const target = targetOf(namespace, request.path);
  verifyTraverse(context, target, 'look');
  const row = fileRow(namespace, target);
  verifyRights(context, row, rights.read);
  const { offsetBytes, lengthBytes } = request;
  for (const value of [offsetBytes, lengthBytes]) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw argumentError(`${value} is no place in a file`, 'Give whole numbers of bytes from 0 on.');
  }
  const blocks = blocksIn(context, row, offsetBytes, offsetBytes + lengthBytes);
  const fileLengthBytes = namespace.lengthOf(row);
  const isUnderConstruction = namespace.inodes.isOpen(row);
  const answer = { fileLengthBytes, blocks, isUnderConstruction };
  return { edits: [], answer: () => answer };
}

/** The last block of an open file may have more bytes than the namenode knows: it meets every range behind its start. */
function blocksIn(context: WriteContext, row: number, start: number, end: number): LocatedBlock[] {
  const { namespace } = context;
  const { contents } = namespace.inodes;
  const last = lastBlockOf(namespace, row);
  const blocks: LocatedBlock[] = [];
  let offset = 0;
  for (let index = 0; index < contents.count.get(row) && offset < end; index++) {
    const block = contents.at(row, index);
    const version = versionOf(namespace, block);
    const isOpenEnd = block === last && !isFinal(namespace, block);
    if (isOpenEnd || offset + version.lengthBytes > start) {
      blocks.push(locate(context, version, offset));
    }
    offset += version.lengthBytes;
  }
  return blocks;
}
