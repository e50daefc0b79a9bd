/**
 * Making directories and files. What is missing on the way is made, too: its owner is who asks, its group that of the directory
 * it is in (as in BSD and HDFS), and who made it may always write in it.
 *
 * @see Apache Hadoop HDFS, `FSDirMkdirOp`, `FSDirWriteFileOp`
 */
import type {
  CreateAnswer,
  CreateRequest,
  DoneAnswer,
  MkdirsRequest,
} from '../../protocol/client-protocol.ts';
import type { Edit } from '../namespace/edit.ts';
import { permissionMask } from '../namespace/inode-table.ts';
import type { Namespace } from '../namespace/namespace.ts';
import { formatPath } from '../namespace/path.ts';
import { statusOf } from './look.ts';
import {
  argumentError,
  deepestOf,
  existsError,
  notFoundError,
  type OperationContext,
  type Plan,
  type Target,
  targetOf,
} from './operation.ts';
import { rights, verifyAncestorWrite, verifyRights, verifyTraverse } from './permission.ts';

const ownerWriteExecute = 0o300;

/** @throws DFS_EXISTS where a file is, DFS_NOT_A_DIRECTORY, DFS_PERMISSION, DFS_QUOTA, DFS_PATH */
export function mkdirs(context: OperationContext, request: MkdirsRequest): Plan<DoneAnswer> {
  const target = targetOf(context.namespace, request.path);
  verifyTraverse(context, target, 'create');
  const answer = () => ({ isDone: true });
  if (target.row !== null) {
    if (context.namespace.inodes.isDirectory(target.row)) return { edits: [], answer };
    throw existsError(target.path, 'is a file');
  }
  verifyAncestorWrite(context, target);
  const missingCount = target.names.length + 1 - target.rows.length;
  verifyRoom(context, deepestOf(target), { names: missingCount, spaceBytes: 0 });
  return { edits: mkdirEdits(context, target, missingCount, request.permission), answer };
}

/**
 * A new file, open for its writer. With `overwrite` a file that is there gives way, whoever writes it.
 * @throws DFS_EXISTS, DFS_NOT_FOUND without `createParent`, DFS_NOT_A_DIRECTORY, DFS_PERMISSION, DFS_QUOTA, DFS_ARGUMENT, DFS_PATH
 */
export function create(context: OperationContext, request: CreateRequest): Plan<CreateAnswer> {
  const { namespace, nowMs } = context;
  const target = targetOf(namespace, request.path);
  const { replication, blockSize } = layoutOf(context, request);
  verifyTraverse(context, target, 'create');
  const { row, path } = target;
  if (row !== null && namespace.inodes.isDirectory(row)) throw existsError(path, 'is a directory');
  if (row !== null && !request.overwrite) throw existsError(path, 'is a file already');
  const isReplaced = row !== null;
  if (isReplaced) verifyRights(context, row, rights.write);
  verifyAncestorWrite(context, target);
  const missingCount = isReplaced ? 0 : target.names.length + 1 - target.rows.length;
  if (missingCount > 1 && !request.createParent) throw notFoundError(parentPathOf(target));
  if (!isReplaced) {
    verifyRoom(context, deepestOf(target), { names: missingCount, spaceBytes: 0 });
  }
  const before: Edit[] = isReplaced
    ? [{ op: 'delete', path, timeMs: nowMs }]
    : mkdirEdits(context, target, missingCount - 1, inheritedBits(namespace, deepestOf(target)));
  const { user, group } = ownersOf(
    context,
    isReplaced ? parentOf(context, row) : deepestOf(target),
  );
  const file: Edit = {
    ...{ op: 'create', path, id: namespace.nextInodeId + before.length, owner: user, group },
    ...{ mode: request.permission & permissionMask, timeMs: nowMs, replication, blockSize },
    clientName: request.clientName,
  };
  const answer = () => ({ status: statusOf(namespace, targetOf(namespace, path).row ?? 0, '') });
  return { edits: [...before, file], answer };
}

/** A file's own mode says nothing of directories: those on its way are like the one that they are in. */
function inheritedBits({ inodes }: Namespace, directory: number): number {
  return inodes.permissionOf(directory) & 0o777;
}

/** Edits for the first `count` directories of the path that are missing. */
function mkdirEdits(
  context: OperationContext,
  { names, rows }: Target,
  count: number,
  permission: number,
): Edit[] {
  const { namespace, nowMs } = context;
  const { user: owner, group } = ownersOf(context, rows.at(-1) ?? 0);
  return Array.from({ length: count }, (_, index) => {
    const depth = rows.length + index;
    // Those on the way: who makes them has to be able to go on.
    const isOnTheWay = depth < names.length;
    const mode = (isOnTheWay ? permission | ownerWriteExecute : permission) & permissionMask;
    const path = formatPath(names.slice(0, depth));
    return {
      op: 'mkdir',
      path,
      id: namespace.nextInodeId + index,
      owner,
      group,
      mode,
      timeMs: nowMs,
    };
  });
}

function ownersOf({ namespace, access }: OperationContext, directory: number) {
  const { inodes, people } = namespace;
  return { user: access.user, group: people.textOf(inodes.group.get(directory)) };
}

function parentOf({ namespace }: OperationContext, row: number): number {
  return namespace.inodes.parent.get(row);
}

function parentPathOf({ names }: Target): string {
  return formatPath(names.slice(0, -1));
}

/** @throws DFS_ARGUMENT */
function layoutOf({ limits }: OperationContext, request: CreateRequest) {
  const replication = request.replication ?? limits.replication;
  const blockSize = request.blockSizeBytes ?? limits.blockSizeBytes;
  verifyReplication(replication, limits.replicationMax);
  if (!Number.isSafeInteger(blockSize) || blockSize < limits.blockSizeBytesMin) {
    throw argumentError(
      `block size ${blockSize} is less than ${limits.blockSizeBytesMin}, the least of this cluster`,
      'Choose a greater block size, or leave it out.',
    );
  }
  return { replication, blockSize };
}

/** @throws DFS_ARGUMENT */
export function verifyReplication(replication: number, replicationMax: number): void {
  if (Number.isSafeInteger(replication) && replication >= 1 && replication <= replicationMax)
    return;
  throw argumentError(
    `replication ${replication} is not between 1 and ${replicationMax}`,
    'Choose how many replicas each block shall have; 3 is usual.',
  );
}

/** Room in a directory for one more entry, and in quotas for what comes with it. @throws DFS_QUOTA */
export function verifyRoom(
  { namespace, limits }: OperationContext,
  directory: number,
  more: { readonly names: number; readonly spaceBytes: number },
  stopRow: number | null = null,
): void {
  const count = namespace.childCountOf(directory);
  if (count >= limits.directoryEntriesMax) {
    throw argumentError(
      `directory "${namespace.pathOf(directory)}" has ${count} entries, as many as one may have`,
      'Put the files into several directories.',
    );
  }
  const { parent } = namespace.inodes;
  const pathOf = (row: number) => namespace.pathOf(row);
  namespace.quotas.verify({ ...more, parent, directory, stopRow, pathOf });
}
