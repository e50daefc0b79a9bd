/**
 * Permissions as HDFS has them: nine bits for owner, group and others, and the sticky bit of directories. Exactly one of the
 * three applies, the first that fits; the superuser is asked nothing.
 *
 *     traverse   execute on every directory of the path, whatever is done at its end
 *     sticky     in such a directory, only the owner of the directory or of the entry removes or renames it
 *
 * @see Apache Hadoop HDFS, `FSPermissionChecker`
 */
import { typedError } from '../../../base/typed-error.ts';
import type { Namespace, Resolved } from '../namespace/namespace.ts';
import { type Access, deepestOf, type OperationContext, type Target } from './operation.ts';

export const rights = { execute: 1, write: 2, read: 4 } as const;

const stickyBit = 0o1000;

/** The three bits of an inode that apply to someone. */
function bitsFor({ inodes, people }: Namespace, row: number, access: Access): number {
  const mode = inodes.permissionOf(row);
  if (people.textOf(inodes.owner.get(row)) === access.user) return (mode >> 6) & 7;
  if (access.groups.has(people.textOf(inodes.group.get(row)))) return (mode >> 3) & 7;
  return mode & 7;
}

/** @throws DFS_PERMISSION */
export function verifyRights(context: OperationContext, row: number, wanted: number): void {
  const { namespace, access } = context;
  if (access.isSuperuser || (bitsFor(namespace, row, access) & wanted) === wanted) return;
  throw deniedError(context, row, namesOf(wanted));
}

/**
 * Everything above the target must be a directory that may be passed. `create`: for operations that put something
 * there, for which a file in the way is a mistake in the path; for others nothing is below a file.
 * @throws DFS_PERMISSION, DFS_NOT_A_DIRECTORY
 */
export function verifyTraverse(
  context: OperationContext,
  target: Target,
  purpose: 'create' | 'look',
): void {
  const { namespace, access } = context;
  const { names, rows } = target;
  rows.forEach((row, depth) => {
    if (depth === names.length) return;
    if (namespace.inodes.isDirectory(row)) verifyRights(context, row, rights.execute);
    else if (purpose === 'create') throw notADirectoryError(namespace.pathOf(row), target.path);
    else if (!access.isSuperuser) throw deniedError(context, row, 'EXECUTE');
  });
}

/** Whoever adds below what is there must be allowed to write in the deepest directory of the path. @throws DFS_PERMISSION */
export function verifyAncestorWrite(context: OperationContext, target: Resolved): void {
  const { names, rows } = target;
  const above = rows.length > names.length ? rows.at(-2) : deepestOf(target);
  if (above !== undefined) verifyRights(context, above, rights.write);
}

/** To remove or rename an entry: write in its directory, and sticky. @throws DFS_PERMISSION */
export function verifyRemovable(context: OperationContext, row: number): void {
  const { namespace, access } = context;
  const { inodes, people } = namespace;
  const parent = inodes.parent.get(row);
  verifyRights(context, parent, rights.write);
  if (access.isSuperuser || (inodes.permissionOf(parent) & stickyBit) === 0) return;
  const isOwn = [parent, row].some((one) => people.textOf(inodes.owner.get(one)) === access.user);
  if (!isOwn) throw deniedError(context, row, 'removal from a sticky directory');
}

/** @throws DFS_PERMISSION */
export function verifyOwner(context: OperationContext, row: number): void {
  const { namespace, access } = context;
  const { inodes, people } = namespace;
  if (access.isSuperuser || people.textOf(inodes.owner.get(row)) === access.user) return;
  throw deniedError(context, row, 'a change that only the owner may make');
}

/** To remove a tree: all rights on each directory in it that has something in it. @throws DFS_PERMISSION */
export function verifyTree(context: OperationContext, top: number, wanted: number): void {
  if (context.access.isSuperuser) return;
  const { inodes } = context.namespace;
  const waiting = [top];
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    const count = inodes.isDirectory(row) ? inodes.contents.count.get(row) : 0;
    if (count > 0) verifyRights(context, row, wanted);
    for (let index = 0; index < count; index++) {
      const entry = inodes.contents.at(row, index);
      if (inodes.isDirectory(entry)) waiting.push(entry);
    }
  }
}

/** @throws DFS_PERMISSION */
export function verifySuperuser({ access }: OperationContext, what: string): void {
  if (access.isSuperuser) return;
  throw typedError('DFS_PERMISSION', `user "${access.user}" may not ${what}`, {
    hint: 'Only the superuser may do this.',
  });
}

export function notADirectoryError(path: string, whole: string) {
  return typedError('DFS_NOT_A_DIRECTORY', `path "${path}" is a file, so "${whole}" can't be`, {
    hint: 'Choose a path whose every parent is a directory.',
    details: { path },
  });
}

/** The form of HDFS, which people and programs know how to read. */
function deniedError({ namespace, access }: OperationContext, row: number, wanted: string) {
  const { inodes, people } = namespace;
  const path = namespace.pathOf(row);
  const owner = people.textOf(inodes.owner.get(row));
  const group = people.textOf(inodes.group.get(row));
  const mode = formatMode(inodes.isDirectory(row), inodes.permissionOf(row));
  const message = `Permission denied: user=${access.user}, access=${wanted}, inode="${path}":${owner}:${group}:${mode}`;
  return typedError('DFS_PERMISSION', message, {
    hint: 'Ask the owner for the right, or the superuser to change owner or mode.',
    details: { path, user: access.user },
  });
}

/** @example `formatMode(true, 0o1755)` is "drwxr-xr-t". */
export function formatMode(isDirectory: boolean, mode: number): string {
  const bits = [6, 3, 0].map((shift) => {
    const three = (mode >> shift) & 7;
    return `${three & 4 ? 'r' : '-'}${three & 2 ? 'w' : '-'}${three & 1 ? 'x' : '-'}`;
  });
  const text = `${isDirectory ? 'd' : '-'}${bits.join('')}`;
  if ((mode & stickyBit) === 0) return text;
  return `${text.slice(0, -1)}${text.endsWith('x') ? 't' : 'T'}`;
}

function namesOf(wanted: number): string {
  const names = { 1: 'EXECUTE', 2: 'WRITE', 3: 'WRITE_EXECUTE', 4: 'READ', 5: 'READ_EXECUTE' };
  return names[wanted as keyof typeof names] ?? (wanted === 6 ? 'READ_WRITE' : 'ALL');
}
