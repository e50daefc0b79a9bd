/**
 * Operations: what callers ask of the namespace, as pure functions. One looks at the tree, refuses or decides, and hands
 * back edits; nothing is changed by it.
 *
 *     request ─▶ operation(context, request) ─▶ { edits, answer } ─▶ edits are applied and logged ─▶ answer()
 *                       └─ throws: nothing was done
 *
 * `answer` is called when the edits are applied, so that it can say what is there then. Reads are operations without edits.
 *
 * After: dfs/namenode/operations/permission.ts, dfs/namenode/namespace/namespace.ts.
 */
import { typedError } from '../../../base/typed-error.ts';
import type { Edit } from '../namespace/edit.ts';
import type { Namespace, Resolved } from '../namespace/namespace.ts';
import { formatPath, parsePath } from '../namespace/path.ts';

/** Who asks. */
export interface Access {
  readonly user: string;
  readonly groups: ReadonlySet<string>;
  readonly isSuperuser: boolean;
}

export interface NamespaceLimits {
  /** @defaultValue 1,048,576 as in HDFS */
  readonly directoryEntriesMax: number;
  /** @defaultValue 512 as in HDFS */
  readonly replicationMax: number;
  /** @defaultValue 1 MiB as in HDFS */
  readonly blockSizeBytesMin: number;
  /** Of a file: its list is moved as a whole when it is joined. @defaultValue 10,000 as in HDFS */
  readonly fileBlocksMax: number;
  /** Where a writer names none. */
  readonly replication: number;
  readonly blockSizeBytes: number;
}

export const defaultLimits: NamespaceLimits = {
  directoryEntriesMax: 1_048_576,
  replicationMax: 512,
  blockSizeBytesMin: 1024 ** 2,
  fileBlocksMax: 10_000,
  replication: 3,
  blockSizeBytes: 128 * 1024 ** 2,
};

export interface OperationContext {
  readonly namespace: Namespace;
  readonly access: Access;
  readonly limits: NamespaceLimits;
  /** By the wall clock: what times of files say. */
  readonly nowMs: number;
}

export interface Plan<Answer> {
  readonly edits: readonly Edit[];
  readonly answer: () => Answer;
}

/** A path and what is there: `row` of the whole path, or null. */
export interface Target extends Resolved {
  readonly path: string;
  readonly row: number | null;
}

/** @throws DFS_PATH */
export function targetOf(namespace: Namespace, path: string): Target {
  const resolved = namespace.resolve(parsePath(path));
  const row = resolved.rows[resolved.names.length] ?? null;
  return { ...resolved, path: formatPath(resolved.names), row };
}

/** The deepest inode of the path that is there. */
export function deepestOf({ rows }: Resolved): number {
  return rows.at(-1) ?? 0;
}

export function notFoundError(path: string) {
  return typedError('DFS_NOT_FOUND', `path "${path}" does not exist in the block store`, {
    hint: 'Look at what is there with "millrace dfs ls".',
    details: { path },
  });
}

function notAFileError(path: string) {
  return typedError('DFS_NOT_A_FILE', `path "${path}" is a directory, not a file`, {
    hint: 'Name a file in it.',
    details: { path },
  });
}

export function existsError(path: string, what: string) {
  return typedError('DFS_EXISTS', `path "${path}" ${what}`, {
    hint: 'Choose another name, or remove what is there.',
    details: { path },
  });
}

export function argumentError(message: string, hint: string) {
  return typedError('DFS_ARGUMENT', message, { hint });
}

/** @throws DFS_NOT_FOUND */
export function existingRow({ path, row }: Target): number {
  if (row === null) throw notFoundError(path);
  return row;
}

/** @throws DFS_NOT_FOUND, DFS_NOT_A_FILE */
export function fileRow(namespace: Namespace, target: Target): number {
  const row = existingRow(target);
  if (namespace.inodes.isDirectory(row)) throw notAFileError(target.path);
  return row;
}
