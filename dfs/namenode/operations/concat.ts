/**
 * Joining files: the blocks of several go behind those of one, and no byte is copied.
 *
 * @see Apache Hadoop HDFS, `FSDirConcatOp`
 */
import type { ConcatRequest, DoneAnswer } from '../../protocol/client-protocol.ts';
import {
  argumentError,
  fileRow,
  type OperationContext,
  type Plan,
  type Target,
  targetOf,
} from './operation.ts';
import { rights, verifyRemovable, verifyRights, verifyTraverse } from './permission.ts';

interface Part {
  readonly target: Target;
  readonly row: number;
}

/**
 * The sources, in the directory of the file, are gone afterwards.
 * @throws DFS_NOT_FOUND, DFS_NOT_A_FILE, DFS_PERMISSION, DFS_ARGUMENT, DFS_QUOTA, DFS_PATH
 */
export function concat(context: OperationContext, request: ConcatRequest): Plan<DoneAnswer> {
  if (request.sources.length === 0) {
    throw argumentError('no sources to be joined', 'Name at least one file.');
  }
  const into = reach(context, request.path);
  verifyRights(context, into.row, rights.write);
  const sources = request.sources.map((path) => reach(context, path));
  const seen = new Set([into.row]);
  for (const source of sources) {
    verifySource(context, into, source);
    if (seen.has(source.row)) refuse(source, 'is named twice');
    seen.add(source.row);
  }
  verifyBlocks(context, into, sources);
  verifySpace(context, into, sources);
  const paths = sources.map(({ target }) => target.path);
  const edit = {
    op: 'concat',
    path: into.target.path,
    sources: paths,
    timeMs: context.nowMs,
  } as const;
  return { edits: [edit], answer: () => ({ isDone: true }) };
}

function reach(context: OperationContext, path: string): Part {
  const target = targetOf(context.namespace, path);
  verifyTraverse(context, target, 'create');
  const part = { target, row: fileRow(context.namespace, target) };
  if (context.namespace.inodes.isOpen(part.row)) refuse(part, 'is being written');
  return part;
}

function verifySource(context: OperationContext, into: Part, source: Part): void {
  const { inodes } = context.namespace;
  verifyRights(context, source.row, rights.read);
  verifyRemovable(context, source.row);
  if (inodes.parent.get(source.row) !== inodes.parent.get(into.row)) {
    refuse(source, `is not in the directory of "${into.target.path}"`);
  }
  if (inodes.contents.count.get(source.row) === 0) refuse(source, 'is empty');
  // A block longer than the file says its blocks are would be cut by readers that compute places.
  if (inodes.blockSize.get(source.row) > inodes.blockSize.get(into.row)) {
    refuse(source, `has greater blocks than "${into.target.path}"`);
  }
}

function verifyBlocks({ namespace, limits }: OperationContext, into: Part, sources: Part[]): void {
  const { count } = namespace.inodes.contents;
  const sum = [into, ...sources].reduce((total, { row }) => total + count.get(row), 0);
  if (sum > limits.fileBlocksMax) {
    refuse(into, `would have ${sum} blocks, more than ${limits.fileBlocksMax}`);
  }
}

/** The bytes of the sources get as many replicas as the file has. */
function verifySpace({ namespace }: OperationContext, into: Part, sources: Part[]): void {
  const { parent, replication } = namespace.inodes;
  const copies = replication.get(into.row);
  const spaceBytes = sources.reduce((sum, { row }) => {
    return sum + namespace.lengthOf(row) * (copies - replication.get(row));
  }, 0);
  const pathOf = (row: number) => namespace.pathOf(row);
  const more = { names: 0, spaceBytes, stopRow: null };
  namespace.quotas.verify({ ...more, parent, directory: parent.get(into.row), pathOf });
}

function refuse({ target }: Part, why: string): never {
  throw argumentError(`file "${target.path}" can't be joined: it ${why}`, 'Name other files.');
}
