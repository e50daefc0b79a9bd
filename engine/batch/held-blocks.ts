/**
 * Held blocks: how many bytes of memory some batches keep from being given back. Batches share blocks, so
 * sizes of batches can't be added up; each block is counted once here.
 */
import type { BlockHandle, SlotMemory } from '../memory/slot-memory.ts';
import type { Batch } from './batch.ts';

export class HeldBlocks {
  readonly #memory: SlotMemory;
  readonly #blocks = new Set<BlockHandle>();
  #bytes = 0;

  constructor(memory: SlotMemory) {
    this.#memory = memory;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What it would come to with the batch. */
  bytesWith(batch: Batch): number {
    let bytes = this.#bytes;
    batch.forEachBlock((block) => {
      if (!this.#blocks.has(block)) bytes += this.#memory.sizeOf(block);
    });
    return bytes;
  }

  /** Counts the blocks of a batch, which is held until `clear`. */
  add(batch: Batch): void {
    batch.forEachBlock((block) => {
      if (this.#blocks.has(block)) return;
      this.#blocks.add(block);
      this.#bytes += this.#memory.sizeOf(block);
    });
  }

  clear(): void {
    this.#blocks.clear();
    this.#bytes = 0;
  }
}

/** The same of a batch that shares no blocks with others. */
export function heldBytesOf(batch: Batch): number {
  let bytes = 0;
  batch.forEachBlock((block) => {
    bytes += batch.memory.sizeOf(block);
  });
  return bytes;
}
