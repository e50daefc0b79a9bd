/**
 * Hash filter: whether a hash may be among those of a run on disk. A Bloom filter with its bits for a hash
 * in one block of 64 bytes, so that asking costs one load from far memory.
 *
 * 12 bits per entry and 5 of them set for each: about one in a hundred hashes that are not there pass.
 * @see Putze, Sanders and Singler 2007, Cache-, Hash- and Space-Efficient Bloom Filters
 */
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';

const bitsPerEntry = 12;
const bitsPerHash = 5;
const blockBits = 512;

export class HashFilter {
  readonly #scope: MemoryScope;
  readonly #block: BlockHandle;
  readonly #words: number;
  readonly #blockCount: number;

  /** @throws MEMORY_EXHAUSTED */
  constructor(scope: MemoryScope, entryCount: number) {
    this.#scope = scope;
    this.#blockCount = Math.max(1, Math.ceil((entryCount * bitsPerEntry) / blockBits));
    this.#block = scope.allocate((this.#blockCount * blockBits) / 8);
    this.#words = addressOf(this.#block) >>> 2;
    const { uint32 } = scope.memory;
    uint32.fill(0, this.#words, this.#words + this.#blockCount * (blockBits / 32));
  }

  get sizeBytes(): number {
    return this.#scope.memory.sizeOf(this.#block);
  }

  add(hash: number): void {
    const { uint32 } = this.#scope.memory;
    const first = this.#blockOf(hash);
    let bits = Math.imul(hash, 0x85ebca77) >>> 0;
    for (let count = 0; count < bitsPerHash; count++) {
      const bit = bits >>> 23;
      uint32[first + (bit >>> 5)]! |= 1 << (bit & 31);
      bits = Math.imul(bits, 0x9e3779b1) >>> 0;
    }
  }

  mayHave(hash: number): boolean {
    const { uint32 } = this.#scope.memory;
    const first = this.#blockOf(hash);
    let bits = Math.imul(hash, 0x85ebca77) >>> 0;
    for (let count = 0; count < bitsPerHash; count++) {
      const bit = bits >>> 23;
      if (((uint32[first + (bit >>> 5)]! >>> (bit & 31)) & 1) === 0) return false;
      bits = Math.imul(bits, 0x9e3779b1) >>> 0;
    }
    return true;
  }

  close(): void {
    this.#scope.memory.release(this.#block);
  }

  /** A hash's block, by a part of a product that the bits within it don't come from. */
  #blockOf(hash: number): number {
    const spread = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f) >>> 0;
    return this.#words + Math.floor((spread / 4_294_967_296) * this.#blockCount) * (blockBits / 32);
  }
}
