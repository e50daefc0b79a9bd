/**
 * Changing what an inode has beside its contents: mode, owner, times, replication, quota.
 *
 * @see Apache Hadoop HDFS, `FSDirAttrOp`
 */
import type {
  DoneAnswer,
  SetOwnerRequest,
  SetPermissionRequest,
  SetQuotaRequest,
  SetReplicationRequest,
  SetTimesRequest,
} from '../../protocol/client-protocol.ts';
import type { Edit } from '../namespace/edit.ts';
import { permissionMask } from '../namespace/inode-table.ts';
import { verifyReplication } from './make.ts';
import {
  argumentError,
  existingRow,
  type OperationContext,
  type Plan,
  type Target,
  targetOf,
} from './operation.ts';
import {
  notADirectoryError,
  rights,
  verifyOwner,
  verifyRights,
  verifySuperuser,
  verifyTraverse,
} from './permission.ts';

/** @throws DFS_NOT_FOUND, DFS_PERMISSION, DFS_ARGUMENT, DFS_PATH */
export function setPermission(
  context: OperationContext,
  { path, permission }: SetPermissionRequest,
): Plan<DoneAnswer> {
  if (!Number.isSafeInteger(permission) || (permission & ~permissionMask) !== 0) {
    throw argumentError(`permission ${permission} has bits that none has`, 'Write it as 0o644.');
  }
  const target = reach(context, path);
  verifyOwner(context, existingRow(target));
  return done({ op: 'setPermission', path: target.path, mode: permission });
}

/**
 * Only the superuser gives a file to someone else; its owner may give it to a group that he is in.
 * @throws DFS_NOT_FOUND, DFS_PERMISSION, DFS_PATH
 */
export function setOwner(
  context: OperationContext,
  { path, owner, group }: SetOwnerRequest,
): Plan<DoneAnswer> {
  const target = reach(context, path);
  const row = existingRow(target);
  verifyOwner(context, row);
  const { namespace, access } = context;
  const { inodes, people } = namespace;
  if (owner !== null && owner !== people.textOf(inodes.owner.get(row))) {
    verifySuperuser(context, `give "${target.path}" to "${owner}"`);
  }
  if (group !== null && !access.groups.has(group)) {
    verifySuperuser(context, `give "${target.path}" to the group "${group}" without being in it`);
  }
  return done({ op: 'setOwner', path: target.path, owner, group });
}

/** @throws DFS_NOT_FOUND, DFS_PERMISSION, DFS_PATH */
export function setTimes(context: OperationContext, request: SetTimesRequest): Plan<DoneAnswer> {
  const target = reach(context, request.path);
  verifyRights(context, existingRow(target), rights.write);
  const { modificationTimeMs: modifiedMs, accessTimeMs: accessedMs } = request;
  return done({ op: 'setTimes', path: target.path, modifiedMs, accessedMs });
}

/**
 * False for what is no file.
 * @throws DFS_PERMISSION, DFS_QUOTA, DFS_ARGUMENT, DFS_PATH
 */
export function setReplication(
  context: OperationContext,
  { path, replication }: SetReplicationRequest,
): Plan<DoneAnswer> {
  const { namespace, limits } = context;
  verifyReplication(replication, limits.replicationMax);
  const target = reach(context, path);
  const { row } = target;
  if (row === null || namespace.inodes.isDirectory(row)) {
    return { edits: [], answer: () => ({ isDone: false }) };
  }
  verifyRights(context, row, rights.write);
  const { parent } = namespace.inodes;
  const before = namespace.inodes.replication.get(row);
  const spaceBytes = (namespace.spaceOf(row) / before) * (replication - before);
  const pathOf = (one: number) => namespace.pathOf(one);
  const more = { names: 0, spaceBytes, stopRow: null };
  namespace.quotas.verify({ ...more, parent, directory: parent.get(row), pathOf });
  return done({ op: 'setReplication', path: target.path, replication });
}

/** @throws DFS_NOT_FOUND, DFS_NOT_A_DIRECTORY, DFS_PERMISSION, DFS_ARGUMENT, DFS_PATH */
export function setQuota(context: OperationContext, request: SetQuotaRequest): Plan<DoneAnswer> {
  const { namesMax, spaceBytesMax } = request;
  verifySuperuser(context, 'set a quota');
  for (const limit of [namesMax, spaceBytesMax]) {
    if (limit === null || (Number.isSafeInteger(limit) && limit > 0)) continue;
    throw argumentError(`quota ${limit} is no whole number above 0`, 'Leave it out for no quota.');
  }
  const target = reach(context, request.path);
  const row = existingRow(target);
  if (!context.namespace.inodes.isDirectory(row)) {
    throw notADirectoryError(target.path, `${target.path}/`);
  }
  return done({ op: 'setQuota', path: target.path, namesMax, spaceBytesMax });
}

function reach(context: OperationContext, path: string): Target {
  const target = targetOf(context.namespace, path);
  verifyTraverse(context, target, 'create');
  return target;
}

function done(edit: Edit): Plan<DoneAnswer> {
  return { edits: [edit], answer: () => ({ isDone: true }) };
}
