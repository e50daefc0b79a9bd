/** Room that all columns of a writer work in, one after the other. */
import { batchRowsMax } from '../../../engine/batch/batch.ts';
import { compressTableBytes } from '../../../engine/kernels/compression-kernels.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
} from '../../../engine/memory/slot-memory.ts';
import { GrowingBytes } from '../../formats/growing-bytes.ts';

const valuesBytes = batchRowsMax * 16 + 64;
const rowsBytes = batchRowsMax * 4;

export class WriteRoom {
  /** u32: rows of a batch that have a value. */
  readonly rows: number;
  /** u32: entries of a dictionary, for a batch. */
  readonly indexes: number;
  /** Values of a batch as columns have them, side by side. */
  readonly dense: number;
  readonly wide: number;
  /** Values of a batch in their form. */
  readonly formed: number;
  /** 32 bytes. */
  readonly result: number;
  readonly compressTable: number;
  /** Values that there is room for. */
  readonly valuesMax = batchRowsMax;
  /** A page, before and after it is compressed. */
  readonly page: GrowingBytes;
  readonly packed: GrowingBytes;
  readonly #scope: MemoryScope;
  readonly #block: BlockHandle;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
    this.#block = scope.allocate(3 * valuesBytes + 2 * rowsBytes + 64 + compressTableBytes);
    this.dense = addressOf(this.#block);
    this.wide = this.dense + valuesBytes;
    this.formed = this.wide + valuesBytes;
    this.rows = this.formed + valuesBytes;
    this.indexes = this.rows + rowsBytes;
    this.result = this.indexes + rowsBytes;
    this.compressTable = this.result + 64;
    this.page = new GrowingBytes(scope);
    this.packed = new GrowingBytes(scope);
  }

  close(): void {
    this.page.close();
    this.packed.close();
    this.#scope.memory.release(this.#block);
  }
}
