/**
 * Each window: a row for each window that a row is in, with the window's end. Columns are shared: what comes out of a
 * batch is a selection of it for each of the windows that a moment may be in.
 *
 *     at 7, windows of 10 s every 2 s   ──▶   ends 16, 14, 12, 10, 8
 *
 * A row without a time is in no window; it comes out once, without an end, for a join may have to give it out.
 */
import { assert } from '../../base/assert.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import type { EndingWindows } from '../plan/ending-windows.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';

export interface EachWindowOptions extends EndingWindows {
  readonly input: Schema;
  /** First the end, then the carried columns. */
  readonly output: Schema;
  /** The time of a row. */
  readonly column: string;
  readonly carried: readonly string[];
}

export class EachWindowOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: EachWindowOptions;
  readonly #column: number;
  readonly #carried: readonly number[];
  readonly #pending = new PendingBatch();
  /** Of the current batch: the window that comes next. */
  #place = 0;

  constructor(context: OperatorContext, options: EachWindowOptions) {
    const { input, column, carried } = options;
    this.#context = context;
    this.#options = options;
    this.#column = fieldIndexOf(input, column);
    this.#carried = carried.map((name) => fieldIndexOf(input, name));
    const least = Math.min(this.#column, ...this.#carried);
    assert(least >= 0, 'the columns of windows are in the input');
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    const { endsMs } = this.#options;
    while (this.#place < endsMs.length) {
      if (!this.#pending.offer(outbox, () => this.#rowsOf(batch))) return fromRow;
      this.#place++;
      if (this.#context.shouldYield() && this.#place < endsMs.length) return fromRow;
    }
    this.#place = 0;
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending.close();
  }

  /** The rows that are in the next window, or null. */
  #rowsOf(batch: Batch): Batch | null {
    const { scope, kernels } = this.#context;
    const { output, periodMs, offsetMs, endsMs } = this.#options;
    const { values, validity, type } = columnOf(batch, this.#column);
    const unitsPerMs = type.kind === 'timestamp' && type.unit === 'us' ? 1000 : 1;
    const { selection, rowCount, storedRows } = batch;
    const blocks: BlockHandle[] = [scope.allocate(rowCount * 4)];
    try {
      blocks.push(scope.allocate(storedRows * 8));
      const [rows = 0, ends = 0] = blocks.map(addressOf);
      const place = [periodMs, offsetMs, endsMs[this.#place] ?? 0] as const;
      const count = kernels.windowEnds(
        ...([values, validity, selection, rowCount, unitsPerMs] as const),
        ...([...place, Number(this.#place === 0), rows, ends] as const),
      );
      const end = output.fields[0];
      assert(end !== undefined, 'windows have an end');
      if (count > 0) {
        const columns = [
          { type: end.type, values: ends, validity },
          ...this.#carried.map((index) => columnOf(batch, index)),
        ];
        const given = blocks.splice(0);
        return batch.derive({
          schema: output,
          rowCount: count,
          selection: rows,
          columns,
          blocks: given,
        });
      }
      return null;
    } finally {
      for (const block of blocks) scope.memory.release(block);
    }
  }
}

function columnOf(batch: Batch, index: number): Column {
  const column = batch.columns[index];
  assert(column !== undefined, 'the column is in the batch');
  return column;
}
