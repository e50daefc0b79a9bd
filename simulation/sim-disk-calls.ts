/**
 * What the calls of the disk seam do to a simulated disk, for `SimDisk` and `SimSyncDisk` alike: each
 * call is described as data, and carried out by `perform`, where the faults aimed at disk calls hit:
 *
 *     call ──▶ counted ──▶ crash before?   fail?   effect ──▶ crash after?   answer
 *
 * Errors are the same typed ones as the real disk's. A crash leaves by NodeExit: the caller is dead.
 */
import type { DirEntry, DiskSpace, FileId, FileStat, OpenMode } from '../base/env/disk.ts';
import { diskError } from '../base/env/disk-error.ts';
import type { Life } from './life.ts';
import type { DiskFault, DiskPlace, Inode, SimDiskState } from './sim-disk-state.ts';
import { NodeExit } from './world.ts';

/** A call of the seam, not yet carried out. */
export interface DiskCall<T> extends DiskPlace {
  /** An fsync takes longer, and faults are aimed at it; only what grows can find the disk full. */
  readonly kind: 'fsync' | 'growing' | 'other';
  effect(): T;
  /** What happens to the disk when the call fails instead. */
  onFailure?(): void;
}

interface OpenFile {
  readonly path: string;
  readonly inode: Inode;
}

/** The files that one life, or one slot of it, has open; and the calls on them. */
export class SimDiskCalls {
  readonly #life: Life;
  readonly #state: SimDiskState;
  readonly #files = new Map<FileId, OpenFile>();
  #nextFile = 3;

  constructor(life: Life, state: SimDiskState) {
    this.#life = life;
    this.#state = state;
  }

  /**
   * Counts the call and does its effect, unless a fault is due.
   *
   * @param later - Does it when the node goes on that has just been paused. @defaultValue it is done all the same
   */
  perform<T>(call: DiskCall<T>, later?: (effect: () => T) => void): T {
    const { path, kind, effect, onFailure } = call;
    const fault = this.#state.nextCall(call, kind === 'fsync', this.#life);
    if (fault?.kind === 'strike' && fault.when !== 'after') {
      if (fault.when === 'during') onFailure?.();
      this.#strike(fault);
      if (later !== undefined && this.#life.pausedUntilMs > this.#life.world.nowMs) {
        later(effect);
        throw new NodeExit('the node is paused before a disk call');
      }
    }
    if (fault?.kind === 'crashBefore') {
      this.#life.crashFor(fault.downMs, `at ${path}`, fault.cause);
      throw new NodeExit('the node went down before a disk call');
    }
    if (fault?.kind === 'fail' && (kind === 'growing' || fault.isFull !== true)) {
      const systemCode = fault.isFull === true ? 'ENOSPC' : 'EIO';
      this.#state.failures.push({ path, systemCode });
      onFailure?.();
      throw diskError(systemCode, path);
    }
    const answer = effect();
    if (fault?.kind === 'crashAfter') {
      this.#life.crashFor(fault.downMs, `after ${path}`, fault.cause);
      throw new NodeExit('the node went down after a disk call');
    }
    if (fault?.kind === 'strike' && fault.when === 'after') this.#strike(fault);
    return answer;
  }

  /** Whoever is alive afterwards goes on. */
  #strike({ strike }: Extract<DiskFault, { kind: 'strike' }>): void {
    strike();
    if (!this.#life.isAlive) throw new NodeExit('the program went down at a disk call');
  }

  open(path: string, mode: OpenMode): DiskCall<FileId> {
    const kind = mode === 'read' ? 'other' : 'growing';
    const effect = (): FileId => {
      const inode = this.#inodeFor(path, mode);
      this.#files.set(this.#nextFile, { path, inode });
      return this.#nextFile++;
    };
    return { op: 'open', path, kind, effect };
  }

  read(file: FileId, into: Uint8Array, position: number): DiskCall<number> {
    const { path, inode } = this.#fileOf(file);
    const effect = (): number => {
      const bytes = inode.cached.subarray(position, position + into.length);
      into.set(bytes);
      return bytes.length;
    };
    return { op: 'read', path, kind: 'other', effect };
  }

