/**
 * Turns the system's own disk errors into typed ones, in one table, so that callers match codes of
 * ours on every platform and in simulation. The system's code stays in `details.systemCode`.
 */
import type { ErrorCode } from '../error-codes.ts';
import { TypedError, typedError } from '../typed-error.ts';

interface DiskErrorEntry {
  readonly code: ErrorCode;
  /** Completes the sentence "<kind of thing> "<path>" …". */
  readonly says: string;
  readonly hint: string;
}

const notFound: DiskErrorEntry = {
  code: 'DISK_NOT_FOUND',
  says: 'does not exist',
  hint: 'Check the path for typing mistakes; relative paths start at the current folder.',
};
const permission: DiskErrorEntry = {
  code: 'DISK_PERMISSION',
  says: 'may not be accessed',
  hint: 'Give this user the right to read or write the path, or choose another one.',
};
const full: DiskErrorEntry = {
  code: 'DISK_FULL',
  says: 'has no space left on its disk',
  hint: 'Free some space or choose a path on another disk, then run again.',
};
const exists: DiskErrorEntry = {
  code: 'DISK_EXISTS',
  says: 'exists already',
  hint: 'Choose another name or remove what is there.',
};
const notAFolder: DiskErrorEntry = {
  code: 'DISK_NOT_A_FOLDER',
  says: 'is no folder, or a part of the path is none',
  hint: 'Name a folder, or a path whose every parent is a folder.',
};
const isAFolder: DiskErrorEntry = {
  code: 'DISK_IS_A_FOLDER',
  says: 'is a folder where a file was expected',
  hint: 'Name a file, or remove the folder that has its name.',
};
const tooManyFiles: DiskErrorEntry = {
  code: 'DISK_TOO_MANY_FILES',
  says: 'could not be opened: too many files are open',
  hint: 'Raise the limit of open files ("ulimit -n") or lower the parallelism.',
};
const inputOutput: DiskErrorEntry = {
  code: 'DISK_IO',
  says: 'could not be read or written',
  hint: 'Look at the system code and at the log of the machine for the reason.',
};

/** System code → what we call it. What is not listed is DISK_IO. */
const entryOfSystemCode: Readonly<Record<string, DiskErrorEntry>> = {
  ENOENT: notFound,
  EACCES: permission,
  EPERM: permission,
  EROFS: permission,
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: full,
  EEXIST: exists,
  ENOTEMPTY: exists,
  ENOTDIR: notAFolder,
  EISDIR: isAFolder,
  ERR_FS_EISDIR: isAFolder,
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
};

/** The system's code of an error ("ENOENT"), or "UNKNOWN". */
export function systemCodeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'UNKNOWN';
}

/** Makes the typed error for a system code; the simulated disk makes its errors here as well. */
export function diskError(systemCode: string, path: string, cause?: unknown): TypedError {
  const entry = entryOfSystemCode[systemCode] ?? inputOutput;
  return typedError(entry.code, `path "${path}" ${entry.says}`, {
    hint: entry.hint,
    details: { path, systemCode },
    cause,
  });
}

/** The typed error of anything that a call of `node:fs` threw; typed errors pass unchanged. */
export function toDiskError(error: unknown, path: string): TypedError {
  if (error instanceof TypedError) return error;
  return diskError(systemCodeOf(error), path, error);
}
