/** Memory of a slot that grows as something is put together in it. */
import { addressOf, type BlockHandle, type MemoryScope } from '../../engine/memory/slot-memory.ts';

/** Bytes in one piece, which move when there is no more room. */
export class GrowingBytes {
  readonly #scope: MemoryScope;
  #block: BlockHandle = 0;
  #capacity = 0;
  /** Bytes that are used. */
  length = 0;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
  }

  get start(): number {
    return addressOf(this.#block);
  }

  /** Makes room for so many bytes behind those that are used; answers with where it is. */
  reserve(sizeBytes: number): number {
    const wanted = this.length + sizeBytes;
    if (wanted > this.#capacity) {
      const { memory } = this.#scope;
      const block = this.#scope.allocate(Math.max(wanted, this.#capacity * 2));
      const from = this.start;
      memory.bytes.copyWithin(addressOf(block), from, from + this.length);
      if (this.#block !== 0) memory.release(this.#block);
      this.#block = block;
      this.#capacity = memory.sizeOf(block);
    }
    return this.start + this.length;
  }

  close(): void {
    const block = this.#block;
    this.#block = 0;
    this.#capacity = 0;
    this.length = 0;
    if (block !== 0) this.#scope.memory.release(block);
  }
}
