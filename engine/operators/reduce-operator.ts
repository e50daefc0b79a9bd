/**
 * Reduce: mapReduce's last part. All pairs of this task are gathered and sorted by key; the user's
 * function is called once per key, keys ascending, values in the order in which they came.
 *
 * A key's values are read while the function asks for them, and its rows go out as it gives them, so
 * neither needs to fit in a batch; nor need the pairs fit in memory.
 */
import type { Batch } from '../batch/batch.ts';
import { reduceDriver } from '../compile/group-driver.ts';
import type { Schema } from '../schema/schema.ts';
import { ascending } from '../stream/row-order.ts';
import { ExternalSorter } from './external-sorter.ts';
import { GroupRunner } from './group-runner.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';

export interface ReduceOperatorOptions {
  /** `key` and `value`. */
  readonly pairs: Schema;
  readonly output: Schema;
  readonly reduce: (key: never, values: Iterable<never>) => Iterable<unknown>;
}

export class ReduceOperator implements Operator {
  readonly #gathered: ExternalSorter;
  readonly #runner: GroupRunner;

  constructor(context: OperatorContext, { pairs, output, reduce }: ReduceOperatorOptions) {
    const key = pairs.fields[0]?.name ?? 'key';
    const gathered = new ExternalSorter(context, { schema: pairs, order: [ascending(key)] });
    this.#gathered = gathered;
    this.#runner = new GroupRunner(context, {
      pairs,
      output,
      gathered,
      driver: (given) => reduceDriver(given, () => gathered.next(), reduce),
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
