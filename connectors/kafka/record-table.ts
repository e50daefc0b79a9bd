/**
 * A table of records: where the parts of up to 8,192 records lie in the slot's memory, a plain array for each
 * part. It is what is between record batches and columns: no object per record, and no byte is moved.
 */
import { batchRowsMax } from '../../engine/batch/batch.ts';
import type { BlockHandle, SlotMemory } from '../../engine/memory/slot-memory.ts';

export class RecordTable {
  /** Of all arrays: the records that are there. */
  rowCount = 0;
  readonly offsets = new Float64Array(batchRowsMax);
  readonly timestampsMs = new Float64Array(batchRowsMax);
  /** Addresses; sizes are -1 for null. */
  readonly keyAt = new Uint32Array(batchRowsMax);
  readonly keySize = new Int32Array(batchRowsMax);
  readonly valueAt = new Uint32Array(batchRowsMax);
  readonly valueSize = new Int32Array(batchRowsMax);
  /** Address of the first header. */
  readonly headersAt = new Uint32Array(batchRowsMax);
  readonly headerCounts = new Int32Array(batchRowsMax);
  readonly #memory: SlotMemory;
  #blocks: BlockHandle[] = [];

  constructor(memory: SlotMemory) {
    this.#memory = memory;
  }

  get isFull(): boolean {
    return this.rowCount === batchRowsMax;
  }

  /** Notes that records are in the block; the table has a reference of its own. */
  hold(block: BlockHandle): void {
    if (this.#blocks.at(-1) === block) return;
    this.#memory.retain(block);
    this.#blocks.push(block);
  }

  /** The blocks that the records are in, now the caller's to release; the table is empty. */
  take(): readonly BlockHandle[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.rowCount = 0;
    return blocks;
  }

  clear(): void {
    for (const block of this.take()) this.#memory.release(block);
  }
}
