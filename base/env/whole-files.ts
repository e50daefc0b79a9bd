/** Small files as a whole, on the disk of roles: read, and made so that they survive a power cut. */
import { codeOf } from '../typed-error.ts';
import type { Disk } from './disk.ts';

/** All bytes of a file; null when it is not there. */
export async function readWholeFile(disk: Disk, path: string): Promise<Uint8Array | null> {
  try {
    const file = await disk.open(path, 'read');
    try {
      const { sizeBytes } = (await disk.stat(path)) ?? { sizeBytes: 0 };
      const bytes = new Uint8Array(sizeBytes);
      return bytes.subarray(0, await disk.read(file, bytes, 0));
    } finally {
      await disk.close(file);
    }
  } catch (error) {
    if (codeOf(error) === 'DISK_NOT_FOUND') return null;
    throw error;
  }
}

/** Makes a file that was not there, with its name durable, too. @throws DISK_EXISTS */
export async function createWholeFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, 'createNew');
  try {
    await disk.write(file, bytes, 0);
    await disk.fsync(file);
  } finally {
    await disk.close(file);
  }
  await disk.syncDir(folderOf(path));
}

/**
 * Puts a file into its place whole, over one that may be there: it is made under a hidden name of the same folder first.
 * @throws DISK_EXISTS where something has the hidden name
 */
export async function putWholeFile(
  disk: Disk,
  { path, hidden }: { readonly path: string; readonly hidden: string },
  bytes: Uint8Array,
): Promise<void> {
  await createWholeFile(disk, hidden, bytes);
  await disk.rename(hidden, path);
  await disk.syncDir(folderOf(path));
}

export async function syncFile(disk: Disk, path: string): Promise<void> {
  const file = await disk.open(path, 'update');
  try {
    await disk.fsync(file);
  } finally {
    await disk.close(file);
  }
}

/** The folder that a path is in. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash < 0) return '.';
  return slash === 0 ? '/' : path.slice(0, slash);
}
