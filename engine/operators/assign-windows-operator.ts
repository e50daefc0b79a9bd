/**
 * Assign windows: each row gets the start of its tumbling window, as a timestamp in milliseconds. The
 * other columns are shared, the start lies beside them.
 *
 *     at 10:00:07.250   ──▶   windowStart 10:00:00, at windows of 10 s
 *
 * A row without a time belongs to no window. It is not dropped: it ends the job, unless a `where` in
 * front keeps such rows out.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { addressOf } from '../memory/slot-memory.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';

export interface AssignWindowsOptions {
  readonly input: Schema;
  /** First the start, then the carried columns. */
  readonly output: Schema;
  /** The time of a row. */
  readonly column: string;
  readonly sizeMs: number;
  readonly offsetMs: number;
  readonly carried: readonly string[];
}

export class AssignWindowsOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: AssignWindowsOptions;
  readonly #column: number;
  readonly #carried: readonly number[];
  readonly #pending = new PendingBatch();

  constructor(context: OperatorContext, options: AssignWindowsOptions) {
    const { input, column, carried } = options;
    this.#context = context;
    this.#options = options;
    this.#column = fieldIndexOf(input, column);
    this.#carried = carried.map((name) => fieldIndexOf(input, name));
    assert(
      Math.min(this.#column, ...this.#carried) >= 0,
      'the columns of windows are in the input',
    );
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    return this.#pending.offer(outbox, () => this.#assign(batch)) ? batch.rowCount : fromRow;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending.close();
  }

  #assign(batch: Batch): Batch {
    const { scope, kernels } = this.#context;
    const { output, sizeMs, offsetMs } = this.#options;
    const { values, validity, type } = columnOf(batch, this.#column);
    const unitsPerMs = type.kind === 'timestamp' && type.unit === 'us' ? 1000 : 1;
    const block = scope.allocate(batch.storedRows * 8);
    const starts = addressOf(block);
    const { selection, rowCount } = batch;
    const row = kernels.windowStarts(
      values,
      validity,
      selection,
      rowCount,
      unitsPerMs,
      sizeMs,
      offsetMs,
      starts,
    );
    if (row < rowCount) {
      scope.memory.release(block);
      throw this.#rowError(batch, row);
    }
    const start = output.fields[0];
    assert(start !== undefined, 'windows have a start');
    const columns = [
      { type: start.type, values: starts, validity: 0 },
      ...this.#carried.map((index) => columnOf(batch, index)),
    ];
    return batch.derive({ schema: output, columns, blocks: [block] });
  }

  /** A null, or a window that begins before the first moment there is. */
  #rowError(batch: Batch, row: number): Error {
    const { name } = this.#context;
    const { column } = this.#options;
    const { validity } = columnOf(batch, this.#column);
    const stored = batch.storedRowOf(row);
    const bit = ((batch.memory.bytes[validity + (stored >>> 3)] ?? 0) >>> (stored & 7)) & 1;
    const isNull = validity !== 0 && bit === 0;
    const details = { operator: name, column };
    if (isNull) {
      return typedError(
        'EVENT_TIME_MISSING',
        `"${column}", the event time of operator "${name}", is null`,
        {
          details,
          hint: `Keep such rows out with where((row) => row.${column}.isNotNull()), or give them a time.`,
        },
      );
    }
    return typedError(
      'EVENT_TIME_MISSING',
      `"${column}", the event time of operator "${name}", is before all windows`,
      { details, hint: 'Keep rows with such times out with where.' },
    );
  }
}

function columnOf(batch: Batch, index: number): Column {
  const column = batch.columns[index];
  assert(column !== undefined, 'the column is in the batch');
  return column;
}
