/**
 * The blocking disk seam of a simulated slot, over the same disk as its node's `SimDisk`. A call takes
 * no virtual time by itself, but it counts as a disk call, so what is aimed at one hits here as well:
 * a crash takes the node down in the middle of the slot's work and leaves it by NodeExit.
 *
 * Once its slot or node is dead, no call reaches the disk any more. Only `close` is silent then, so
 * that the dead program can be taken apart and its memory used again.
 */
import type {
  DirEntry,
  DiskSpace,
  FileId,
  FileStat,
  OpenMode,
  SyncDisk,
} from '../base/env/disk.ts';
import type { Life } from './life.ts';
import { type DiskCall, SimDiskCalls } from './sim-disk-calls.ts';
import type { SimDiskState } from './sim-disk-state.ts';
import { NodeExit } from './world.ts';

export class SimSyncDisk implements SyncDisk {
  readonly #life: Pick<Life, 'isAlive'>;
  readonly #calls: SimDiskCalls;

  constructor(life: Life, state: SimDiskState) {
    this.#life = life;
    this.#calls = new SimDiskCalls(life, state);
  }

  open(path: string, mode: OpenMode): FileId {
    return this.#now(this.#calls.open(path, mode));
  }

  read(file: FileId, into: Uint8Array, position: number): number {
    return this.#now(this.#calls.read(file, into, position));
  }

  write(file: FileId, from: Uint8Array, position: number): void {
    this.#now(this.#calls.write(file, from, position));
  }

  truncate(file: FileId, sizeBytes: number): void {
    this.#now(this.#calls.truncate(file, sizeBytes));
  }

  fsync(file: FileId): void {
    this.#now(this.#calls.fsync(file));
  }

  close(file: FileId): void {
    if (this.#life.isAlive) this.#now(this.#calls.close(file));
  }

  rename(from: string, to: string): void {
    this.#now(this.#calls.rename(from, to));
  }

  syncDir(path: string): void {
    this.#now(this.#calls.syncDir(path));
  }

  unlink(path: string): void {
    this.#now(this.#calls.unlink(path));
  }

  removeTree(path: string): void {
    this.#now(this.#calls.removeTree(path));
  }

  makeDir(path: string): void {
    this.#now(this.#calls.makeDir(path));
  }

  list(path: string): DirEntry[] {
    return this.#now(this.#calls.list(path));
  }

  stat(path: string): FileStat | null {
    return this.#now(this.#calls.stat(path));
  }

  space(path: string): DiskSpace {
    return this.#now(this.#calls.space(path));
  }

  #now<T>(call: DiskCall<T>): T {
    if (!this.#life.isAlive) throw new NodeExit('a dead program has no disk');
    return this.#calls.perform(call);
  }
}
