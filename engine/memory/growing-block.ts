/**
 * Growing block: bytes that are written from the front on, in a block that is made larger, by half or more,
 * when they do not fit. What is behind the bytes written is not zeroed.
 *
 * Contract: an address holds until the next `ensure` (not checked).
 */
import { addressOf, type BlockHandle, type MemoryScope } from './slot-memory.ts';

const leastBytes = 1024;

export class GrowingBlock {
  readonly #scope: MemoryScope;
  #block: BlockHandle = 0;
  #capacity = 0;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
  }

  /** 0 while it is empty. */
  get address(): number {
    return this.#block === 0 ? 0 : addressOf(this.#block);
  }

  get sizeBytes(): number {
    return this.#capacity;
  }

  /** What it would take with so many bytes. */
  sizeBytesFor(bytes: number): number {
    if (bytes <= this.#capacity) return this.#capacity;
    return Math.ceil(Math.max(bytes, this.#capacity * 1.5, leastBytes) / 64) * 64;
  }

  /** Makes room for `bytes` in all, of which the first `usedBytes` are kept; the address. @throws MEMORY_EXHAUSTED */
  ensure(bytes: number, usedBytes: number): number {
    if (bytes <= this.#capacity) return this.address;
    const capacity = this.sizeBytesFor(bytes);
    const block = this.#scope.allocate(capacity);
    const { memory } = this.#scope;
    if (this.#block !== 0) {
      const from = addressOf(this.#block);
      memory.bytes.copyWithin(addressOf(block), from, from + usedBytes);
      memory.release(this.#block);
    }
    this.#block = block;
    this.#capacity = capacity;
    return addressOf(block);
  }

  /** Releases the block; once, or again after more was written. */
  close(): void {
    if (this.#block !== 0) this.#scope.memory.release(this.#block);
    this.#block = 0;
    this.#capacity = 0;
  }
}
