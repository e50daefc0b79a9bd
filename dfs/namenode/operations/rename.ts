/**
 * Renaming, in HDFS's two ways: `legacy` goes into a directory that is at the destination, goes over nothing, and answers
 * false for most of what it can't do; the other says why, and with `overwrite` a file or an empty directory gives way.
 *
 * What is renamed keeps its id, its times and its writer.
 * @see Apache Hadoop HDFS, `FSDirRenameOp`
 */
import { typedError } from '../../../base/typed-error.ts';
import type { DoneAnswer, RenameRequest } from '../../protocol/client-protocol.ts';
import type { Edit } from '../namespace/edit.ts';
import { rootRow } from '../namespace/inode-table.ts';
import type { Counts } from '../namespace/quota.ts';
import { verifyRoom } from './make.ts';
import {
  existsError,
  notFoundError,
  type OperationContext,
  type Plan,
  type Target,
  targetOf,
} from './operation.ts';
import { verifyAncestorWrite, verifyRemovable, verifyTraverse } from './permission.ts';

/** @throws DFS_PERMISSION, DFS_NOT_A_DIRECTORY, DFS_QUOTA, DFS_PATH; not `legacy`: DFS_NOT_FOUND, DFS_EXISTS, DFS_RENAME */
export function rename(context: OperationContext, request: RenameRequest): Plan<DoneAnswer> {
  const { namespace } = context;
  const source = targetOf(namespace, request.source);
  const named = targetOf(namespace, request.destination);
  const isInto = request.mode === 'legacy' && isDirectoryAt(context, named);
  const destination = isInto ? entryOf(context, named, source) : named;
  verifyTraverse(context, source, 'create');
  verifyTraverse(context, destination, 'create');
  const refusal = refusalOf(context, { source, destination, mode: request.mode });
  if (refusal !== null) {
    if (request.mode !== 'legacy') throw refusal.error();
    return { edits: [], answer: () => ({ isDone: refusal.isDoneAlready }) };
  }
  return { edits: renameEdits(context, source, destination), answer: () => ({ isDone: true }) };
}

function renameEdits(context: OperationContext, source: Target, destination: Target): Edit[] {
  const { nowMs } = context;
  const row = source.row ?? rootRow;
  verifyRemovable(context, row);
  verifyAncestorWrite(context, destination);
  if (destination.row !== null) verifyRemovable(context, destination.row);
  verifyRenameRoom(context, row, destination);
  const gone: Edit[] =
    destination.row === null ? [] : [{ op: 'delete', path: destination.path, timeMs: nowMs }];
  const { path: from } = source;
  const to = destination.path;
  return [...gone, { op: 'rename', source: from, destination: to, timeMs: nowMs }];
}

/** Quotas above both have it already; what gives way makes room. */
function verifyRenameRoom(context: OperationContext, row: number, destination: Target): void {
  const { namespace } = context;
  const { parent } = namespace.inodes;
  const directory = destination.rows[destination.names.length - 1] ?? rootRow;
  const above = new Set<number>();
  for (let at = parent.get(row); ; at = parent.get(at)) {
    above.add(at);
    if (at === rootRow) break;
  }
  let shared = directory;
  while (!above.has(shared)) shared = parent.get(shared);
  const none: Counts = { names: 0, spaceBytes: 0 };
  const isCounted = !namespace.quotas.isEmpty;
  const moved = isCounted ? namespace.countsOf(row) : none;
  const gone = isCounted && destination.row !== null ? namespace.countsOf(destination.row) : none;
  const more = {
    names: moved.names - gone.names,
    spaceBytes: moved.spaceBytes - gone.spaceBytes,
  };
  if (parent.get(row) !== directory && destination.row === null) {
    verifyRoom(context, directory, more, shared);
  } else {
    const pathOf = (one: number) => namespace.pathOf(one);
    namespace.quotas.verify({ ...more, parent, directory, stopRow: shared, pathOf });
  }
}

interface Refusal {
  /** To the same name: there is nothing to do. */
  readonly isDoneAlready: boolean;
  readonly error: () => Error;
}

interface RenamePair {
  readonly source: Target;
  readonly destination: Target;
  readonly mode: RenameRequest['mode'];
}

function refusalOf({ namespace }: OperationContext, pair: RenamePair): Refusal | null {
  const { source, destination } = pair;
  const no = (error: () => Error) => ({ isDoneAlready: false, error });
  if (source.row === null) return no(() => notFoundError(source.path));
  if (source.row === rootRow || destination.row === rootRow) {
    return no(() => renameError('the root can be neither source nor destination of a rename'));
  }
  const isFile = !namespace.inodes.isDirectory(source.row);
  if (source.row === destination.row) {
    const error = () => existsError(destination.path, 'is both source and destination');
    return { isDoneAlready: isFile, error };
  }
  if (destination.rows.includes(source.row)) {
    return no(() => renameError(`"${destination.path}" is below "${source.path}"`));
  }
  if (destination.rows.length < destination.names.length) {
    return no(() => notFoundError(parentPathOf(destination)));
  }
  return destination.row === null ? null : overRefusalOf(namespace.inodes, pair, no);
}

/** What is at the destination has to give way, and can't. */
function overRefusalOf(
  inodes: OperationContext['namespace']['inodes'],
  { source, destination, mode }: RenamePair,
  no: (error: () => Error) => Refusal,
): Refusal | null {
  const { path } = destination;
  const over = destination.row ?? rootRow;
  if (mode !== 'overwrite') return no(() => existsError(path, 'is there already'));
  const isDirectory = inodes.isDirectory(over);
  if (isDirectory !== inodes.isDirectory(source.row ?? rootRow)) {
    return no(() =>
      renameError(`"${source.path}" and "${path}" are not both files or both directories`),
    );
  }
  const isFilled = isDirectory && inodes.contents.count.get(over) > 0;
  return isFilled ? no(() => renameError(`directory "${path}" is not empty`)) : null;
}

function isDirectoryAt({ namespace }: OperationContext, { row }: Target): boolean {
  return row !== null && namespace.inodes.isDirectory(row);
}

function entryOf({ namespace }: OperationContext, directory: Target, source: Target): Target {
  const last = source.path.slice(source.path.lastIndexOf('/') + 1);
  return targetOf(namespace, `${directory.path}/${last}`);
}

function parentPathOf({ path }: Target): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function renameError(message: string) {
  return typedError('DFS_RENAME', message, {
    hint: 'Choose another destination, or delete what is there first.',
  });
}
