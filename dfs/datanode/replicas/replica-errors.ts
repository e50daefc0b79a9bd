/** What can be wrong with a replica, a volume, or what was asked of them. */
import { type TypedError, typedError } from '../../../base/typed-error.ts';

export function replicaNotFoundError(blockId: number): TypedError {
  return typedError('DFS_REPLICA_NOT_FOUND', `this datanode has no replica of block ${blockId}`, {
    hint: 'Ask the namenode for the locations of the block, and read from another one.',
    retryable: true,
    details: { blockId },
  });
}

/** The replica is of another generation than the caller means, or shorter than it must be. */
export function replicaStaleError(blockId: number, what: string): TypedError {
  return typedError('DFS_REPLICA_STALE', `replica of block ${blockId} ${what}`, {
    hint: 'Ask the namenode for the locations of the block, and use another one.',
    retryable: true,
    details: { blockId },
  });
}

export function replicaStateError(blockId: number, state: string, wanted: string): TypedError {
  const message = `replica of block ${blockId} is ${state}, and can't be ${wanted}`;
  return typedError('DFS_REPLICA_STATE', message, {
    hint: 'Another writer, a recovery or a copy has it; ask the namenode for the locations of the block.',
    retryable: true,
    details: { blockId, state },
  });
}

export function replicaExistsError(blockId: number, state: string): TypedError {
  return typedError(
    'DFS_REPLICA_EXISTS',
    `this datanode has a replica of block ${blockId}, ${state}`,
    {
      hint: 'A datanode has at most one replica of a block; choose another one.',
      retryable: true,
      details: { blockId, state },
    },
  );
}

/** Bytes on the disk are not those that were written. */
export function replicaDamagedError(
  blockId: number,
  path: string,
  reason: string,
  byteOffset?: number,
): TypedError {
  return typedError('DFS_REPLICA_DAMAGED', `replica of block ${blockId} is damaged: ${reason}`, {
    hint: 'Read another replica. This one is reported to the namenode, which replaces it by a good one.',
    retryable: true,
    details: { blockId, path, reason, ...(byteOffset !== undefined && { byteOffset }) },
  });
}

/** Bytes that came over the network are not those that were sent. */
export function packetDamagedError(blockId: number, byteOffset: number): TypedError {
  const message = `bytes of block ${blockId} from ${byteOffset} on do not have their checksum`;
  return typedError('DFS_PACKET_DAMAGED', message, {
    hint: 'They were damaged on the way; the writer sends them again, through other datanodes.',
    retryable: true,
    details: { blockId, byteOffset },
  });
}

export function writerReplacedError(blockId: number): TypedError {
  const message = `another writer or a recovery has taken over block ${blockId}`;
  return typedError('DFS_WRITER_REPLACED', message, {
    hint: 'Only the newest writer of a block goes on. Open the file again to write on.',
    details: { blockId },
  });
}

export function volumeFailedError(folder: string, cause: unknown): TypedError {
  return typedError('DFS_VOLUME_FAILED', `volume "${folder}" has failed and is taken out`, {
    hint: 'Replace the disk, then start the datanode again. The other volumes go on, and the namenode has its blocks copied.',
    retryable: true,
    details: { folder },
    cause,
  });
}

export function noSpaceError(neededBytes: number, volumeCount: number): TypedError {
  const message = `none of the ${volumeCount} volumes has room for ${neededBytes} bytes more`;
  return typedError('DFS_NO_SPACE', message, {
    hint: 'Remove files, add a volume or another datanode, or lower what is reserved.',
    retryable: true,
    details: { neededBytes },
  });
}
