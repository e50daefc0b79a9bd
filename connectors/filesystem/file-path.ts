/**
 * Paths as file connectors take them apart. `/` separates; on Windows `\` does as well, and is turned
 * into `/`, which Windows understands. Paths stay as the user wrote them: relative ones stay relative.
 */
import { posix, sep } from 'node:path';

const hasBackslashes = sep === '\\';

/** The path with `/` only and without `//`; not resolved, so that messages show what was written. */
export function normalPathOf(path: string): string {
  const slashed = hasBackslashes ? path.replaceAll('\\', '/') : path;
  return slashed.replace(/(?<=.)\/{2,}/g, '/');
}

/** The path without a slash at its end; the root stays. */
export function withoutEndSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The folder that a path is in: `.` for a bare name. */
export function parentOf(path: string): string {
  return posix.dirname(withoutEndSlash(path));
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return posix.basename(withoutEndSlash(path));
}

/** A name below a folder; `.` adds nothing. */
export function pathIn(folder: string, name: string): string {
  if (folder === '.') return name;
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}
