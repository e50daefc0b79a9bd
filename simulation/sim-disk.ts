/**
 * The disk seam of one incarnation over its node's disk: every call takes virtual time, and then does
 * what sim-disk-calls.ts says. Crashes aimed at a call come before its effect, or after it and before
 * the answer; a dead node never answers.
 */
import type { DirEntry, Disk, DiskSpace, FileId, FileStat, OpenMode } from '../base/env/disk.ts';
import type { Rng } from '../base/env/rng.ts';
import type { Life } from './life.ts';
import { type DiskCall, SimDiskCalls } from './sim-disk-calls.ts';
import type { SimDiskState } from './sim-disk-state.ts';
import { NodeExit } from './world.ts';

export class SimDisk implements Disk {
  readonly #life: Life;
  readonly #calls: SimDiskCalls;
  readonly #latency: Rng;

  constructor(life: Life, state: SimDiskState, latency: Rng) {
    this.#life = life;
    this.#calls = new SimDiskCalls(life, state);
    this.#latency = latency;
  }

  open(path: string, mode: OpenMode): Promise<FileId> {
    return this.#later(this.#calls.open(path, mode));
  }

  read(file: FileId, into: Uint8Array, position: number): Promise<number> {
    return this.#later(this.#calls.read(file, into, position));
  }

  write(file: FileId, from: Uint8Array, position: number): Promise<void> {
    return this.#later(this.#calls.write(file, from, position));
  }

  truncate(file: FileId, sizeBytes: number): Promise<void> {
    return this.#later(this.#calls.truncate(file, sizeBytes));
  }

  fsync(file: FileId): Promise<void> {
    return this.#later(this.#calls.fsync(file));
  }

  close(file: FileId): Promise<void> {
    return this.#later(this.#calls.close(file));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#later(this.#calls.rename(from, to));
  }

  syncDir(path: string): Promise<void> {
    return this.#later(this.#calls.syncDir(path));
  }

  unlink(path: string): Promise<void> {
    return this.#later(this.#calls.unlink(path));
  }

  removeTree(path: string): Promise<void> {
    return this.#later(this.#calls.removeTree(path));
  }

  makeDir(path: string): Promise<void> {
    return this.#later(this.#calls.makeDir(path));
  }

  list(path: string): Promise<DirEntry[]> {
    return this.#later(this.#calls.list(path));
  }

  stat(path: string): Promise<FileStat | null> {
    return this.#later(this.#calls.stat(path));
  }

  space(path: string): Promise<DiskSpace> {
    return this.#later(this.#calls.space(path));
  }

  #later<T>(call: DiskCall<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (work: () => T): void => {
        try {
          resolve(work());
        } catch (error) {
          if (!(error instanceof NodeExit)) reject(error);
        }
      };
      const later = (effect: () => T) => void this.#life.after(0, () => settle(effect));
      this.#life.after(this.#latencyOf(call.kind), () =>
        settle(() => this.#calls.perform(call, later)),
      );
    });
  }

  #latencyOf(kind: DiskCall<unknown>['kind']): number {
    const chance = this.#latency.float();
    if (kind !== 'fsync') return 0.02 + chance * 0.3;
    // One fsync in fifty stalls, as on a busy disk.
    return this.#latency.float() < 0.02 ? 50 + chance * 250 : 0.3 + chance * 4;
  }
}
