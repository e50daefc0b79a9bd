/**
 * Join keys: the key of each row of a batch, as a join table takes it, and which rows have one. A null in
 * any column of the key equals nothing, and neither does NaN: such a row has no key.
 *
 * Keys are laid out as groups have them (engine/operators/group-keys.ts), but without null bits, so that
 * both sides of a join have the same bytes whichever columns may be null.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { KeyForm } from '../kernels/key-layout.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, type FieldType, layoutOf } from '../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { GroupKeys, type KeysOfBatch } from './group-keys.ts';

export class JoinKeys {
  readonly #scope: MemoryScope;
  readonly #kernels: Kernels;
  readonly #keys: GroupKeys;
  readonly #indexes: readonly number[];
  /** Two bitmaps: rows with a key, and those of one column. */
  readonly #bitmaps: BlockHandle;

  constructor(
    scope: MemoryScope,
    kernels: Kernels,
    { schema, keys }: { readonly schema: Schema; readonly keys: readonly string[] },
  ) {
    const fields = schema.fields.map((field) => ({ ...field, nullable: false }));
    this.#scope = scope;
    this.#kernels = kernels;
    this.#indexes = keys.map((key) => fieldIndexOf(schema, key));
    this.#keys = new GroupKeys(scope, kernels, { schema: { fields }, keys });
    this.#bitmaps = scope.allocate(2 * bitmapSizeOf(batchRowsMax));
  }

  get form(): KeyForm {
    return this.#keys.form;
  }

  /** Whether keys are bytes that the next `read` writes over: who keeps views of them copies those. */
  get areTransient(): boolean {
    return this.#indexes.length > 1;
  }

  /** The most bytes that keys of the batch's rows take where they are transient views. */
  transientBytesOf({ columns, selection, rowCount }: Batch): number {
    if (!this.areTransient || this.form !== 'view') return 0;
    return this.#indexes.reduce((sum, index) => {
      const column = columns[index];
      if (column === undefined || layoutOf(column.type) !== 'view') return sum;
      return sum + this.#kernels.utf8SizeOf(column.values, selection, rowCount);
    }, rowCount * this.#keys.headBytes);
  }

  /**
   * Writes the stored rows that have a key (`wanted` 1), or have none (0).
   * @param keys - As they were just read.
   * @param out - Room for the rows of the batch.
   * @returns Count of rows.
   */
  rowsByKey(batch: Batch, { validity }: KeysOfBatch, wanted: 0 | 1, out: number): number {
    assert(validity !== 0, 'some rows may have no key');
    const { selection, rowCount } = batch;
    const rows = this.areTransient ? 0 : selection;
    const count = this.#kernels.rowsByMark(validity, rows, 0, rowCount, wanted, out);
    if (rows !== selection) this.#kernels.take4(selection, out, count, out);
    return count;
  }

  /** The keys of a batch's rows; they hold until the next call. */
  read(batch: Batch): KeysOfBatch {
    const keys = this.#keys.read(batch);
    const columns = this.#indexes.map((index): Column => {
      const column = batch.columns[index];
      assert(column !== undefined, 'a batch has the columns of its schema');
      return column;
    });
    const [only, ...others] = columns;
    if (only !== undefined && others.length === 0 && !isFloat(only)) return keys;
    const partial = columns.filter((column) => column.validity !== 0 || isFloat(column));
    if (partial.length === 0) return keys;
    // Keys of several columns are in the order of the selection, a single column's by stored row.
    const isPacked = this.areTransient;
    const rows = isPacked ? batch.selection : 0;
    const count = isPacked ? batch.rowCount : batch.storedRows;
    const all = addressOf(this.#bitmaps);
    const one = all + bitmapSizeOf(batchRowsMax);
    const { uint32 } = this.#scope.memory;
    const words = Math.ceil(count / 32);
    uint32.fill(0xffffffff, all >>> 2, (all >>> 2) + words);
    for (const column of partial) {
      if (column.validity !== 0) {
        this.#kernels.take1Bit(column.validity, rows, count, one);
        for (let word = 0; word < words; word++) {
          const at = (all >>> 2) + word;
          uint32[at] = (uint32[at] ?? 0) & (uint32[(one >>> 2) + word] ?? 0);
        }
      }
      if (isFloat(column)) this.#leaveOutNaN(column, { rows, count, bitmap: all });
    }
    return { ...keys, validity: all };
  }

  close(): void {
    this.#keys.close();
    this.#scope.memory.release(this.#bitmaps);
  }

  #leaveOutNaN(
    { type, values }: Column,
    { rows, count, bitmap }: { rows: number; count: number; bitmap: number },
  ): void {
    const { uint32, float32, float64 } = this.#scope.memory;
    const isNarrow = type.kind === 'float32';
    const [numbers, first] = isNarrow ? [float32, values >>> 2] : [float64, values >>> 3];
    for (let index = 0; index < count; index++) {
      const row = rows === 0 ? index : (uint32[(rows >>> 2) + index] ?? 0);
      if (!Number.isNaN(numbers[first + row])) continue;
      const at = (bitmap >>> 2) + (index >>> 5);
      uint32[at] = (uint32[at] ?? 0) & ~(1 << (index & 31));
    }
  }
}

/** Whether there can be rows without a key. */
export function keysMayBeMissing({ fields }: Schema, keys: readonly string[]): boolean {
  return fields.some((field) => keys.includes(field.name) && (field.nullable || isFloat(field)));
}

function isFloat({ type }: { readonly type: FieldType }): boolean {
  return type.kind === 'float32' || type.kind === 'float64';
}
