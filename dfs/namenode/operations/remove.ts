/**
 * Removing: files at once, directories with all that is in them, or only when they are empty.
 *
 * @see Apache Hadoop HDFS, `FSDirDeleteOp`
 */
import { typedError } from '../../../base/typed-error.ts';
import type { DeleteRequest, DoneAnswer } from '../../protocol/client-protocol.ts';
import { rootRow } from '../namespace/inode-table.ts';
import { type OperationContext, type Plan, targetOf } from './operation.ts';
import { rights, verifyRemovable, verifyTraverse, verifyTree } from './permission.ts';

/**
 * False when nothing is there, and for the root.
 * @throws DFS_NOT_EMPTY, DFS_NOT_A_DIRECTORY, DFS_PERMISSION, DFS_PATH
 */
export function remove(context: OperationContext, request: DeleteRequest): Plan<DoneAnswer> {
  const { namespace, nowMs } = context;
  const target = targetOf(namespace, request.path);
  verifyTraverse(context, target, 'create');
  const { row, path } = target;
  const nothing = { edits: [], answer: () => ({ isDone: false }) };
  if (row === null) return nothing;
  const isFilled = namespace.inodes.isDirectory(row) && namespace.childCountOf(row) > 0;
  if (isFilled && !request.isRecursive) throw notEmptyError(path);
  if (row === rootRow) return nothing;
  verifyRemovable(context, row);
  if (isFilled) verifyTree(context, row, rights.read | rights.write | rights.execute);
  return { edits: [{ op: 'delete', path, timeMs: nowMs }], answer: () => ({ isDone: true }) };
}

function notEmptyError(path: string) {
  return typedError('DFS_NOT_EMPTY', `directory "${path}" is not empty`, {
    hint: 'Delete it with all that is in it ("-r"), or empty it first.',
    details: { path },
  });
}
