/**
 * Aggregate: groups rows by key columns and folds others, in one or two phases.
 *
 *     rows ──▶ partial: groups of this task ──hash──▶ final: merges groups of all tasks ──▶ groups
 *     rows ──▶ whole: both in one, where there is only one task
 *
 * The partial phase gives the parts of results (engine/plan/aggregate-functions.ts), which may be
 * merged any number of times; so one that runs out of room gives out what it has and starts anew. The
 * final phase needs all its groups in memory. Distinct values are counted in a whole phase only, with a
 * set of them in memory as well.
 *
 * Invariants:
 * - Between two calls every row is either wholly in the table or not at all.
 * - Growing and giving out go on in slices; while the table is being given out no row is added.
 * - The arena with the keys' bytes stays as long as a batch that was given out refers to it.
 * @see Apache DataFusion, `GroupedHashAggregateStream`: the same phases and early emission.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/batch-builder.ts';
import { type GroupRows, GroupTable } from '../kernels/group-table.ts';
import type { Schema } from '../schema/schema.ts';
import { AggregateInputs } from './aggregate-inputs.ts';
import {
  type AggregateColumnOptions,
  type AggregatePhase,
  type AggregatePlan,
  planAggregates,
} from './aggregate-plan.ts';
import { readGroupBatch } from './aggregate-results.ts';
import { DistinctSet } from './distinct-set.ts';
import { GroupKeys } from './group-keys.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { largerPartialTable, partialSlotsFirst } from './partial-limit.ts';

export interface AggregateOptions {
  readonly input: Schema;
  /** First the keys, then the results; in the partial phase their parts. */
  readonly output: Schema;
  readonly phase: AggregatePhase;
  /** None: all rows are one group, which is there even without rows. */
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateColumnOptions[];
  /**
   * A power of two: then a full table gives its groups out.
   * @defaultValue 262,144 in the partial phase, more where that helps; unlimited in the others
   */
  readonly slotsMax?: number;
}

const noArrivals: ReadonlyMap<number, number> = new Map();

