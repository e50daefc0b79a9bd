/**
 * Repeat: each row as often as one of its columns says, without that column. Rows of 0 copies, or fewer, are
 * left out.
 *
 *     a 2            a
 *     b 0     ──▶    a
 *     c 1            c
 *
 * The output refers to the input's texts. It is cut into batches, inside the copies of a row as well, so a
 * row of a billion copies needs no more room than another.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { takeColumn } from '../stream/take-column.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';

export interface RepeatOptions {
  readonly input: Schema;
  /** Columns of the input. */
  readonly output: Schema;
  /** An int64 that is never null. */
  readonly column: string;
}

export class RepeatOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #output: Schema;
  readonly #column: number;
  readonly #columns: readonly number[];
  readonly #rows: BlockHandle;
  /** The row that is given out next, and its copies so far. */
  #row = 0;
  #copies = 0;
  #pending: Batch | null = null;

  constructor(context: OperatorContext, { input, output, column }: RepeatOptions) {
    this.#context = context;
    this.#output = output;
    this.#column = fieldIndexOf(input, column);
    this.#columns = output.fields.map(({ name }) => fieldIndexOf(input, name));
    assert(input.fields[this.#column]?.type.kind === 'int64', 'copies are counted by an int64');
    this.#rows = context.scope.allocate(batchRowsMax * 4);
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    this.#row = Math.max(this.#row, fromRow);
    for (;;) {
      // While copies of the last row wait, the position stays on that row.
      const row = Math.min(this.#row, batch.rowCount - 1);
      if (this.#pending !== null && !outbox.offer(this.#pending)) return row;
      const wasPending = this.#pending !== null;
      this.#pending = null;
      if (this.#row >= batch.rowCount) break;
      if (wasPending && this.#context.shouldYield()) return row;
      this.#pending = this.#nextCopies(batch);
    }
    this.#row = 0;
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
    this.#context.scope.memory.release(this.#rows);
  }

  /** The next rows, or null when there are none in the rest of the batch. */
  #nextCopies(batch: Batch): Batch | null {
    const { scope, kernels } = this.#context;
    const rowCount = this.#listRows(batch);
    if (rowCount === 0) return null;
    const blocks: BlockHandle[] = [];
    try {
      const columns = this.#columns.map((index) => {
        const column = batch.columns[index];
        assert(column !== undefined, 'the columns of the output are in the batch');
        return takeColumn({ scope, kernels, blocks }, column, addressOf(this.#rows), rowCount);
      });
      const schema = this.#output;
      return batch.derive({
        schema,
        rowCount,
        storedRows: rowCount,
        selection: 0,
        columns,
        blocks,
      });
    } catch (error) {
      for (const block of blocks) scope.memory.release(block);
      throw error;
    }
  }

  /** Writes the stored rows of the next batch; answers their count. */
  #listRows(batch: Batch): number {
    const { bigInt64, uint32 } = batch.memory;
    const counts = (batch.columns[this.#column]?.values ?? 0) / 8;
    const out = addressOf(this.#rows) / 4;
    let count = 0;
    while (this.#row < batch.rowCount && count < batchRowsMax) {
      const stored = batch.storedRowOf(this.#row);
      const left = Number(bigInt64[counts + stored]) - this.#copies;
      const taken = Math.max(0, Math.min(left, batchRowsMax - count));
      uint32.fill(stored, out + count, out + count + taken);
      count += taken;
      if (taken < left) {
        this.#copies += taken;
      } else {
        this.#row++;
        this.#copies = 0;
      }
    }
    return count;
  }
}
