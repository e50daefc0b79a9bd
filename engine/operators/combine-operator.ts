/**
 * Combine: mapReduce's fold before the shuffle. Pairs are gathered up to a bound, sorted by key, and
 * each key's values folded into one by the user's function; so fewer pairs travel.
 *
 * Any number of rounds gives the same final result, since the function may run any number of times.
 */
import type { Batch } from '../batch/batch.ts';
import { combineDriver } from '../compile/group-driver.ts';
import type { Schema } from '../schema/schema.ts';
import { GroupRunner } from './group-runner.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';

/** Pairs of one round: about 20 MiB with their sort keys. */
const pairsMax = 262_144;

export interface CombineOperatorOptions {
  /** `key` and `value`, in and out. */
  readonly pairs: Schema;
  readonly combine: (key: never, values: Iterable<never>) => unknown;
  /** @defaultValue 262,144 */
  readonly pairsMax?: number;
}

export class CombineOperator implements Operator {
  readonly #runner: GroupRunner;
  readonly #pairsMax: number;
  #isDraining = false;

  constructor(context: OperatorContext, options: CombineOperatorOptions) {
    const { pairs, combine } = options;
    this.#pairsMax = options.pairsMax ?? pairsMax;
    this.#runner = new GroupRunner(context, {
      pairs,
      output: pairs,
      driver: (given) => combineDriver(given, combine),
    });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (this.#runner.rowCount >= this.#pairsMax) this.#isDraining = true;
    if (this.#isDraining && !this.#runner.drain(outbox)) return fromRow;
    this.#isDraining = false;
    this.#runner.add(batch);
    return batch.rowCount;
  }

  finish(outbox: Outbox): boolean {
    return this.#runner.drain(outbox) && this.#runner.finish(outbox);
  }

  close(): void {
    this.#runner.close();
  }
}
