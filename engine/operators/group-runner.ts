/**
 * Group runner: what combine, reduce and functions over windows share. Pairs that were gathered are arranged, key by key, in
 * slices, and given group by group to the user's function, whose output fills batches.
 *
 *     gathering ──drain──▶ arranging ──▶ groups ──▶ (batches out) ──▶ gathering, empty
 */
import { BatchBuilder } from '../batch/batch-builder.ts';
import type { GroupDriver, GroupOptions } from '../compile/group-driver.ts';
import type { FunctionContext } from '../plan/user-functions.ts';
import type { Schema } from '../schema/schema.ts';
import { BuiltBatches } from './built-batches.ts';
import type { OperatorContext, Outbox } from './operator.ts';
import { RowPacer } from './row-pacer.ts';

/** Pairs of one round; how they are added and read, each kind says itself. */
export interface GatheredPairs {
  /** Works for a slice; true when the pairs of each key lie together. */
  arrange(): boolean;
  /** Forgets all pairs. */
  clear(): void;
  close(): void;
}

export interface GroupRunnerOptions {
  /** `key` and `value`. */
  readonly pairs: Schema;
  readonly output: Schema;
  readonly gathered: GatheredPairs;
  /** @defaultValue `noFunctionContext` */
  readonly functionContext?: FunctionContext | undefined;
  readonly driver: (options: GroupOptions) => GroupDriver;
}

export class GroupRunner {
  readonly #context: OperatorContext;
  readonly #gathered: GatheredPairs;
  readonly #output: BuiltBatches;
  readonly #driver: GroupDriver;
  readonly #pacer: RowPacer;
  #isArranged = false;

  constructor(context: OperatorContext, options: GroupRunnerOptions) {
    const { pairs, output, gathered, functionContext, driver } = options;
    const { scope, name } = context;
    this.#context = context;
    this.#gathered = gathered;
    this.#pacer = new RowPacer(context.shouldYield);
    const builder = new BatchBuilder(scope, output);
    this.#output = new BuiltBatches(builder);
    const { memory } = scope;
    const given = { operator: name, memory, pairs, output, builder };
    this.#driver = driver({ ...given, context: functionContext });
  }

  /** Runs the function over all gathered pairs; false asks to be called again. */
  drain(outbox: Outbox): boolean {
    if (!this.#output.flush(outbox)) return false;
    if (!this.#arrange()) return false;
    for (;;) {
      const outcome = this.#driver.run(this.#pacer.rows);
      if (outcome === 'done') break;
      if (outcome === 'full') {
        this.#output.cut();
        if (!this.#output.flush(outbox)) return false;
      }
      if (this.#pacer.isOver()) return false;
    }
    this.#gathered.clear();
    this.#isArranged = false;
    return true;
  }

  /** Gives out the rows of the last, partly filled batch; false asks to be called again. */
  finish(outbox: Outbox): boolean {
    return this.#output.finish(outbox);
  }

  close(): void {
    this.#driver.close();
    this.#output.close();
    this.#gathered.close();
  }

  #arrange(): boolean {
    while (!this.#isArranged) {
      this.#isArranged = this.#gathered.arrange();
      if (!this.#isArranged && this.#context.shouldYield()) return false;
    }
    return true;
  }
}
