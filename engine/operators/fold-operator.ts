/**
 * Fold: `reduce` of a keyed stream. Rows are sorted by key and folded, two at a time, by the user's
 * function into one row per key.
 *
 *     rows ──▶ partial: rounds of 262,144 rows ──hash by key──▶ final: all rows of this task ──▶ rows
 *
 * The partial phase runs before the exchange, so that fewer rows travel; what it gives may be folded
 * again, for the function makes rows of the same schema.
 */
import type { Batch } from '../batch/batch.ts';
import { foldDriver } from '../compile/fold-driver.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { ascending, compareRowsBy } from '../stream/row-order.ts';
import { ExternalSorter } from './external-sorter.ts';
import { GroupRunner } from './group-runner.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';

/** Rows of a round of the partial phase: some MiB of keys and numbers, sorted in a few slices. */
const roundRowsMaxDefault = 262_144;

export interface FoldOptions {
  /** The fields of the user's rows; behind them may be keys that the user does not see. */
  readonly input: Schema;
  /** The fields of the user's rows. */
  readonly output: Schema;
  readonly keys: readonly string[];
  readonly phase: 'partial' | 'final';
  readonly reduce: (left: never, right: never) => unknown;
  /** Rows of a partial round. @defaultValue 262,144 */
  readonly roundRowsMax?: number;
}

export class FoldOperator implements Operator {
  readonly #rows: ExternalSorter;
  readonly #runner: GroupRunner;
  readonly #roundRowsMax: number;

  constructor(context: OperatorContext, options: FoldOptions) {
    const { input, output, keys, phase, reduce, roundRowsMax = roundRowsMaxDefault } = options;
    const order = keys.map(ascending);
    const rows = new ExternalSorter(context, { schema: input, order });
    const compare = compareRowsBy(input, order);
    this.#rows = rows;
    this.#roundRowsMax = phase === 'partial' ? roundRowsMax : Number.POSITIVE_INFINITY;
    this.#runner = new GroupRunner(context, {
      pairs: input,
      output,
      gathered: rows,
      driver: (given) =>
        foldDriver({
          ...given,
          input,
          keyIndexes: keys.map((key) => fieldIndexOf(input, key)),
          isSameKey: (left, a, right, b) => compare(left, a, right, b) === 0,
          nextBatch: () => rows.next(),
          reduce,
        }),
    });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (this.#rows.rowCount >= this.#roundRowsMax && !this.#runner.drain(outbox)) return fromRow;
    return this.#rows.offer(batch) ? batch.rowCount : fromRow;
  }

  finish(outbox: Outbox): boolean {
    return this.#runner.drain(outbox) && this.#runner.finish(outbox);
  }

  close(): void {
    this.#runner.close();
  }
}