export class AggregateOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: AggregateOptions;
  readonly #plan: AggregatePlan;
  readonly #keys: GroupKeys;
  readonly #inputs: AggregateInputs;
  /** By input column whose distinct values are counted. */
  readonly #sets = new Map<number, DistinctSet>();
  #table: GroupTable | null;
  /** The batch that `#rows` describes. */
  #prepared: Batch | null = null;
  #rows: GroupRows | null = null;
  /** Rows since the table was empty. */
  #rowCount = 0;
  /** While groups are given out: the slot to go on with. */
  #emitFrom = -1;
  #pending: Batch | null = null;

  constructor(context: OperatorContext, options: AggregateOptions) {
    const { input, phase, keys, aggregates, slotsMax } = options;
    const { scope, kernels } = context;
    const limit = slotsMax ?? (phase === 'partial' ? partialSlotsFirst : undefined);
    this.#context = context;
    this.#options = options;
    this.#plan = planAggregates(input, phase, aggregates);
    this.#keys = new GroupKeys(scope, kernels, { schema: input, keys });
    this.#inputs = new AggregateInputs(scope, kernels, this.#plan.inputs);
    for (const given of this.#plan.inputs) {
      if (given.kind !== 'distinct') continue;
      const { index: column } = given;
      this.#sets.set(column, new DistinctSet(context, { input, keys, column }));
    }
    this.#table = new GroupTable(scope, kernels, {
      keyForm: this.#keys.form,
      accumulators: this.#plan.accumulators,
      ...(limit !== undefined && { slotsMax: limit }),
    });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    const table = this.#table;
    assert(table !== null, 'no rows come after the end');
    let row = fromRow;
    while (row < batch.rowCount) {
      if (this.#emitFrom >= 0 && !this.#emit(table, outbox)) return row;
      if (table.isGrowing) {
        table.grow();
      } else {
        const rows = this.#rowsOf(batch);
        if (rows === null) return row;
        const next = table.addRows(rows, row);
        if (table.overflow !== null) throw this.#overflowError(table.overflow.accumulator);
        this.#rowCount += next - row;
        row = next;
        if (table.isFull && !this.#growOn(table)) this.#emitFrom = 0;
      }
      if (row < batch.rowCount && this.#context.shouldYield()) return row;
    }
    this.#prepared = null;
    return row;
  }

  finish(outbox: Outbox): boolean {
    const table = this.#table;
    if (table === null) return true;
    while (table.isGrowing) {
      if (!table.grow() && this.#context.shouldYield()) return false;
    }
    if (this.#emitFrom < 0) {
      this.#emitFrom = 0;
      if (this.#isOfNothing(table)) this.#pending = this.#groupOfNothing();
    }
    if (!this.#emit(table, outbox)) return false;
    // The next operators may need the room while this task goes on.
    table.close();
    this.#table = null;
    return true;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
    this.#keys.close();
    this.#inputs.close();
    for (const set of this.#sets.values()) set.close();
    this.#sets.clear();
    this.#table?.close();
    this.#table = null;
  }

  /** Without keys there is one group, whether there are rows or not. */
  #isOfNothing({ groupCount }: GroupTable): boolean {
    const { keys, phase } = this.#options;
    return keys.length === 0 && phase !== 'partial' && groupCount === 0;
  }

  /** The results over no rows: counts are 0, all others null. */
  #groupOfNothing(): Batch {
    const schema = this.#options.output;
    const builder = new BatchBuilder(this.#context.scope, schema);
    builder.appendRow(schema.fields.map(({ nullable }) => (nullable ? null : 0n)));
    return builder.build();
  }

  /** Whether a full table is allowed to grow on. */
  #growOn(table: GroupTable): boolean {
    if (this.#options.slotsMax !== undefined) return false;
    const { budgetBytes } = this.#context.scope.memory;
    const slotsMax = largerPartialTable(table, this.#rowCount, budgetBytes);
    if (slotsMax === null) return false;
    table.allowSlots(slotsMax);
    return true;
  }

  /** Gives out all groups and clears the table; false asks to be called again. */
  #emit(table: GroupTable, outbox: Outbox): boolean {
    const { scope, kernels, shouldYield } = this.#context;
    const { results } = this.#plan;
    const schema = this.#options.output;
    const target = { scope, kernels, table, keys: this.#keys, results, schema };
    for (;;) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
      this.#pending = null;
      if (this.#emitFrom >= table.slotCount || table.groupCount === 0) break;
      const { batch, nextSlot } = readGroupBatch(target, this.#emitFrom);
      this.#pending = batch;
      this.#emitFrom = nextSlot;
      if (shouldYield()) return false;
    }
    table.clear();
    this.#rowCount = 0;
    this.#emitFrom = -1;
    return true;
  }

  /** The rows of a batch; null when time is over before its distinct values are known. */
  #rowsOf(batch: Batch): GroupRows | null {
    if (this.#prepared === batch && this.#rows !== null) return this.#rows;
    if (this.#sets.size > 0) {
      for (const set of this.#sets.values()) if (!set.mark(batch)) return null;
    }
    const { selection, rowCount } = batch;
    const key = this.#keys.read(batch);
    const keySelection = key.selection;
    const inputs = this.#inputs.read(batch, this.#arrivals());
    this.#prepared = batch;
    this.#rows = { key, keySelection, inputs, selection, rowCount };
    return this.#rows;
  }

  /** By column whose distinct values are counted: marks of those that are new. */
  #arrivals(): ReadonlyMap<number, number> {
    if (this.#sets.size === 0) return noArrivals;
    return new Map([...this.#sets].map(([column, set]) => [column, set.marks]));
  }

  #overflowError(accumulator: number): Error {
    const { name } = this.#context;
    const column = this.#plan.owners[accumulator] ?? '';
    const isWide = this.#plan.accumulators[accumulator]?.type === 'int128';
    const type = isWide ? 'a decimal of 38 digits' : 'an int64';
    return typedError(
      'AGGREGATE_OVERFLOW',
      `sum "${column}" of operator "${name}" does not fit ${type}`,
      {
        details: { operator: name, column },
        hint: 'Sum the column as float64, or group by a finer key.',
      },
    );
  }
}
