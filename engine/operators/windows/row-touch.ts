/**
 * Row touch: a column that says in which round rows came, where windows are given out several times. Its
 * largest value in a group tells whether the group has changed since.
 */
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../memory/slot-memory.ts';
import { int64Type } from '../../schema/field-type.ts';
import { fieldOf, freeName, type Schema } from '../../schema/schema.ts';
import type { AggregateColumnOptions } from '../aggregate-plan.ts';

/** Of stored rows for each selected one. */
const sparseRatio = 8;

export class RowTouch {
  readonly #scope: MemoryScope;
  /** The input, with the column behind. */
  readonly schema: Schema;
  /** Its largest value, by the column's name. */
  readonly aggregate: AggregateColumnOptions;
  #block: BlockHandle = 0;
  /** What the block is filled with. */
  #filled = 0;
  /** Rows that come now belong to it; from 1 on. */
  round = 1;

  constructor(scope: MemoryScope, input: Schema, output: Schema) {
    const taken = new Set([...input.fields, ...output.fields].map(({ name }) => name));
    const name = freeName('touch', taken);
    this.#scope = scope;
    this.schema = { fields: [...input.fields, fieldOf(name, int64Type)] };
    this.aggregate = { name, function: 'max', columns: [name] };
  }

  /** The batch with the column; takes the batch over. Holds until the round changes. */
  mark(batch: Batch): Batch {
    this.renew(batch);
    const column = { type: int64Type, values: addressOf(this.#block), validity: 0 };
    const marked = batch.derive({ schema: this.schema, columns: [...batch.columns, column] });
    batch.release();
    return marked;
  }

  /**
   * Rows of a batch that are still to be read belong to the round that is now. Of a batch that selects few of many they
   * are written alone: a round may be as short as that.
   */
  renew({ selection, rowCount, storedRows }: Batch): void {
    if (this.#filled === this.round) return;
    if (this.#block === 0) this.#block = this.#scope.allocate(batchRowsMax * 8);
    const { uint32 } = this.#scope.memory;
    const start = addressOf(this.#block) >>> 2;
    const isSparse = selection !== 0 && rowCount * sparseRatio < storedRows;
    const count = isSparse ? rowCount : batchRowsMax;
    for (let row = 0; row < count; row++) {
      const at = start + (isSparse ? (uint32[(selection >>> 2) + row] ?? 0) : row) * 2;
      uint32[at] = this.round;
      uint32[at + 1] = 0;
    }
    // Nothing is known of rows between those that were written.
    this.#filled = isSparse ? 0 : this.round;
  }

  close(): void {
    if (this.#block !== 0) this.#scope.memory.release(this.#block);
    this.#block = 0;
  }
}
