/**
 * Combine: mapReduce's fold before the shuffle. Pairs are gathered up to a bound, brought together by
 * key, and each key's values folded into one by the user's function; so fewer pairs travel.
 *
 * Any number of rounds gives the same final result, since the function may run any number of times.
 */
import type { Batch } from '../batch/batch.ts';
import { combineDriver } from '../compile/group-driver.ts';
import type { FunctionContext } from '../plan/user-functions.ts';
import type { Schema } from '../schema/schema.ts';
import { GroupRunner } from './group-runner.ts';
import { GroupedPairs } from './grouped-pairs.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';

/** Pairs of one round: about 13 MiB with numbers and table. */
const defaultPairsMax = 262_144;

export interface CombineOperatorOptions {
  /** `key` and `value`, in and out. */
  readonly pairs: Schema;
  readonly combine: (key: never, values: Iterable<never>, context: FunctionContext) => unknown;
  /** @defaultValue `noFunctionContext` */
  readonly functionContext?: FunctionContext;
  /** @defaultValue 262,144 */
  readonly pairsMax?: number;
}

export class CombineOperator implements Operator {
  readonly #gathered: GroupedPairs;
  readonly #runner: GroupRunner;

  constructor(context: OperatorContext, options: CombineOperatorOptions) {
    const { pairs, combine, functionContext, pairsMax = defaultPairsMax } = options;
    const gathered = new GroupedPairs(context, { pairs, pairsMax });
    this.#gathered = gathered;
    this.#runner = new GroupRunner(context, {
      pairs,
      output: pairs,
      gathered,
      functionContext,
      driver: (given) => combineDriver(given, () => gathered.groups(), combine),
    });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (this.#gathered.isFull && !this.#runner.drain(outbox)) return fromRow;
    return this.#gathered.add(batch, fromRow);
  }

  finish(outbox: Outbox): boolean {
    return this.#runner.drain(outbox) && this.#runner.finish(outbox);
  }

  close(): void {
    this.#runner.close();
  }
}
