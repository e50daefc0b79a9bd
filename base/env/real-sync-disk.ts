/**
 * The disk of slot threads on `node:fs`: blocking calls, for a blocking read of 1 MiB is the fastest
 * way to read a file. A short read or write of the system is continued here, so callers see whole
 * ones: `read` returns less than it was asked only at the end of the file.
 */
import fs from 'node:fs';
import type { DirEntry, DiskSpace, FileId, FileStat, OpenMode, SyncDisk } from './disk.ts';
import { diskError, systemCodeOf, toDiskError } from './disk-error.ts';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC } = fs.constants;

/** What each mode asks of the system; shared with the asynchronous disk. */
export const openFlags: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY,
  createNew: O_WRONLY | O_CREAT | O_EXCL,
  replace: O_WRONLY | O_CREAT | O_TRUNC,
  update: O_RDWR | O_CREAT,
};

/** What users may do with a folder, less what the process takes from all. */
export function folderModeOf(isPrivate: boolean): number {
  return isPrivate ? 0o700 : 0o777;
}

/** One system call moves at most this much: Linux stops at 2 GiB − 4 KiB. */
export const systemCallBytesMax = 1 << 30;

export function createRealSyncDisk(): SyncDisk {
  return new RealSyncDisk();
}

class RealSyncDisk implements SyncDisk {
  /** Paths of open files, for messages. */
  readonly #paths = new Map<FileId, string>();

  open(path: string, mode: OpenMode): FileId {
    const file = attempt(path, () => fs.openSync(path, openFlags[mode], 0o666));
    this.#paths.set(file, path);
    return file;
  }

  read(file: FileId, into: Uint8Array, position: number): number {
    return attempt(this.#pathOf(file), () => {
      let done = 0;
      while (done < into.length) {
        const length = Math.min(into.length - done, systemCallBytesMax);
        const count = fs.readSync(file, into, done, length, position + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  write(file: FileId, from: Uint8Array, position: number): void {
    const path = this.#pathOf(file);
    attempt(path, () => {
      let done = 0;
      while (done < from.length) {
        const length = Math.min(from.length - done, systemCallBytesMax);
        const count = fs.writeSync(file, from, done, length, position + done);
        if (count === 0) throw diskError('EIO', path);
        done += count;
      }
    });
  }

  truncate(file: FileId, sizeBytes: number): void {
    attempt(this.#pathOf(file), () => fs.ftruncateSync(file, sizeBytes));
  }

  fsync(file: FileId): void {
    attempt(this.#pathOf(file), () => fs.fsyncSync(file));
  }

  close(file: FileId): void {
    const path = this.#pathOf(file);
    this.#paths.delete(file);
    attempt(path, () => fs.closeSync(file));
  }

  rename(from: string, to: string): void {
    attempt(from, () => fs.renameSync(from, to));
  }

  syncDir(path: string): void {
    // Windows opens no folders; its rename is durable with the journal of the file system.
    if (process.platform === 'win32') return;
    attempt(path, () => {
      const file = fs.openSync(path, O_RDONLY | fs.constants.O_DIRECTORY);
      try {
        fs.fsyncSync(file);
      } finally {
        fs.closeSync(file);
      }
    });
  }

  unlink(path: string): void {
    attempt(path, () => fs.unlinkSync(path), 'ENOENT');
  }

  removeTree(path: string): void {
    attempt(path, () => fs.rmSync(path, { recursive: true, force: true }));
  }

  makeDir(path: string, isPrivate = false): void {
    attempt(path, () => fs.mkdirSync(path, { recursive: true, mode: folderModeOf(isPrivate) }));
  }

  list(path: string): DirEntry[] {
    return attempt(path, () => sortedEntries(fs.readdirSync(path, { withFileTypes: true })));
  }

  stat(path: string): FileStat | null {
    try {
      return fileStatOf(fs.statSync(path));
    } catch (error) {
      if (isNothingThere(error)) return null;
      throw toDiskError(error, path);
    }
  }

  space(path: string): DiskSpace {
    return attempt(path, () => diskSpaceOf(fs.statfsSync(path)));
  }

  #pathOf(file: FileId): string {
    return this.#paths.get(file) ?? `file ${file}`;
  }
}

function attempt<T>(path: string, work: () => T, accepted?: string): T {
  try {
    return work();
  } catch (error) {
    if (accepted !== undefined && systemCodeOf(error) === accepted) return undefined as T;
    throw toDiskError(error, path);
  }
}

/** True when the error says that the path leads nowhere, which `stat` answers with null. */
export function isNothingThere(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Folder entries in our words, sorted by name in code-unit order. */
export function sortedEntries(entries: readonly fs.Dirent[]): DirEntry[] {
  return entries
    .map((entry) => ({ name: entry.name, kind: entryKindOf(entry) }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function entryKindOf(entry: fs.Dirent): DirEntry['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

/** The system's facts about a path in our words. */
export function fileStatOf(stats: fs.Stats): FileStat {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  return { kind, sizeBytes: stats.size, modifiedMs: stats.mtimeMs };
}

/** The system's facts about a file system in our words. */
export function diskSpaceOf(stats: fs.StatsFs): DiskSpace {
  return { capacityBytes: stats.blocks * stats.bsize, freeBytes: stats.bavail * stats.bsize };
}
