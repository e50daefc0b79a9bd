/** The row kind behind the columns of batches whose rows are all of one kind. */
import { Batch, batchRowsMax } from '../../batch/batch.ts';
import { addressOf, type MemoryScope } from '../../memory/slot-memory.ts';
import { rowKindType } from '../../plan/row-kind.ts';
import type { Schema } from '../../schema/schema.ts';

export class RowKindColumn {
  readonly #scope: MemoryScope;
  readonly #output: Schema;
  /** By kind: a batch that holds the column. */
  readonly #columns = new Map<number, Batch>();

  /** @param output - The columns of batches, and the row kind behind them. */
  constructor(scope: MemoryScope, output: Schema) {
    this.#scope = scope;
    this.#output = output;
  }

  /** Takes the rows over. */
  behind(rows: Batch, kind: number): Batch {
    try {
      const held = this.#columnOf(kind);
      const columns = [...rows.columns, ...held.columns];
      return rows.derive({ schema: this.#output, columns, holds: [held.retain()] });
    } finally {
      rows.release();
    }
  }

  close(): void {
    for (const batch of this.#columns.values()) batch.release();
    this.#columns.clear();
  }

  #columnOf(kind: number): Batch {
    const known = this.#columns.get(kind);
    if (known !== undefined) return known;
    const { memory } = this.#scope;
    const block = this.#scope.allocate(batchRowsMax);
    const values = addressOf(block);
    memory.bytes.fill(kind, values, values + batchRowsMax);
    const made = new Batch(memory, {
      schema: { fields: this.#output.fields.slice(-1) },
      rowCount: batchRowsMax,
      columns: [{ type: rowKindType, values, validity: 0 }],
      blocks: [block],
    });
    this.#columns.set(kind, made);
    return made;
  }
}
