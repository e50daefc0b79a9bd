/** What can be wrong with snapshot files, as typed errors that name the file and the part. */
import { codeOf, type TypedError, typedError } from '../../base/typed-error.ts';
import type { SnapshotPart } from '../../engine/checkpoint/task-snapshot.ts';

/** @param path - As the disk knows the file. */
export function snapshotDamaged(
  path: string,
  { part, byteOffset }: SnapshotPart,
  why: string,
  cause?: unknown,
): TypedError {
  const message = `part "${part}" of snapshot file "${path}" is damaged at byte ${byteOffset}: ${why}`;
  return typedError('SNAPSHOT_DAMAGED', message, {
    hint:
      'Something else changed the file, or the disk lost what was written. Go on from an earlier checkpoint, ' +
      'and look at the disk.',
    details: { path, part, byteOffset },
    ...(cause !== undefined && { cause }),
  });
}

/** What reading a part threw: bytes that are no rows mean damage, all else stays as it is. */
export function partReadError(path: string, part: SnapshotPart, error: unknown): unknown {
  switch (codeOf(error)) {
    case 'DISK_NOT_FOUND':
      return snapshotDamaged(path, part, 'the file is not there', error);
    case 'ARROW_CORRUPT':
    case 'ARROW_FEATURE_UNSUPPORTED':
    case 'SOURCE_CHANGED':
    case 'TEXT_INVALID_UTF8':
    case 'VALUE_IS_NULL':
      return snapshotDamaged(path, part, 'it does not hold the rows of its schema', error);
    default:
      return error;
  }
}
