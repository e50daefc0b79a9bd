/** The errors of file sources, each worded once: what was looked for, and what is there instead. */
import type { Disk } from '../../base/env/disk.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { codeOf, type TypedError, typedError } from '../../base/typed-error.ts';
import { nameOf, parentOf, pathIn } from './file-path.ts';

/** A folder of a million names is no place to search for a typing mistake. */
const similarNamesMax = 5_000;

/** A path that leads nowhere; the hint says how far it leads, and what is called nearly so. */
export async function notFoundError(disk: Disk, path: string): Promise<TypedError> {
  let missing = path;
  let folder = parentOf(path);
  while (folder !== parentOf(folder) && (await disk.stat(folder).catch(() => null)) === null) {
    missing = folder;
    folder = parentOf(folder);
  }
  const name = nameOf(missing);
  const where = folder === '.' ? 'the current folder' : `"${folder}"`;
  const similar = await similarName(disk, folder, name);
  // A name that is listed but leads nowhere.
  const isLink = similar === name;
  const hint = isLink
    ? `"${name}" in ${where} is a link, and what it points to does not exist.`
    : similar
      ? `There is no "${name}" in ${where}; did you mean "${pathIn(folder, similar)}"?`
      : `There is no "${name}" in ${where}. Check the path for typing mistakes.`;
  return typedError('SOURCE_NOT_FOUND', `no file or folder "${path}"`, { hint, details: { path } });
}

export function unreadableError(kind: string, path: string, cause: unknown): TypedError {
  return typedError('SOURCE_UNREADABLE', `${kind} "${path}" cannot be read`, {
    hint: 'Give this user the right to read it, or choose a path that leaves it out.',
    details: { path },
    cause,
  });
}

/** A path that names a device, a socket or a pipe. */
export function notRegularError(path: string): TypedError {
  return typedError('SOURCE_UNREADABLE', `"${path}" is neither a file nor a folder`, {
    hint: 'Files are read from several places at once; copy the data into a file first.',
    details: { path },
  });
}

export function emptySourceError(options: {
  readonly path: string;
  readonly seenCount: number;
  readonly extensions: readonly string[] | null;
  readonly isGlob: boolean;
}): TypedError {
  const { path, seenCount, extensions, isGlob } = options;
  const wanted = extensions === null ? '' : ` that end in ${extensions.join(', ')}`;
  const what = isGlob ? `matches "${path}"` : `is in folder "${path}"`;
  const message =
    extensions === null
      ? `no file ${what}`
      : `no file with extension ${extensions.join(', ')} ${what}`;
  const looked = seenCount === 1 ? '1 file was' : `${seenCount} files were`;
  return typedError('SOURCE_EMPTY', message, {
    hint:
      `${looked} looked at${wanted === '' ? '' : `, none${wanted}`}. ` +
      'Names that begin with a dot and links to folders are passed over.',
    details: { path, seenCount },
  });
}

/** What went wrong when a file was opened that had been found before. */
export function openError(path: string, error: unknown): TypedError {
  if (codeOf(error) === 'DISK_NOT_FOUND') return changedError(path, 'vanished', error);
  return unreadableError('file', path, error);
}

/** A file that is not what it was when the splits were made. */
export function changedError(path: string, what: string, cause?: unknown): TypedError {
  return typedError('SOURCE_CHANGED', `file "${path}" ${what} while the job was reading it`, {
    hint: 'Run the job again once nobody changes its input; files may only grow meanwhile.',
    details: { path },
    ...(cause !== undefined && { cause }),
  });
}

/** A compressed file that does not decompress. */
export function damagedError(path: string, fault: string): TypedError {
  return typedError('SOURCE_DAMAGED', `file "${path}" is damaged or cut off: ${fault}`, {
    hint: 'Make the file anew, or leave it out of the input; files that end in .gz and .zst are decompressed.',
    details: { path, fault },
  });
}

/** The name in the folder that a typing mistake away is `name`, or null. */
async function similarName(disk: Disk, folder: string, name: string): Promise<string | null> {
  const entries = await disk.list(folder).catch(() => []);
  const names = entries.slice(0, similarNamesMax).map((entry) => entry.name);
  return nearestName(name, names);
}

/** A file that lacks a column of the job, or has it as another type, where another file has it right. */
export function differingFilesError({ message, info }: TypedError, other: string): TypedError {
  return typedError('SCHEMA_MISMATCH', `${message}; "${other}", of the same source, has it`, {
    hint:
      'All files of a source must have the columns that the job declares. Leave the file out by a pattern or ' +
      'extensions, write it anew, or read it as a source of its own and unite the two.',
    details: { ...info.details, other },
  });
}
