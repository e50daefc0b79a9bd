/**
 * Paths: what they may be. A path is absolute; several slashes count as one; a name is any text but `.`, `..`, and what
 * has a NUL in it. Names are compared and sorted as bytes of UTF-8.
 */
import { typedError } from '../../../base/typed-error.ts';

const nameBytesMax = 255;
const pathBytesMax = 8_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The names of a path, from the root on; none for `/`.
 * @throws DFS_PATH
 */
export function parsePath(path: string): Uint8Array[] {
  if (!path.startsWith('/')) throw pathError(path, 'does not begin with "/"');
  if (path.includes('\0')) throw pathError(path, 'has a NUL in it');
  // A lone surrogate has no bytes in UTF-8: two such names would become one.
  if (!path.isWellFormed()) throw pathError(path, 'is no whole Unicode text');
  const names: Uint8Array[] = [];
  let sizeBytes = 0;
  for (const name of path.split('/')) {
    if (name === '') continue;
    if (name === '.' || name === '..') throw pathError(path, `has the name "${name}" in it`);
    const bytes = encoder.encode(name);
    if (bytes.length > nameBytesMax) {
      throw pathError(path, `has a name of ${bytes.length} bytes, at most ${nameBytesMax}`);
    }
    sizeBytes += bytes.length + 1;
    names.push(bytes);
  }
  if (sizeBytes > pathBytesMax) {
    throw pathError(path, `has ${sizeBytes} bytes, at most ${pathBytesMax}`);
  }
  return names;
}

export function textOfName(name: Uint8Array): string {
  return decoder.decode(name);
}

/** The one way to write a path with these names. */
export function formatPath(names: readonly Uint8Array[]): string {
  return `/${names.map(textOfName).join('/')}`;
}

function pathError(path: string, what: string) {
  // A path that is too long makes no message that can be read.
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  return typedError('DFS_PATH', `path "${shown}" ${what}`, {
    hint: 'Write an absolute path, such as "/books/one.txt".',
  });
}
