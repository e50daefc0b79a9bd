/** A disk that only reads: files in memory, by path, for tests that look at every damaged form of a file. */
import type { DirEntry, Disk, FileId, FileStat, OpenMode } from '../../base/env/disk.ts';
import { diskError } from '../../base/env/disk-error.ts';

export function readOnlyDisk(files: ReadonlyMap<string, Uint8Array>): Disk {
  return Object.assign(Object.create(refusing), new ReadOnlyDisk(files));
}

class ReadOnlyDisk {
  readonly open;
  readonly read;
  readonly close;
  readonly list;
  readonly stat;

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    const opened = new Map<FileId, Uint8Array>();
    const below = (path: string) => [...files.keys()].filter((name) => name.startsWith(`${path}/`));
    this.open = async (path: string, mode: OpenMode): Promise<FileId> => {
      const bytes = files.get(path);
      if (bytes === undefined || mode !== 'read') throw diskError('ENOENT', path);
      opened.set(opened.size + 1, bytes);
      return opened.size;
    };
    this.read = async (file: FileId, into: Uint8Array, position: number): Promise<number> => {
      const bytes = (opened.get(file) ?? new Uint8Array()).subarray(position);
      const part = bytes.subarray(0, into.length);
      into.set(part);
      return part.length;
    };
    this.close = async (): Promise<void> => {};
    this.list = async (path: string): Promise<DirEntry[]> => {
      const names = new Set(below(path).map((name) => name.slice(path.length + 1).split('/')[0]));
      return [...names].sort().map((name = '') => {
        return { name, kind: files.has(`${path}/${name}`) ? 'file' : 'folder' };
      });
    };
    this.stat = async (path: string): Promise<FileStat | null> => {
      const bytes = files.get(path);
      if (bytes !== undefined) return { kind: 'file', sizeBytes: bytes.length, modifiedMs: 0 };
      return below(path).length > 0 ? { kind: 'folder', sizeBytes: 0, modifiedMs: 0 } : null;
    };
  }
}

const refusing = new Proxy(
  {},
  {
    get: (_, name) => () =>
      Promise.reject(new Error(`a disk that only reads has no ${String(name)}`)),
  },
);
