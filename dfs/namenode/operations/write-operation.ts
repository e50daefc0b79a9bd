/**
 * Operations of writers: as all others pure, with two more things to look at, replicas and leases, and a third thing that
 * comes of them beside edits and answer: what the block map has to know.
 *
 *     request ─▶ operation(context, request) ─▶ { edits, effects, answer }
 *
 * After: dfs/namenode/operations/write.ts.
 */
import { typedError } from '../../../base/typed-error.ts';
import type { ExtendedBlock, LocatedBlock, ReplicaLocation } from '../../protocol/block.ts';
import type { LeaseManager } from '../leases/lease-manager.ts';
import { blockStates } from '../namespace/block-table.ts';
import type { Edit } from '../namespace/edit.ts';
import type { Namespace } from '../namespace/namespace.ts';
import type { OperationContext, Plan } from './operation.ts';

export interface TargetRequest {
  readonly count: number;
  readonly sizeBytes: number;
  /** Where the writer runs; null: anywhere. */
  readonly clientHost: string | null;
  /** Those that have it already. */
  readonly existing: readonly ReplicaLocation[];
  readonly excludedDatanodeIds: readonly string[];
}

/** What operations may ask the block map. */
export interface ReplicaView {
  /** Enough finalized replicas with this generation stamp and length are reported for the block to count as written. */
  isReported(block: BlockVersion): boolean;
  /** Best first; of a block that is being written, those of its pipeline. */
  locationsOf(blockId: number): readonly ReplicaLocation[];
  /** Every replica is known to be damaged. */
  isCorrupt(blockId: number): boolean;
  /** Fewer than asked for where there are no more; none where nobody has room. */
  chooseTargets(request: TargetRequest): readonly ReplicaLocation[];
  /** The id that the newest recovery of a block has; null while there is none. */
  recoveryIdOf(blockId: number): number | null;
}

export interface BlockVersion {
  readonly blockId: number;
  readonly generationStamp: number;
  readonly lengthBytes: number;
}

export type BlockEffect =
  /** These are to have replicas: a pipeline was made, or made anew. */
  | {
      readonly kind: 'expect';
      readonly blockId: number;
      readonly locations: readonly ReplicaLocation[];
    }
  /** One of those that may have a replica shall lead a recovery. */
  | {
      readonly kind: 'recover';
      readonly block: BlockVersion;
      readonly recoveryId: number;
      readonly newLengthBytes: number | null;
    }
  /** A recovery is over: these have the block as it is now. */
  | {
      readonly kind: 'recovered';
      readonly block: BlockVersion;
      readonly replicas: readonly { readonly datanodeId: string; readonly storageId: string }[];
    };

export interface WriteContext extends OperationContext {
  readonly blockPoolId: string;
  readonly replicas: ReplicaView;
  readonly leases: LeaseManager;
  /** For leases; `nowMs` is by the wall clock. */
  readonly monoMs: number;
}

export interface WritePlan<Answer> extends Plan<Answer> {
  readonly effects: readonly BlockEffect[];
}

export interface OpenTarget {
  readonly row: number;
  readonly fileId: number;
  readonly path: string;
}

/**
 * The file of a writer, which is still his.
 * @throws DFS_LEASE
 */
export function writtenFile(
  { namespace }: WriteContext,
  { fileId, clientName }: { readonly fileId: number; readonly clientName: string },
): OpenTarget {
  const open = namespace.openFiles.get(fileId);
  if (open === undefined) throw leaseError(fileId, 'it was closed or removed');
  if (open.clientName !== clientName) throw leaseError(fileId, 'another client has it now');
  return { row: open.row, fileId, path: namespace.pathOf(open.row) };
}

/** Row of the last block of a file, or -1. */
export function lastBlockOf({ inodes }: Namespace, row: number): number {
  const count = inodes.contents.count.get(row);
  return count === 0 ? -1 : inodes.contents.at(row, count - 1);
}

export function versionOf({ blocks }: Namespace, blockRow: number): BlockVersion {
  return {
    blockId: blocks.id.get(blockRow),
    generationStamp: blocks.generationStamp.get(blockRow),
    lengthBytes: blocks.lengthBytes.get(blockRow),
  };
}

/** Whether its length is final. */
export function isFinal({ blocks }: Namespace, blockRow: number): boolean {
  const state = blocks.state.get(blockRow);
  return state === blockStates.complete || state === blockStates.committed;
}

export function locate(
  { blockPoolId, replicas }: WriteContext,
  version: BlockVersion,
  offsetBytes: number,
  locations: readonly ReplicaLocation[] = replicas.locationsOf(version.blockId),
): LocatedBlock {
  const isCorrupt = replicas.isCorrupt(version.blockId);
  return { block: { ...version, blockPoolId }, offsetBytes, locations, isCorrupt, token: '' };
}

/**
 * The edit that fixes a block's length at what its writer says.
 * @throws DFS_BLOCK when this is not the last block, or a version of it that nobody writes
 */
export function commitEdits(namespace: Namespace, row: number, written: ExtendedBlock): Edit[] {
  const last = lastBlockOf(namespace, row);
  const { blockId, generationStamp, lengthBytes } = written;
  if (last < 0 || namespace.blocks.id.get(last) !== blockId) {
    throw blockError(blockId, 'is not the last one of its file');
  }
  const known = versionOf(namespace, last);
  if (isFinal(namespace, last)) {
    if (known.generationStamp === generationStamp && known.lengthBytes === lengthBytes) return [];
    throw blockError(blockId, `was committed with ${known.lengthBytes} bytes`);
  }
  if (namespace.blocks.state.get(last) !== blockStates.underConstruction) {
    throw blockError(blockId, 'is being recovered');
  }
  if (known.generationStamp !== generationStamp) {
    throw blockError(blockId, `has the generation stamp ${known.generationStamp}`);
  }
  const blockSize = namespace.inodes.blockSize.get(row);
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes < known.lengthBytes) {
    throw blockError(blockId, `has ${known.lengthBytes} bytes already`);
  }
  if (lengthBytes > blockSize) throw blockError(blockId, `has at most ${blockSize} bytes`);
  const state = blockStates.committed;
  return [{ op: 'setBlock', blockId, generationStamp, lengthBytes, state }];
}

export function leaseError(fileId: number, why: string) {
  return typedError('DFS_LEASE', `file ${fileId} is not this client's to write: ${why}`, {
    hint: 'Open the file again, or write another one.',
    details: { fileId },
  });
}

export function blockError(blockId: number, why: string) {
  return typedError('DFS_BLOCK', `block ${blockId} ${why}`, {
    hint: 'Open the file again: its blocks are others than the writer believes.',
    details: { blockId },
  });
}
