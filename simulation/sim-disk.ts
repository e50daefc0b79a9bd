/**
 * The disk seam of one incarnation over its node's disk: takes virtual time for every call, answers
 * with the same typed errors as the real one, and is where crashes are aimed at calls: before the
 * effect, or after it and before the answer.
 */
import type { DirEntry, Disk, FileId, FileStat, OpenMode } from '../base/env/disk.ts';
import { diskError } from '../base/env/disk-error.ts';
import type { Rng } from '../base/env/rng.ts';
import type { Life } from './life.ts';
import type { Inode, SimDiskState } from './sim-disk-state.ts';

interface OpenFile {
  readonly path: string;
  readonly inode: Inode;
}

type CallKind = 'name' | 'data' | 'fsync';

export class SimDisk implements Disk {
  readonly #life: Life;
  readonly #state: SimDiskState;
  readonly #latency: Rng;
  readonly #files = new Map<FileId, OpenFile>();
  #nextFile = 3;

  constructor(life: Life, state: SimDiskState, latency: Rng) {
    this.#life = life;
    this.#state = state;
    this.#latency = latency;
  }

  open(path: string, mode: OpenMode): Promise<FileId> {
    return this.#call('name', path, () => {
      const inode = this.#inodeFor(path, mode);
      this.#files.set(this.#nextFile, { path, inode });
      return this.#nextFile++;
    });
  }

  read(file: FileId, into: Uint8Array, position: number): Promise<number> {
    const { path, inode } = this.#fileOf(file);
    return this.#call('data', path, () => {
      const bytes = inode.cached.subarray(position, position + into.length);
      into.set(bytes);
      return bytes.length;
    });
  }

  write(file: FileId, from: Uint8Array, position: number): Promise<void> {
    const { path, inode } = this.#fileOf(file);
    return this.#call('data', path, () => {
      inode.modifiedMs = this.#life.world.nowMs;
      // Copied when the effect happens: who reuses the buffer too early sees the damage.
      this.#state.write(inode, position, from.slice());
    });
  }

  fsync(file: FileId): Promise<void> {
    const { path, inode } = this.#fileOf(file);
    return this.#call(
      'fsync',
      path,
      () => this.#state.fsync(inode),
      () => this.#state.dropPending(inode),
    );
  }

  close(file: FileId): Promise<void> {
    const { path } = this.#fileOf(file);
    this.#files.delete(file);
    return this.#call('name', path, () => {});
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('name', from, () => {
      const inode = this.#state.names.get(from);
      if (inode === undefined) throw diskError('ENOENT', from);
      this.#checkFolderOf(to);
      if (this.#state.folders.has(to)) throw diskError('EISDIR', to);
      this.#state.changeNames(folderOf(to), (names) => {
        names.delete(from);
        names.set(to, inode);
      });
    });
  }

  syncDir(path: string): Promise<void> {
    return this.#call('fsync', path, () => {
      this.#checkFolder(path);
      this.#state.syncDir(path);
    });
  }

  unlink(path: string): Promise<void> {
    return this.#call('name', path, () => this.#removeName(path));
  }

  removeTree(path: string): Promise<void> {
    return this.#call('name', path, () => {
      const below = `${path}/`;
      for (const name of [...this.#state.names.keys()]) {
        if (name === path || name.startsWith(below)) this.#removeName(name);
      }
      for (const folder of [...this.#state.folders]) {
        if (folder === path || folder.startsWith(below)) this.#state.folders.delete(folder);
      }
    });
  }

  makeDir(path: string): Promise<void> {
    return this.#call('name', path, () => {
      for (let folder = path; folder !== '/'; folder = folderOf(folder)) {
        if (this.#state.names.has(folder)) throw diskError('EEXIST', folder);
        this.#state.folders.add(folder);
      }
    });
  }

  list(path: string): Promise<DirEntry[]> {
    return this.#call('name', path, () => {
      this.#checkFolder(path);
      const entryOf = (kind: DirEntry['kind']) => (name: string) => ({
        name: name.slice(name.lastIndexOf('/') + 1),
        kind,
      });
      const isInside = (name: string): boolean => name !== '/' && folderOf(name) === path;
      const files = [...this.#state.names.keys()].filter(isInside).map(entryOf('file'));
      const folders = [...this.#state.folders].filter(isInside).map(entryOf('folder'));
      return [...files, ...folders].sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  stat(path: string): Promise<FileStat | null> {
    return this.#call('name', path, () => {
      const inode = this.#state.names.get(path);
      if (inode !== undefined) {
        return { kind: 'file', sizeBytes: inode.cached.length, modifiedMs: inode.modifiedMs };
      }
      if (!this.#state.folders.has(path)) return null;
      return { kind: 'folder', sizeBytes: 0, modifiedMs: 0 };
    });
  }

  /** Lets time pass, then does the effect unless a fault is due; a dead node never answers. */
  #call<T>(kind: CallKind, path: string, effect: () => T, onFailure?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#life.after(this.#latencyOf(kind), () => {
        const fault = this.#state.nextCall(kind === 'fsync');
        if (fault?.kind === 'crashBefore')
          return this.#life.crashFor(fault.downMs, `at ${path}`, fault.cause);
        if (fault?.kind === 'fail') {
          onFailure?.();
          return reject(diskError('EIO', path));
        }
        try {
          const answer = effect();
          if (fault?.kind === 'crashAfter')
            return this.#life.crashFor(fault.downMs, `after ${path}`, fault.cause);
          resolve(answer);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #latencyOf(kind: CallKind): number {
    const chance = this.#latency.float();
    if (kind !== 'fsync') return 0.02 + chance * 0.3;
    // One fsync in fifty stalls, as on a busy disk.
    return this.#latency.float() < 0.02 ? 50 + chance * 250 : 0.3 + chance * 4;
  }

  #inodeFor(path: string, mode: OpenMode): Inode {
    if (this.#state.folders.has(path)) throw diskError('EISDIR', path);
    const existing = this.#state.names.get(path);
    if (existing !== undefined) {
      if (mode === 'createNew') throw diskError('EEXIST', path);
      if (mode === 'replace') this.#state.write(existing, 0, 'empty');
      return existing;
    }
    this.#checkFolderOf(path);
    if (mode === 'read') throw diskError('ENOENT', path);
    const empty = new Uint8Array(0);
    const inode: Inode = { cached: empty, durable: empty, pending: [], modifiedMs: 0 };
    this.#state.changeNames(folderOf(path), (names) => names.set(path, inode));
    return inode;
  }

  #removeName(path: string): void {
    if (this.#state.folders.has(path)) throw diskError('EISDIR', path);
    if (!this.#state.names.has(path)) return;
    this.#state.changeNames(folderOf(path), (names) => names.delete(path));
  }

  #checkFolderOf(path: string): void {
    this.#checkFolder(folderOf(path));
  }

  #checkFolder(path: string): void {
    if (this.#state.names.has(path)) throw diskError('ENOTDIR', path);
    if (!this.#state.folders.has(path)) throw diskError('ENOENT', path);
  }

  #fileOf(file: FileId): OpenFile {
    const open = this.#files.get(file);
    if (open === undefined) throw diskError('EBADF', `file ${file}`);
    return open;
  }
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
