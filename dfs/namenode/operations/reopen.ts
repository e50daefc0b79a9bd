/**
 * Writing a file that is there: more at its end, or less of it.
 *
 * Truncating at the end of a block takes blocks away and is done at once. Within a block all replicas have to be cut to the same
 * length first: that is a recovery with a length that is known, and the file is open until it is over.
 *
 * @see Apache Hadoop HDFS, `FSDirAppendOp`, `FSDirTruncateOp`
 */
import { typedError } from '../../../base/typed-error.ts';
import type {
  AppendAnswer,
  AppendRequest,
  DoneAnswer,
  TruncateRequest,
} from '../../protocol/client-protocol.ts';
import { recoveryHolder } from '../leases/lease-manager.ts';
import { blockStates } from '../namespace/block-table.ts';
import type { Edit } from '../namespace/edit.ts';
import { statusOf } from './look.ts';
import { argumentError, fileRow, type Target, targetOf } from './operation.ts';
import { rights, verifyRights, verifyTraverse } from './permission.ts';
import { releaseLease } from './recover.ts';
import {
  blockError,
  lastBlockOf,
  locate,
  versionOf,
  type WriteContext,
  type WritePlan,
} from './write-operation.ts';

/**
 * The file is the caller's; with the last block where it is not full, for which updateBlockForPipeline comes next.
 * @throws DFS_NOT_FOUND, DFS_NOT_A_FILE, DFS_PERMISSION, DFS_BEING_WRITTEN, DFS_BLOCK, DFS_QUOTA, DFS_PATH
 */
export function append(context: WriteContext, request: AppendRequest): WritePlan<AppendAnswer> {
  const { namespace } = context;
  const { target, row } = reach(context, request);
  const taken = takenPlan(context, target, row);
  if (taken !== null) return taken;
  const open: Edit = { op: 'open', path: target.path, clientName: request.clientName };
  const status = () => statusOf(namespace, row, '');
  const last = lastBlockOf(namespace, row);
  const blockSize = namespace.inodes.blockSize.get(row);
  const isFull = last < 0 || namespace.blocks.lengthBytes.get(last) >= blockSize;
  if (isFull || request.newBlock) {
    return { edits: [open], effects: [], answer: () => ({ status: status(), lastBlock: null }) };
  }
  const version = versionOf(namespace, last);
  const locations = context.replicas.locationsOf(version.blockId);
  if (locations.length === 0) throw blockError(version.blockId, 'has no replica to be written on');
  verifyGrowth(context, row, blockSize - version.lengthBytes);
  const state = blockStates.underConstruction;
  const offsetBytes = namespace.lengthOf(row) - version.lengthBytes;
  const lastBlock = locate(context, version, offsetBytes, locations);
  return {
    edits: [open, { op: 'setBlock', ...version, state }],
    effects: [{ kind: 'expect', blockId: version.blockId, locations }],
    answer: () => ({ status: status(), lastBlock }),
  };
}

/**
 * True when it is done; false while replicas are being cut.
 * @throws DFS_NOT_FOUND, DFS_NOT_A_FILE, DFS_PERMISSION, DFS_BEING_WRITTEN, DFS_ARGUMENT, DFS_PATH
 */
export function truncate(context: WriteContext, request: TruncateRequest): WritePlan<DoneAnswer> {
  const { namespace, nowMs } = context;
  const { target, row } = reach(context, request);
  const taken = takenPlan(context, target, row);
  if (taken !== null) return taken;
  const { newLengthBytes, clientName } = request;
  const lengthBytes = namespace.lengthOf(row);
  const isLength = Number.isSafeInteger(newLengthBytes) && newLengthBytes >= 0;
  if (!isLength || newLengthBytes > lengthBytes) {
    throw argumentError(
      `file "${target.path}" has ${lengthBytes} bytes and can't be cut to ${newLengthBytes}`,
      'A file is made longer by appending to it.',
    );
  }
  if (newLengthBytes === lengthBytes) {
    return { edits: [], effects: [], answer: () => ({ isDone: true }) };
  }
  const fileId = namespace.inodes.id.get(row);
  const { gone, cut } = partsOf(context, row, newLengthBytes);
  const open: Edit = { op: 'open', path: target.path, clientName };
  const removed = gone.map((blockId): Edit => ({ op: 'removeBlock', blockId }));
  const close: Edit = { op: 'close', fileId, timeMs: nowMs };
  const answer = () => ({ isDone: cut === null });
  if (cut === null) return { edits: [open, ...removed, close], effects: [], answer };
  const recoveryId = namespace.nextGenerationStamp;
  const set: Edit = { op: 'setBlock', ...cut, state: blockStates.underTruncation };
  return {
    edits: [open, ...removed, set, { op: 'stamp', generationStamp: recoveryId }],
    effects: [{ kind: 'recover', block: cut, recoveryId, newLengthBytes: cut.lengthBytes }],
    answer,
  };
}

/** Blocks behind the new end, last first, and the one that is cut, with its new length. */
function partsOf({ namespace }: WriteContext, row: number, newLengthBytes: number) {
  const { contents } = namespace.inodes;
  const gone: number[] = [];
  let startBytes = namespace.lengthOf(row);
  for (let index = contents.count.get(row) - 1; index >= 0; index--) {
    const version = versionOf(namespace, contents.at(row, index));
    startBytes -= version.lengthBytes;
    if (startBytes >= newLengthBytes) gone.push(version.blockId);
    else {
      const lengthBytes = newLengthBytes - startBytes;
      const isWhole = lengthBytes === version.lengthBytes;
      return { gone, cut: isWhole ? null : { ...version, lengthBytes } };
    }
  }
  return { gone, cut: null };
}

function reach(context: WriteContext, { path }: { readonly path: string }) {
  const target = targetOf(context.namespace, path);
  verifyTraverse(context, target, 'create');
  const row = fileRow(context.namespace, target);
  verifyRights(context, row, rights.write);
  return { target, row };
}

/**
 * What comes of asking for a file that has a writer: no; but when he was silent for long, the file is taken from him first.
 * Null for a file without one.
 */
function takenPlan(context: WriteContext, { path }: Target, row: number): WritePlan<never> | null {
  const { namespace, leases, monoMs } = context;
  const fileId = namespace.inodes.id.get(row);
  const writer = namespace.openFiles.get(fileId)?.clientName;
  if (writer === undefined) return null;
  const refuse = (): never => {
    throw beingWrittenError(path, writer);
  };
  const isBegun = writer === recoveryHolder;
  if (isBegun || !leases.isSoftExpired(writer, monoMs)) return refuse();
  return { ...releaseLease(context, fileId), answer: refuse };
}

function verifyGrowth({ namespace }: WriteContext, row: number, bytes: number): void {
  const { parent, replication } = namespace.inodes;
  const pathOf = (one: number) => namespace.pathOf(one);
  const more = { names: 0, spaceBytes: bytes * replication.get(row), stopRow: null };
  namespace.quotas.verify({ ...more, parent, directory: parent.get(row), pathOf });
}

function beingWrittenError(path: string, writer: string) {
  const who = writer === recoveryHolder ? 'being recovered' : `written by "${writer}"`;
  return typedError('DFS_BEING_WRITTEN', `file "${path}" is ${who}`, {
    hint: 'Wait until its writer has closed it, or was silent for a minute; then try again.',
    retryable: true,
    details: { path },
  });
}
