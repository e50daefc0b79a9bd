/** Room that all columns of a writer work in, one after the other. */
import { batchRowsMax } from '../../../engine/batch/batch.ts';
import { compressTableBytes } from '../../../engine/kernels/compression-kernels.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
} from '../../../engine/memory/slot-memory.ts';
import { GrowingBytes } from '../../formats/growing-bytes.ts';

/** What a value takes of each part of the room: 16 bytes, or 4 of numbers of rows and entries. */
const valueBytes = 16;
const wordBytes = 4;
/** What is written behind the last value. */
const slackBytes = 64;

export class WriteRoom {
  /** u32: rows of a batch that have a value. */
  rows = 0;
  /** u32: entries of a dictionary, for a batch. */
  indexes = 0;
  /** Values of a batch as columns have them, side by side. */
  dense = 0;
  wide = 0;
  /** Values of a batch in their form. */
  formed = 0;
  /** Values that there is room for. */
  valuesMax = 0;
  /** 32 bytes. */
  readonly result: number;
  readonly compressTable: number;
  /** A page, before and after it is compressed. */
  readonly page: GrowingBytes;
  readonly packed: GrowingBytes;
  readonly #scope: MemoryScope;
  readonly #fixed: BlockHandle;
  #values: BlockHandle = 0;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
    this.#fixed = scope.allocate(slackBytes + compressTableBytes);
    this.result = addressOf(this.#fixed);
    this.compressTable = this.result + slackBytes;
    this.page = new GrowingBytes(scope);
    this.packed = new GrowingBytes(scope);
    this.ensure(batchRowsMax);
  }

  /** Makes room for so many values; what was in it is gone where it grows. A row may have many. */
  ensure(count: number): void {
    if (count <= this.valuesMax) return;
    const [valuesBytes, wordsBytes] = [count * valueBytes + slackBytes, count * wordBytes];
    const block = this.#scope.allocate(3 * valuesBytes + 2 * wordsBytes);
    if (this.#values !== 0) this.#scope.memory.release(this.#values);
    this.#values = block;
    this.valuesMax = count;
    this.dense = addressOf(block);
    this.wide = this.dense + valuesBytes;
    this.formed = this.wide + valuesBytes;
    this.rows = this.formed + valuesBytes;
    this.indexes = this.rows + wordsBytes;
  }

  close(): void {
    this.page.close();
    this.packed.close();
    for (const block of [this.#values, this.#fixed]) this.#scope.memory.release(block);
  }
}
