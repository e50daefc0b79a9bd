/**
 * What a simulated disk holds: for every file the bytes that programs see and the bytes that are
 * durable, and likewise for names. A crash makes of the two what a power cut makes:
 *
 *     write ──▶ cached ──fsync──▶ durable       each unsynced write is lost, kept or torn,
 *     create, rename, unlink ──▶ cached names   in any combination;
 *                  ──syncDir──▶ durable names   a folder's unsynced changes survive up to one point
 *
 * An fsync that fails drops what was unsynced while programs still see it, as Linux does: so a
 * program that goes on after one has lost data without knowing. Folders are durable at once.
 */
import type { Disk } from '../base/env/disk.ts';
import type { Rng } from '../base/env/rng.ts';
import type { CrashCause, Life } from './life.ts';

export interface Inode {
  cached: Uint8Array;
  durable: Uint8Array;
  pending: PendingWrite[];
  modifiedMs: number;
}

/** An unsynced change: bytes at a position, or the file cut, or made longer, to that. */
interface PendingWrite {
  readonly position: number;
  readonly bytes: Uint8Array | 'cut';
}

interface PendingName {
  readonly folder: string;
  apply(names: Map<string, Inode>): void;
}

export type DiskFault =
  | {
      readonly kind: 'crashBefore' | 'crashAfter';
      readonly downMs: number;
      readonly cause: CrashCause;
    }
  /** `isFull`: for want of space; calls that need none do what they should. */
  | { readonly kind: 'fail'; readonly isFull?: boolean }
  /** Something befalls programs at the call; `during` a write when half of it is done. */
  | { readonly kind: 'strike'; readonly when: 'before' | 'during' | 'after'; strike(): void };

/** A call, as who aims at one sees it. */
export interface DiskPlace {
  readonly op: keyof Disk;
  readonly path: string;
}

/** Looks at each call that is made, and may answer with what befalls it. */
export type DiskWatch = (place: DiskPlace, life: Life) => DiskFault | null;

interface FaultBelow {
  readonly folder: string;
  readonly fault: DiskFault;
  /** Calls on paths below the folder that go well before the fault is due. */
  callsBefore: number;
  /** Calls in a row that it then befalls. */
  timesLeft: number;
}

/** A call that failed because of a fault, as its error names it. */
export interface FailedCall {
  readonly path: string;
  readonly systemCode: string;
}

export class SimDiskState {
  readonly folders = new Set<string>(['/']);
  /** Faults by number of the call, counted over the disk's life. */
  readonly faultOfCall = new Map<number, DiskFault>();
  /** Likewise by number of the fsync. */
  readonly faultOfFsync = new Map<number, DiskFault>();
  /** Likewise by number of the call among those on paths below a folder. */
  readonly faultsBelow: FaultBelow[] = [];
  /** @defaultValue nobody looks */
  watch: DiskWatch | null = null;
  /** Calls that failed because of a fault, oldest first. */
  readonly failures: FailedCall[] = [];
  names = new Map<string, Inode>();
  /** Of the whole disk; that it is full is a fault of its own. */
  capacityBytes = 2 ** 40;
  callCount = 0;
  /** Grows whenever names may have changed. */
  nameChangeCount = 0;
  fsyncCount = 0;
  #durableNames = new Map<string, Inode>();
  #pendingNames: PendingName[] = [];
  readonly #chance: Rng;

  constructor(chance: Rng) {
    this.#chance = chance;
  }

  /** Counts a call and answers with the fault that is due at it. */
  nextCall({ op, path }: DiskPlace, isFsync: boolean, life: Life): DiskFault | null {
    const watched = this.watch?.({ op, path }, life);
    const ofCall = this.faultOfCall.get(this.callCount++);
    const ofFsync = isFsync ? this.faultOfFsync.get(this.fsyncCount++) : undefined;
    let ofFolder: DiskFault | undefined;
    for (const aimed of this.faultsBelow) {
      if (!path.startsWith(aimed.folder) || aimed.callsBefore-- > 0) continue;
      if (aimed.timesLeft-- > 0) ofFolder = aimed.fault;
    }
    return watched ?? ofCall ?? ofFsync ?? ofFolder ?? null;
  }

  /** From now on calls do what they should. */
  clearFaults(): void {
    this.faultOfCall.clear();
    this.faultOfFsync.clear();
    this.faultsBelow.length = 0;
  }

  changeNames(folder: string, apply: (names: Map<string, Inode>) => void): void {
    apply(this.names);
    this.nameChangeCount++;
    this.#pendingNames.push({ folder, apply });
  }

  write(inode: Inode, position: number, bytes: Uint8Array | 'cut'): void {
    inode.cached = applyWrite(inode.cached, position, bytes);
    inode.pending.push({ position, bytes });
  }

  fsync(inode: Inode): void {
    inode.durable = inode.cached.slice();
    inode.pending = [];
  }

  /** A failed fsync: the changes count as written back, and never will be. */
  dropPending(inode: Inode): void {
    inode.pending = [];
  }

  /** By what programs see. */
  usedBytes(): number {
    let bytes = 0;
    for (const { cached } of new Set(this.names.values())) bytes += cached.length;
    return bytes;
  }

  syncDir(folder: string): void {
    this.#pendingNames = this.#pendingNames.filter((change) => {
      if (change.folder === folder) change.apply(this.#durableNames);
      return change.folder !== folder;
    });
  }

  /** Power goes: cached becomes what is durable, after chance has had its say. */
  crash(): void {
    const folders = new Set(this.#pendingNames.map((change) => change.folder));
    for (const folder of folders) {
      const changes = this.#pendingNames.filter((change) => change.folder === folder);
      const keptCount = this.#chance.int(0, changes.length + 1);
      for (const change of changes.slice(0, keptCount)) change.apply(this.#durableNames);
    }
    this.#pendingNames = [];
    for (const inode of new Set(this.#durableNames.values())) this.#crashFile(inode);
    this.names = new Map(this.#durableNames);
    this.nameChangeCount++;
  }

  #crashFile(inode: Inode): void {
    for (const { position, bytes } of inode.pending) {
      const fate = this.#chance.int(0, 3);
      if (fate === 0) continue;
      const isTorn = fate === 1 && bytes !== 'cut';
      const kept = isTorn ? bytes.subarray(0, this.#chance.int(0, bytes.length + 1)) : bytes;
      inode.durable = applyWrite(inode.durable, position, kept);
    }
    inode.pending = [];
    inode.cached = inode.durable.slice();
  }
}

function applyWrite(content: Uint8Array, position: number, bytes: Uint8Array | 'cut'): Uint8Array {
  if (bytes === 'cut') {
    const result = new Uint8Array(position);
    result.set(content.subarray(0, position));
    return result;
  }
  const end = position + bytes.length;
  const result = end > content.length ? new Uint8Array(end) : content;
  if (result !== content) result.set(content);
  result.set(bytes, position);
  return result;
}
