/**
 * Record blocks: memory for records of one size, which keep their places. Kernels begin new records and take free
 * ones again (engine/kernels/session.as.ts); when both are used up, there is another block, larger than the last.
 */
import { assert } from '../../../base/assert.ts';
import { sessionLayout as layout } from '../../kernels/session-kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../memory/slot-memory.ts';

const firstBytes = 16 * 1024;
const blockBytesMax = 1024 * 1024;
/** Later than every time. */
const never = 2 ** 53;
const highUnit = 2 ** 32;

export class RecordBlocks {
  readonly stride: number;
  readonly #scope: MemoryScope;
  readonly #control: BlockHandle;
  /** What rows that are late are added to. */
  readonly #dummy: BlockHandle;
  readonly #blocks: BlockHandle[] = [];

  /** @param keptMs - As of `sessionLayout`. */
  constructor(scope: MemoryScope, stride: number, keptMs: number) {
    this.#scope = scope;
    this.stride = stride;
    this.#control = scope.allocate(layout.size);
    this.#dummy = scope.allocate(stride);
    const { bytes } = scope.memory;
    bytes.fill(0, this.control, this.control + layout.size);
    this.#set(layout.dummy, addressOf(this.#dummy));
    this.#setTime(layout.keptMs, keptMs);
    this.#resetDummy();
    this.beginDue();
  }

  /** Address of what kernels know of the records: `sessionLayout`. */
  get control(): number {
    return addressOf(this.#control);
  }

  get usedCount(): number {
    return this.#word(layout.used);
  }

  get sizeBytes(): number {
    return this.#blocks.reduce((sum, block) => sum + this.#scope.memory.sizeOf(block), 0);
  }

  /** Before that time nothing is due. */
  get dueMs(): number {
    const high = this.#scope.memory.int32[(this.control + layout.due + 4) >>> 2] ?? 0;
    return high * highUnit + this.#word(layout.due);
  }

  /** A new block for records. */
  grow(): void {
    const wanted = Math.min(firstBytes << Math.min(this.#blocks.length, 6), blockBytesMax);
    const block = this.#scope.allocate(Math.max(wanted, this.stride));
    this.#blocks.push(block);
    this.#set(layout.fresh, addressOf(block));
    this.#set(layout.freshEnd, addressOf(block) + this.#scope.memory.sizeOf(block));
  }

  /** Calls `visit` with each stretch of records that were begun. */
  forEach(visit: (records: number, count: number) => void): void {
    const { memory } = this.#scope;
    for (const [index, block] of this.#blocks.entries()) {
      const start = addressOf(block);
      const isLast = index === this.#blocks.length - 1;
      const bytes = isLast ? this.#word(layout.fresh) - start : memory.sizeOf(block);
      visit(start, Math.floor(bytes / this.stride));
    }
  }

  /** When nothing is known to be due: a search is to say. */
  beginDue(): void {
    this.#setTime(layout.due, never);
  }

  /** Late rows since the last call. */
  takeLate(): number {
    const count = this.#word(layout.late);
    if (count > 0) this.#resetDummy();
    this.#set(layout.late, 0);
    return count;
  }

  /** A record that is used no more; it is in no list. */
  free(record: number): void {
    const { uint32 } = this.#scope.memory;
    // As kernels do: its state is that of a free one, and the next free one is where its key was.
    uint32[record >>> 2] = 0;
    uint32[(record + 8) >>> 2] = this.#word(layout.free);
    this.#set(layout.free, record);
    this.#set(layout.used, this.#word(layout.used) - 1);
  }

  /** Forgets all records, and gives their memory back. */
  clear(): void {
    for (const block of this.#blocks.splice(0)) this.#scope.memory.release(block);
    for (const field of [layout.free, layout.fresh, layout.freshEnd, layout.used]) {
      this.#set(field, 0);
    }
    this.#resetDummy();
    this.beginDue();
  }

  close(): void {
    const { memory } = this.#scope;
    for (const block of [...this.#blocks.splice(0), this.#dummy, this.#control]) {
      memory.release(block);
    }
  }

  #resetDummy(): void {
    const start = addressOf(this.#dummy);
    this.#scope.memory.bytes.fill(0, start, start + this.stride);
  }

  #word(offset: number): number {
    const word = this.#scope.memory.uint32[(this.control + offset) >>> 2];
    assert(word !== undefined, 'the control block is in the memory');
    return word;
  }

  #set(offset: number, value: number): void {
    this.#scope.memory.uint32[(this.control + offset) >>> 2] = value;
  }

  /** A time from 0 on, as int64. */
  #setTime(offset: number, value: number): void {
    this.#set(offset, value >>> 0);
    this.#set(offset + 4, Math.floor(value / highUnit));
  }
}
