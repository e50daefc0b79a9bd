/**
 * Room for the bytes of new texts, in blocks that batches share: the rest of a block goes to the next
 * batch, so that short texts do not take a block each. A block is free when the last batch is whose
 * texts are in it.
 */
import { addressOf, type BlockHandle, type MemoryScope } from '../../memory/slot-memory.ts';

/** 64 KiB: some 3,000 texts of 20 bytes. */
const chunkBytes = 65_536;

export class TextRoom {
  /** The next byte, and the end, of the block in use; both 0 without one. */
  at = 0;
  end = 0;
  readonly #scope: MemoryScope;
  #block: BlockHandle = 0;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
  }

  /** The block in use, with one more reference; 0 without one. */
  share(): BlockHandle {
    if (this.#block !== 0) this.#scope.memory.retain(this.#block);
    return this.#block;
  }

  /** Goes on in a new block, of at least so many bytes. */
  renew(sizeMin: number): void {
    const block = this.#scope.allocate(Math.max(sizeMin, chunkBytes));
    this.close();
    this.#block = block;
    this.at = addressOf(block);
    this.end = this.at + this.#scope.memory.sizeOf(block);
  }

  close(): void {
    if (this.#block !== 0) this.#scope.memory.release(this.#block);
    this.#block = 0;
    this.at = 0;
    this.end = 0;
  }
}
