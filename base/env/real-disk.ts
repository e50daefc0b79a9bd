/**
 * The disk of roles on `node:fs`: the same words and errors as the synchronous one, each answering
 * with a promise, so that a role's event loop stays free. Files are plain descriptors and not
 * `FileHandle`s: a handle that is garbage collected closes its file behind our back.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import type { DirEntry, Disk, DiskSpace, FileId, FileStat, OpenMode } from './disk.ts';
import { diskError, systemCodeOf, toDiskError } from './disk-error.ts';
import {
  diskSpaceOf,
  fileStatOf,
  folderModeOf,
  isNothingThere,
  openFlags,
  sortedEntries,
  systemCallBytesMax,
} from './real-sync-disk.ts';

const openFile = promisify<string, number, number, number>(fs.open);
const readFile = promisify(fs.read);
const writeFile = promisify(fs.write);
const truncateFile = promisify<number, number>(fs.ftruncate);
const fsyncFile = promisify(fs.fsync);
const closeFile = promisify(fs.close);

export function createRealDisk(): Disk {
  return new RealDisk();
}

class RealDisk implements Disk {
  /** Paths of open files, for messages. */
  readonly #paths = new Map<FileId, string>();

  async open(path: string, mode: OpenMode): Promise<FileId> {
    const file = await attempt(path, () => openFile(path, openFlags[mode], 0o666));
    this.#paths.set(file, path);
    return file;
  }

  read(file: FileId, into: Uint8Array, position: number): Promise<number> {
    return attempt(this.#pathOf(file), async () => {
      let done = 0;
      while (done < into.length) {
        const length = Math.min(into.length - done, systemCallBytesMax);
        const { bytesRead } = await readFile(file, into, done, length, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    });
  }

  write(file: FileId, from: Uint8Array, position: number): Promise<void> {
    const path = this.#pathOf(file);
    return attempt(path, async () => {
      let done = 0;
      while (done < from.length) {
        const length = Math.min(from.length - done, systemCallBytesMax);
        const { bytesWritten } = await writeFile(file, from, done, length, position + done);
        if (bytesWritten === 0) throw diskError('EIO', path);
        done += bytesWritten;
      }
    });
  }

  truncate(file: FileId, sizeBytes: number): Promise<void> {
    return attempt(this.#pathOf(file), () => truncateFile(file, sizeBytes));
  }

  fsync(file: FileId): Promise<void> {
    return attempt(this.#pathOf(file), () => fsyncFile(file));
  }

  close(file: FileId): Promise<void> {
    const path = this.#pathOf(file);
    this.#paths.delete(file);
    return attempt(path, () => closeFile(file));
  }

  rename(from: string, to: string): Promise<void> {
    return attempt(from, () => fs.promises.rename(from, to));
  }

  async syncDir(path: string): Promise<void> {
    // Windows opens no folders; its rename is durable with the journal of the file system.
    if (process.platform === 'win32') return;
    const flags = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY;
    await attempt(path, async () => {
      const file = await openFile(path, flags, 0o666);
      try {
        await fsyncFile(file);
      } finally {
        await closeFile(file);
      }
    });
  }

  unlink(path: string): Promise<void> {
    return attempt(path, () => fs.promises.unlink(path), 'ENOENT');
  }

  removeTree(path: string): Promise<void> {
    return attempt(path, () => fs.promises.rm(path, { recursive: true, force: true }));
  }

  async makeDir(path: string, isPrivate = false): Promise<void> {
    const mode = folderModeOf(isPrivate);
    await attempt(path, () => fs.promises.mkdir(path, { recursive: true, mode }));
  }

  list(path: string): Promise<DirEntry[]> {
    return attempt(path, async () =>
      sortedEntries(await fs.promises.readdir(path, { withFileTypes: true })),
    );
  }

  async stat(path: string): Promise<FileStat | null> {
    try {
      return fileStatOf(await fs.promises.stat(path));
    } catch (error) {
      if (isNothingThere(error)) return null;
      throw toDiskError(error, path);
    }
  }

  space(path: string): Promise<DiskSpace> {
    return attempt(path, async () => diskSpaceOf(await fs.promises.statfs(path)));
  }

  #pathOf(file: FileId): string {
    return this.#paths.get(file) ?? `file ${file}`;
  }
}

async function attempt<T>(path: string, work: () => Promise<T>, accepted?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (accepted !== undefined && systemCodeOf(error) === accepted) return undefined as T;
    throw toDiskError(error, path);
  }
}
