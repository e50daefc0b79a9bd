/**
 * Record arena: room for the records of a state table, in blocks of a slot's memory that never move.
 *
 *     up to 256 bytes    multiples of 16          a free list per size; the first word of a free record
 *     up to 32 KiB       powers of two            is the address of the next one, divided by 8
 *     above              a block of their own
 *
 * Why not the slot's own blocks: those begin at 64 bytes, and a count of a key takes 48.
 *
 * Why a large table has an arena for each key group: what is merged into it comes by key group, and the records of one lie in
 * some thousand pages then, whose places the processor remembers. A small one gains nothing: what is put into it would
 * go to as many places as there are key groups.
 *
 * Contract:
 * - Records are at multiples of 8 and not zeroed.
 * - `free` is told the size that was asked for (not checked).
 */
import { keyGroupCount } from '../keys/key-group.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';

const step = 16;
const steppedBytesMax = 256;
const steppedClasses = steppedBytesMax / step + 1;
const sharedBytesMax = 32 * 1024;
const classCount = steppedClasses + Math.log2(sharedBytesMax / steppedBytesMax);
const firstChunkBytes = 4096;
const chunkBytesMax = 1024 * 1024;
/** Of an arena of one key group: the room that is left at their ends comes 128 times. */
const groupChunkBytesMax = 256 * 1024;
/** From which size on a table is large: what changes between two snapshots is below. */
const groupedBytesMin = 128 * 1024 * 1024;

/** Bytes that a record of a size gets. */
export function roomOf(sizeBytes: number): number {
  if (sizeBytes <= steppedBytesMax) return Math.ceil(sizeBytes / step) * step;
  if (sizeBytes <= sharedBytesMax) return 1 << (32 - Math.clz32(sizeBytes - 1));
  return Math.ceil(sizeBytes / 8) * 8;
}

export class RecordArena {
  readonly #scope: MemoryScope;
  readonly #chunkBytesMost: number;
  /** By size class: address / 8 of the first free record, or 0. */
  readonly #free = new Uint32Array(classCount);
  #chunks: BlockHandle[] = [];
  readonly #large = new Set<BlockHandle>();
  #at = 0;
  #end = 0;
  #sizeBytes = 0;
  #nextChunkBytes = firstChunkBytes;

  constructor(scope: MemoryScope, chunkBytesMost = chunkBytesMax) {
    this.#scope = scope;
    this.#chunkBytesMost = chunkBytesMost;
  }

  /** Bytes of all blocks. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The address of a new record. @throws MEMORY_EXHAUSTED */
  allocate(sizeBytes: number): number {
    const room = roomOf(sizeBytes);
    if (room > sharedBytesMax) return this.#allocateLarge(room);
    const sizeClass = classOf(room);
    const { uint32 } = this.#scope.memory;
    const first = this.#free[sizeClass]!;
    if (first !== 0) {
      this.#free[sizeClass] = uint32[first * 2]!;
      return first * 8;
    }
    if (this.#end - this.#at < room) this.#addChunk(room);
    const address = this.#at;
    this.#at += room;
    return address;
  }

  free(address: number, sizeBytes: number): void {
    const room = roomOf(sizeBytes);
    if (room > sharedBytesMax) {
      const block = address / 64;
      this.#large.delete(block);
      this.#release(block);
      return;
    }
    const sizeClass = classOf(room);
    this.#scope.memory.uint32[address >>> 2] = this.#free[sizeClass]!;
    this.#free[sizeClass] = address / 8;
  }

  /** Gives all memory back. */
  clear(): void {
    for (const block of this.#chunks) this.#release(block);
    for (const block of this.#large) this.#release(block);
    this.#chunks = [];
    this.#large.clear();
    this.#free.fill(0);
    this.#at = 0;
    this.#end = 0;
    this.#nextChunkBytes = firstChunkBytes;
  }

  #allocateLarge(sizeBytes: number): number {
    const block = this.#scope.allocate(sizeBytes);
    this.#large.add(block);
    this.#sizeBytes += this.#scope.memory.sizeOf(block);
    return addressOf(block);
  }

  #addChunk(room: number): void {
    const wanted = Math.max(room, this.#nextChunkBytes);
    const block = this.#scope.allocate(wanted);
    const sizeBytes = this.#scope.memory.sizeOf(block);
    this.#chunks.push(block);
    this.#sizeBytes += sizeBytes;
    this.#at = addressOf(block);
    this.#end = this.#at + sizeBytes;
    this.#nextChunkBytes = Math.min(this.#chunkBytesMost, this.#nextChunkBytes * 2);
  }

  #release(block: BlockHandle): void {
    this.#sizeBytes -= this.#scope.memory.sizeOf(block);
    this.#scope.memory.release(block);
  }
}

/** The records of one table: an arena for all of them, and one for each key group once there are many. */
export class TableArena {
  readonly #scope: MemoryScope;
  readonly #shared: RecordArena;
  #groups: (RecordArena | undefined)[] | null = null;
  /** Bytes of the arenas of key groups. */
  #groupBytes = 0;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
    this.#shared = new RecordArena(scope);
  }

  get sizeBytes(): number {
    return this.#shared.sizeBytes + this.#groupBytes;
  }

  /** The address of a new record. @throws MEMORY_EXHAUSTED */
  allocate(group: number, sizeBytes: number): number {
    const isShared = this.#shared.sizeBytes < groupedBytesMin || sizeBytes > sharedBytesMax;
    if (isShared) return this.#shared.allocate(sizeBytes);
    this.#groups ??= new Array(keyGroupCount).fill(undefined);
    let arena = this.#groups[group];
    if (arena === undefined) {
      arena = new RecordArena(this.#scope, groupChunkBytesMax);
      this.#groups[group] = arena;
    }
    const before = arena.sizeBytes;
    const record = arena.allocate(sizeBytes);
    this.#groupBytes += arena.sizeBytes - before;
    return record;
  }

  /** Blocks are given back together, so it does not matter which arena takes the room of a small record. */
  free(group: number, address: number, sizeBytes: number): void {
    const own = sizeBytes > sharedBytesMax ? undefined : this.#groups?.[group];
    (own ?? this.#shared).free(address, sizeBytes);
  }

  /** Gives all memory back. */
  clear(): void {
    this.#shared.clear();
    for (const arena of this.#groups ?? []) arena?.clear();
    this.#groups = null;
    this.#groupBytes = 0;
  }
}

function classOf(room: number): number {
  if (room <= steppedBytesMax) return room / step;
  return steppedClasses + Math.log2(room / steppedBytesMax) - 1;
}