  /** Bytes are copied when the effect happens: who reuses the buffer too early sees the damage. */
  write(file: FileId, from: Uint8Array, position: number): DiskCall<void> {
    const { path, inode } = this.#fileOf(file);
    const write = (bytes: Uint8Array): void => {
      inode.modifiedMs = this.#life.world.nowMs;
      this.#state.write(inode, position, bytes.slice());
    };
    return {
      op: 'write',
      path,
      kind: 'growing',
      effect: () => write(from),
      // A full disk takes what still fits.
      onFailure: () => write(from.subarray(0, from.length >> 1)),
    };
  }

  truncate(file: FileId, sizeBytes: number): DiskCall<void> {
    const { path, inode } = this.#fileOf(file);
    return {
      op: 'truncate',
      path,
      kind: 'growing',
      effect: () => {
        inode.modifiedMs = this.#life.world.nowMs;
        this.#state.write(inode, sizeBytes, 'cut');
      },
    };
  }

  fsync(file: FileId): DiskCall<void> {
    const { path, inode } = this.#fileOf(file);
    return {
      op: 'fsync',
      path,
      kind: 'fsync',
      effect: () => this.#state.fsync(inode),
      onFailure: () => this.#state.dropPending(inode),
    };
  }

  close(file: FileId): DiskCall<void> {
    const { path } = this.#fileOf(file);
    this.#files.delete(file); // Also when it fails: the system has taken the number back.
    return { op: 'close', path, kind: 'other', effect: () => {} };
  }

  rename(from: string, to: string): DiskCall<void> {
    return callOf('rename', 'growing', from, () => {
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

  syncDir(path: string): DiskCall<void> {
    return callOf('syncDir', 'fsync', path, () => {
      this.#checkFolder(path);
      this.#state.syncDir(path);
    });
  }

  unlink(path: string): DiskCall<void> {
    return callOf('unlink', 'other', path, () => this.#removeName(path));
  }

  removeTree(path: string): DiskCall<void> {
    return callOf('removeTree', 'other', path, () => {
      const below = `${path}/`;
      for (const name of [...this.#state.names.keys()]) {
        if (name === path || name.startsWith(below)) this.#removeName(name);
      }
      for (const folder of [...this.#state.folders]) {
        if (folder === path || folder.startsWith(below)) this.#state.folders.delete(folder);
      }
    });
  }

  makeDir(path: string): DiskCall<void> {
    return callOf('makeDir', 'growing', path, () => {
      for (let folder = path; folder !== '/'; folder = folderOf(folder)) {
        if (this.#state.names.has(folder)) throw diskError('EEXIST', folder);
        this.#state.folders.add(folder);
      }
    });
  }

  list(path: string): DiskCall<DirEntry[]> {
    return callOf('list', 'other', path, () => {
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

  stat(path: string): DiskCall<FileStat | null> {
    return callOf('stat', 'other', path, () => {
      const inode = this.#state.names.get(path);
      if (inode !== undefined) {
        return { kind: 'file', sizeBytes: inode.cached.length, modifiedMs: inode.modifiedMs };
      }
      if (!this.#state.folders.has(path)) return null;
      return { kind: 'folder', sizeBytes: 0, modifiedMs: 0 };
    });
  }

  space(path: string): DiskCall<DiskSpace> {
    return callOf('space', 'other', path, () => {
      if (!this.#state.folders.has(path) && !this.#state.names.has(path)) {
        throw diskError('ENOENT', path);
      }
      const { capacityBytes } = this.#state;
      return { capacityBytes, freeBytes: capacityBytes - this.#state.usedBytes() };
    });
  }

  #inodeFor(path: string, mode: OpenMode): Inode {
    if (this.#state.folders.has(path)) throw diskError('EISDIR', path);
    const existing = this.#state.names.get(path);
    if (existing !== undefined) {
      if (mode === 'createNew') throw diskError('EEXIST', path);
      if (mode === 'replace') this.#state.write(existing, 0, 'cut');
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

function callOf<T>(
  op: DiskCall<T>['op'],
  kind: DiskCall<T>['kind'],
  path: string,
  effect: () => T,
): DiskCall<T> {
  return { op, path, kind, effect };
}
