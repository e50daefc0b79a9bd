/**
 * Record arena: room for the records of a state table, in blocks of a slot's memory that never move.
 *
 *     up to 256 bytes    multiples of 16          a free list per size; the first word of a free record
 *     up to 32 KiB       powers of two            is the address of the next one, divided by 8
 *     above              a block of their own
 *
 * Why not the slot's own blocks: those begin at 64 bytes, and a count of a key takes 48.
 *
 * Contract:
 * - Records are at multiples of 8 and not zeroed.
 * - `free` is told the size that was asked for (not checked).
 */
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';

const step = 16;
const steppedBytesMax = 256;
const steppedClasses = steppedBytesMax / step + 1;
const sharedBytesMax = 32 * 1024;
const classCount = steppedClasses + Math.log2(sharedBytesMax / steppedBytesMax);
const firstChunkBytes = 4096;
const chunkBytesMax = 1024 * 1024;

/** Bytes that a record of a size gets. */
export function roomOf(sizeBytes: number): number {
  if (sizeBytes <= steppedBytesMax) return Math.ceil(sizeBytes / step) * step;
  if (sizeBytes <= sharedBytesMax) return 1 << (32 - Math.clz32(sizeBytes - 1));
  return Math.ceil(sizeBytes / 8) * 8;
}

export class RecordArena {
  readonly #scope: MemoryScope;
  /** By size class: address / 8 of the first free record, or 0. */
  readonly #free = new Uint32Array(classCount);
  #chunks: BlockHandle[] = [];
  readonly #large = new Set<BlockHandle>();
  #at = 0;
  #end = 0;
  #sizeBytes = 0;
  #nextChunkBytes = firstChunkBytes;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
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
    this.#nextChunkBytes = Math.min(chunkBytesMax, this.#nextChunkBytes * 2);
  }

  #release(block: BlockHandle): void {
    this.#sizeBytes -= this.#scope.memory.sizeOf(block);
    this.#scope.memory.release(block);
  }
}

function classOf(room: number): number {
  if (room <= steppedBytesMax) return room / step;
  return steppedClasses + Math.log2(room / steppedBytesMax) - 1;
}
