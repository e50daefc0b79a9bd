/**
 * Slabs: one 64 KiB page cut into equal blocks of 64 bytes to 32 KiB. This is only the bookkeeping
 * (reference counts, owners, free list), outside the memory it describes: a kernel that writes past
 * a block damages data, but never the allocator.
 *
 * Invariant: `usedCount` blocks have a count above 0; the others are in the free list.
 */
import { assert } from '../../base/assert.ts';

export const unitBytes = 64;
export const pageBytes = 65_536;
export const unitsPerPage = pageBytes / unitBytes;
/** Size classes: 64 bytes, doubled up to 32 KiB. */
export const classCount = 10;
export const slabBlockBytesMax = unitBytes << (classCount - 1);

/** The smallest size class whose blocks hold `sizeBytes`. */
export function sizeClassOf(sizeBytes: number): number {
  return sizeBytes <= unitBytes ? 0 : 26 - Math.clz32(sizeBytes - 1);
}

export class Slab {
  readonly sizeClass: number;
  readonly blockBytes: number;
  page = 0;
  usedCount = 0;
  /** Neighbours in the list of the class's slabs that have a free block. */
  next: Slab | null = null;
  previous: Slab | null = null;
  readonly #counts: Uint32Array;
  readonly #owners: Uint16Array;
  readonly #free: Uint16Array;
  #freeCount: number;

  constructor(sizeClass: number) {
    this.sizeClass = sizeClass;
    this.blockBytes = unitBytes << sizeClass;
    const blockCount = pageBytes / this.blockBytes;
    this.#counts = new Uint32Array(blockCount);
    this.#owners = new Uint16Array(blockCount);
    // Filled downwards, so that blocks go out from the start of the page.
    this.#free = new Uint16Array(blockCount).map((_, index) => blockCount - 1 - index);
    this.#freeCount = blockCount;
  }

  get isFull(): boolean {
    return this.#freeCount === 0;
  }

  /** Hands out a block with a count of 1; answers its handle. */
  take(owner: number): number {
    assert(this.#freeCount > 0, 'the slab has a free block');
    const index = this.#free[--this.#freeCount]!;
    this.#counts[index] = 1;
    this.#owners[index] = owner;
    this.usedCount++;
    return this.page * unitsPerPage + (index << this.sizeClass);
  }

  retain(block: number): void {
    const index = this.#indexOf(block);
    assert(this.#counts[index]! > 0, 'a block that is retained is in use');
    this.#counts[index]!++;
  }

  /** Takes one reference away; true when it was the last and the block is free now. */
  release(block: number): boolean {
    const index = this.#indexOf(block);
    const count = this.#counts[index]!;
    assert(count > 0, 'a block is released as often as it is held');
    this.#counts[index] = count - 1;
    if (count > 1) return false;
    this.#free[this.#freeCount++] = index;
    this.usedCount--;
    return true;
  }

  ownerOf(block: number): number {
    return this.#owners[this.#indexOf(block)]!;
  }

  isUsed(block: number): boolean {
    return this.#counts[this.#indexOf(block)]! > 0;
  }

  #indexOf(block: number): number {
    const unit = block - this.page * unitsPerPage;
    const index = unit >>> this.sizeClass;
    assert(index << this.sizeClass === unit, 'a handle points at the start of its block');
    return index;
  }
}
