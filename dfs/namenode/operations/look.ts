/**
 * Looking: status, listing, sums, what someone may do. No edits.
 *
 * @see Apache Hadoop HDFS, `FSDirStatAndListingOp`
 */
import type {
  ContentSummary,
  DirectoryListing,
  FileStatus,
  GetListingRequest,
  PathRequest,
} from '../../protocol/client-protocol.ts';
import type { Namespace } from '../namespace/namespace.ts';
import { textOfName } from '../namespace/path.ts';
import { existingRow, type OperationContext, type Plan, targetOf } from './operation.ts';
import { rights, verifyRights, verifyTraverse, verifyTree } from './permission.ts';

/** Entries in one answer. */
const listingEntriesMax = 1_000;

const encoder = new TextEncoder();

/** @throws DFS_NOT_FOUND, DFS_PERMISSION, DFS_PATH */
export function getFileInfo(context: OperationContext, { path }: PathRequest): Plan<FileStatus> {
  const row = look(context, path);
  return { edits: [], answer: () => statusOf(context.namespace, row, '') };
}

/**
 * Entries behind a name, in the order of their bytes; a file lists itself.
 * @throws DFS_NOT_FOUND, DFS_PERMISSION, DFS_PATH
 */
export function getListing(
  context: OperationContext,
  { path, startAfter }: GetListingRequest,
): Plan<DirectoryListing> {
  const { namespace } = context;
  const row = look(context, path);
  if (!namespace.inodes.isDirectory(row)) {
    const entries = startAfter === '' ? [statusOf(namespace, row, '')] : [];
    return { edits: [], answer: () => ({ entries, remainingCount: 0 }) };
  }
  verifyRights(context, row, rights.read | rights.execute);
  const start = startAfter === '' ? 0 : namespace.indexBehind(row, encoder.encode(startAfter));
  const end = Math.min(start + listingEntriesMax, namespace.childCountOf(row));
  const entries: FileStatus[] = [];
  for (let index = start; index < end; index++) {
    const entry = namespace.inodes.contents.at(row, index);
    entries.push(statusOf(namespace, entry, textOfName(namespace.nameOf(entry))));
  }
  const remainingCount = namespace.childCountOf(row) - end;
  return { edits: [], answer: () => ({ entries, remainingCount }) };
}

/** @throws DFS_NOT_FOUND, DFS_PERMISSION, DFS_PATH */
export function getContentSummary(
  context: OperationContext,
  { path }: PathRequest,
): Plan<ContentSummary> {
  const row = look(context, path);
  verifyTree(context, row, rights.read | rights.execute);
  return { edits: [], answer: () => summaryOf(context.namespace, row) };
}

/** Refuses who may not do what `wanted` says (a sum of `rights`). @throws DFS_NOT_FOUND, DFS_PERMISSION, DFS_PATH */
export function checkAccess(
  context: OperationContext,
  { path, wanted }: PathRequest & { readonly wanted: number },
): Plan<null> {
  verifyRights(context, look(context, path), wanted);
  return { edits: [], answer: () => null };
}

function look(context: OperationContext, path: string): number {
  const target = targetOf(context.namespace, path);
  verifyTraverse(context, target, 'look');
  return existingRow(target);
}

export function statusOf(namespace: Namespace, row: number, pathSuffix: string): FileStatus {
  const { inodes, people } = namespace;
  const isDirectory = inodes.isDirectory(row);
  return {
    fileId: inodes.id.get(row),
    pathSuffix,
    type: isDirectory ? 'DIRECTORY' : 'FILE',
    lengthBytes: isDirectory ? 0 : namespace.lengthOf(row),
    replication: inodes.replication.get(row),
    blockSizeBytes: inodes.blockSize.get(row),
    owner: people.textOf(inodes.owner.get(row)),
    group: people.textOf(inodes.group.get(row)),
    permission: inodes.permissionOf(row),
    modificationTimeMs: inodes.modifiedMs.get(row),
    accessTimeMs: inodes.accessedMs.get(row),
    childrenCount: isDirectory ? namespace.childCountOf(row) : 0,
  };
}

function summaryOf(namespace: Namespace, top: number): ContentSummary {
  const { inodes } = namespace;
  const sums = { lengthBytes: 0, fileCount: 0, directoryCount: 0, spaceConsumedBytes: 0 };
  const waiting = [top];
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    if (inodes.isDirectory(row)) {
      sums.directoryCount++;
      for (let index = namespace.childCountOf(row) - 1; index >= 0; index--) {
        waiting.push(inodes.contents.at(row, index));
      }
    } else {
      const lengthBytes = namespace.lengthOf(row);
      sums.fileCount++;
      sums.lengthBytes += lengthBytes;
      sums.spaceConsumedBytes += lengthBytes * inodes.replication.get(row);
    }
  }
  const limits = namespace.quotas.at(top)?.limits ?? { namesMax: null, spaceBytesMax: null };
  return { ...sums, ...limits };
}
