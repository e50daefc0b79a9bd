/**
 * Key hasher: the hash of each row's key columns. The high bits say its key group, by which exchanges send rows
 * and state is kept; tables take the low ones. So who keeps state must hash as the exchange does: with this.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { keyBitsOf } from '../kernels/widen-kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { layoutOf, valueSizeOf } from '../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';

export interface KeyHasherOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly schema: Schema;
}

export class KeyHasher {
  readonly #options: KeyHasherOptions;
  readonly #columns: readonly number[];
  readonly #seed: number;
  /** Hashes, those of one more column, widened keys. */
  readonly #block: BlockHandle;
  readonly #at: { hashes: number; more: number; wide: number };

  /**
   * @param seed - Another one gives other hashes, also of keys whose hashes are the same by an equal seed; 0 is
   * that of exchanges.
   * @throws MEMORY_EXHAUSTED
   */
  constructor(options: KeyHasherOptions, columns: readonly string[], seed = 0) {
    const { scope, schema } = options;
    this.#options = options;
    this.#seed = seed;
    this.#columns = columns.map((column) => fieldIndexOf(schema, column));
    assert(Math.min(...this.#columns) >= 0, 'the columns to hash by are in the schema');
    this.#block = scope.allocate(batchRowsMax * 16);
    const hashes = addressOf(this.#block);
    const wide = hashes + batchRowsMax * 4;
    this.#at = { hashes, wide, more: wide + batchRowsMax * 8 };
  }

  /** The address of a u32 per row of the batch; it holds until the next call. */
  hash(batch: Batch): number {
    const { scope, kernels } = this.#options;
    const { hashes, more } = this.#at;
    const { rowCount } = batch;
    const [column = 0, ...others] = this.#columns;
    this.#hashColumn(batch, column, hashes);
    for (const other of others) {
      this.#hashColumn(batch, other, more);
      kernels.combineHashes(hashes, more, rowCount);
    }
    if (this.#seed !== 0) {
      scope.memory.uint32.fill(this.#seed, more >>> 2, (more >>> 2) + rowCount);
      kernels.combineHashes(hashes, more, rowCount);
    }
    return hashes;
  }

  close(): void {
    this.#options.scope.memory.release(this.#block);
  }

  #hashColumn(batch: Batch, index: number, hashes: number): void {
    const { kernels } = this.#options;
    const { selection, rowCount } = batch;
    const column = batch.columns[index];
    assert(column !== undefined, 'a batch has the columns of its schema');
    const { validity } = column;
    if (layoutOf(column.type) === 'view') {
      kernels.hashUtf8(column.values, validity, selection, rowCount, hashes);
    } else if (valueSizeOf(column.type) === 16) {
      kernels.hashInt128(column.values, validity, selection, rowCount, hashes);
    } else {
      kernels.hashInt64(this.#wideValues(batch, column), validity, selection, rowCount, hashes);
    }
  }

  /** The key as 8 bytes per stored row, as group tables have it. */
  #wideValues({ storedRows }: Batch, { type, values }: Column): number {
    const { kernels } = this.#options;
    const { wide } = this.#at;
    const widen = keyBitsOf(kernels, type);
    if (widen === null) return values;
    widen(values, storedRows, wide);
    return wide;
  }
}
