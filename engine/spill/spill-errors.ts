/** What can go wrong with spill files, as typed errors. */
import { codeOf, type TypedError, typedError } from '../../base/typed-error.ts';
import { formatBytes } from '../../base/units.ts';

export function spillDamaged(path: string, byteOffset: number, why: string): TypedError {
  return typedError(
    'SPILL_DAMAGED',
    `spill file "${path}" is damaged at byte ${byteOffset}: ${why}`,
    {
      hint:
        'Something else changed the file, or the disk lost what was written. Run the job again; if it ' +
        'comes back, look at the disk, or choose another one with --spill-dir.',
      details: { path, byteOffset },
    },
  );
}

/** What a failed write means: a full disk is told with what fills it, all else as it is. */
export function spillWriteError(error: unknown, operator: string, writtenBytes: number): unknown {
  if (codeOf(error) !== 'DISK_FULL') return error;
  const path = (error as TypedError).info.details?.path;
  const message = `"${operator}" has put ${formatBytes(writtenBytes)} on disk and there is no room for more`;
  return typedError('SPILL_DISK_FULL', message, {
    hint:
      'Free some space, choose a folder on a larger disk with --spill-dir, or give the job more ' +
      'memory with --memory.',
    details: { operator, writtenBytes, ...(path !== undefined && { path }) },
    cause: error,
  });
}
