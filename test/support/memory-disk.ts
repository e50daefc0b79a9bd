/** A synchronous disk in memory, for tests that look at what is on it, and may damage it. */
import type {
  DirEntry,
  DiskSpace,
  FileId,
  FileStat,
  OpenMode,
  SyncDisk,
} from '../../base/env/disk.ts';
import { diskError } from '../../base/env/disk-error.ts';

export class MemoryDisk implements SyncDisk {
  /** Contents by path; folders are there without being made. */
  readonly files = new Map<string, Uint8Array>();
  readonly openFiles = new Map<FileId, string>();
  #nextId = 1;

  open(path: string, mode: OpenMode): FileId {
    const isThere = this.files.has(path);
    if (mode === 'read' && !isThere) throw diskError('ENOENT', path);
    if (mode === 'createNew' && isThere) throw diskError('EEXIST', path);
    if (mode === 'replace' || !isThere) this.files.set(path, new Uint8Array());
    this.openFiles.set(this.#nextId, path);
    return this.#nextId++;
  }

  read(file: FileId, into: Uint8Array, position: number): number {
    const bytes = this.#contents(file).subarray(position, position + into.length);
    into.set(bytes);
    return bytes.length;
  }

  write(file: FileId, from: Uint8Array, position: number): void {
    const old = this.#contents(file);
    const bytes = new Uint8Array(Math.max(old.length, position + from.length));
    bytes.set(old);
    bytes.set(from, position);
    this.files.set(this.openFiles.get(file) ?? '', bytes);
  }

  truncate(file: FileId, sizeBytes: number): void {
    const bytes = new Uint8Array(sizeBytes);
    bytes.set(this.#contents(file).subarray(0, sizeBytes));
    this.files.set(this.openFiles.get(file) ?? '', bytes);
  }

  fsync(): void {}

  close(file: FileId): void {
    this.openFiles.delete(file);
  }

  rename(from: string, to: string): void {
    const bytes = this.files.get(from);
    if (bytes === undefined) throw diskError('ENOENT', from);
    this.files.delete(from);
    this.files.set(to, bytes);
  }

  syncDir(): void {}

  unlink(path: string): void {
    this.files.delete(path);
  }

  removeTree(path: string): void {
    for (const name of this.files.keys()) if (name.startsWith(`${path}/`)) this.files.delete(name);
  }

  makeDir(): void {}

  list(path: string): DirEntry[] {
    const below = [...this.files.keys()].filter((name) => name.startsWith(`${path}/`));
    const kinds = new Map<string, 'file' | 'folder'>();
    for (const name of below) {
      const [first = '', ...rest] = name.slice(path.length + 1).split('/');
      kinds.set(first, rest.length === 0 ? 'file' : 'folder');
    }
    return [...kinds]
      .map(([name, kind]) => ({ name, kind }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  stat(path: string): FileStat | null {
    const bytes = this.files.get(path);
    return bytes === undefined ? null : { kind: 'file', sizeBytes: bytes.length, modifiedMs: 0 };
  }

  space(): DiskSpace {
    let usedBytes = 0;
    for (const { length } of this.files.values()) usedBytes += length;
    return { capacityBytes: 2 ** 40, freeBytes: 2 ** 40 - usedBytes };
  }

  #contents(file: FileId): Uint8Array {
    const path = this.openFiles.get(file);
    if (path === undefined) throw diskError('EBADF', String(file));
    return this.files.get(path) ?? new Uint8Array();
  }
}
