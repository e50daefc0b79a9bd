/**
 * Reduce: mapReduce's last part. All pairs of this task are gathered and sorted by group; the user's
 * function is called once per group. What the order leaves open is as it came.
 *
 * A key's values are read while the function asks for them, and its rows go out as it gives them, so
 * neither needs to fit in a batch; nor need the pairs fit in memory.
 */
import type { Batch } from '../batch/batch.ts';
import { reduceDriver } from '../compile/group-driver.ts';
import type { FunctionContext } from '../plan/user-functions.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { OrderColumn } from '../stream/row-order.ts';
import { ExternalSorter } from './external-sorter.ts';
import { GroupRunner } from './group-runner.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';

export interface ReduceOperatorOptions {
  /** `key`, `value`, and what pairs are grouped and sorted by besides. */
  readonly pairs: Schema;
  /** Columns that pairs of one call have in common. */
  readonly group: readonly string[];
  /** First those of `group`. */
  readonly order: readonly OrderColumn[];
  readonly output: Schema;
  readonly reduce: (
    key: never,
    values: Iterable<never>,
    context: FunctionContext,
  ) => Iterable<unknown>;
  /** @defaultValue `noFunctionContext` */
  readonly functionContext?: FunctionContext;
}

export class ReduceOperator implements Operator {
  readonly #gathered: ExternalSorter;
  readonly #runner: GroupRunner;

  constructor(context: OperatorContext, options: ReduceOperatorOptions) {
    const { pairs, output, group, order, reduce, functionContext } = options;
    const gathered = new ExternalSorter(context, { schema: pairs, order });
    const groupBy = group.map((column) => fieldIndexOf(pairs, column));
    this.#gathered = gathered;
    this.#runner = new GroupRunner(context, {
      pairs,
      output,
      gathered,
      functionContext,
      driver: (given) => reduceDriver({ ...given, groupBy }, () => gathered.next(), reduce),
    });
  }

  process(batch: Batch, fromRow: number): number {
    return this.#gathered.offer(batch) ? batch.rowCount : fromRow;
  }

  finish(outbox: Outbox): boolean {
    return this.#runner.drain(outbox) && this.#runner.finish(outbox);
  }

  close(): void {
    this.#runner.close();
  }
}
