/**
 * Aggregate: groups rows by one key column and folds the others, in one or two phases.
 *
 *     rows ──▶ partial: groups of this task ──hash──▶ final: merges groups of all tasks ──▶ groups
 *     rows ──▶ whole: both in one, where there is only one task
 *
 * The final phase adds up counts and sums and keeps the best of minima and maxima; so partial output
 * may be merged any number of times, and a partial phase that runs out of room gives out its rare
 * groups and goes on with the others. The final phase needs all its groups in memory.
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
import { type AccumulatorSpec, type GroupRows, GroupTable } from '../kernels/group-table.ts';
import type { FieldType } from '../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { readGroupBatch, WideColumns } from './aggregate-columns.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';

/**
 * Slots of a partial table: 2 MiB with one aggregate, about what a core has as its own cache. With
 * 2^20 slots fewer rows go on, but most probes miss that cache: wordcount then took as long on a
 * quiet machine and up to twice as long where others used the shared cache. A full table keeps its
 * frequent groups (engine/kernels/frequent-groups.ts). (Tried and dropped: one that keeps all of them,
 * and passes rows of other keys on as groups of their own. On text as many rows went on as without
 * keeping any, since its words change from part to part, and it took 10 % longer.)
 */
const partialSlotsMax = 1 << 16;

export interface AggregateColumnOptions {
  readonly name: string;
  readonly function: 'count' | 'sum' | 'min' | 'max';
  /** The input column; null counts rows. The final phase reads the column `name` instead. */
  readonly column: string | null;
}

export interface AggregateOptions {
  readonly input: Schema;
  /** First the key, then the aggregates. */
  readonly output: Schema;
  readonly phase: 'partial' | 'final' | 'whole';
  readonly key: string;
  readonly aggregates: readonly AggregateColumnOptions[];
  /** A power of two. @defaultValue 65,536 in the partial phase, unlimited in the others */
  readonly slotsMax?: number;
}

export class AggregateOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: AggregateOptions;
  readonly #keyIndex: number;
  readonly #inputIndexes: readonly number[];
  readonly #wide: WideColumns;
  #table: GroupTable | null;
  /** The batch that `#rows` describes. */
  #prepared: Batch | null = null;
  #rows: GroupRows | null = null;
  /** While groups are given out: the slot to go on with. */
  #emitFrom = -1;
  #pending: Batch | null = null;

  constructor(context: OperatorContext, options: AggregateOptions) {
    const { input, phase, key, aggregates, slotsMax } = options;
    this.#context = context;
    this.#options = options;
    this.#keyIndex = fieldIndexOf(input, key);
    const inputs = aggregates.map(({ name, column }) => (phase === 'final' ? name : column));
    this.#inputIndexes = inputs.map((name) => (name === null ? -1 : fieldIndexOf(input, name)));
    const keyType = input.fields[this.#keyIndex]?.type;
    assert(keyType !== undefined, 'the key of an aggregate is in its input');
    const limit = slotsMax ?? (phase === 'partial' ? partialSlotsMax : undefined);
    this.#wide = new WideColumns(context.scope, context.kernels);
    this.#table = new GroupTable(context.scope, context.kernels, {
      keyType: keyType.kind === 'utf8' ? 'utf8' : 'int64',
      accumulators: aggregates.map((_, index) => this.#accumulatorOf(index)),
      ...(limit !== undefined && { slotsMax: limit }),
      keepsFrequent: phase === 'partial',
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
        row = table.addRows(this.#rowsOf(batch), row);
        if (table.overflow !== null) throw this.#overflowError(table.overflow.accumulator);
        if (table.isFull) this.#emitFrom = 0;
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
    do {
      if (this.#emitFrom < 0) this.#emitFrom = 0;
      if (!this.#emit(table, outbox)) return false;
      // Groups that a full table has kept come now.
    } while (table.groupCount > 0);
    // The next operators may need the room while this task goes on.
    table.close();
    this.#table = null;
    return true;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
    this.#wide.close();
    this.#table?.close();
    this.#table = null;
  }

  /** Gives out all groups, of a full table the rare ones; false asks to be called again. */
  #emit(table: GroupTable, outbox: Outbox): boolean {
    const { scope, kernels, shouldYield } = this.#context;
    const target = { scope, kernels, table, schema: this.#options.output };
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
    this.#emitFrom = -1;
    return true;
  }

  #rowsOf(batch: Batch): GroupRows {
    if (this.#prepared === batch && this.#rows !== null) return this.#rows;
    const { selection, rowCount } = batch;
    const key = this.#wide.key(batch, this.#keyIndex);
    const inputs = this.#inputIndexes.map((index) => this.#wide.value(batch, index));
    this.#prepared = batch;
    this.#rows = { key, inputs, selection, rowCount };
    return this.#rows;
  }

  #accumulatorOf(index: number): AccumulatorSpec {
    const { aggregates, phase, input } = this.#options;
    const aggregate = aggregates[index];
    assert(aggregate !== undefined, 'an aggregate has a description');
    const inputIndex = this.#inputIndexes[index] ?? -1;
    if (aggregate.function === 'count') {
      if (phase === 'final') return { function: 'sum', type: 'int64' };
      return { function: inputIndex < 0 ? 'count' : 'countValid', type: 'int64' };
    }
    const type = input.fields[inputIndex]?.type;
    assert(type !== undefined, 'the input of an aggregate is in its input schema');
    assert(type.kind !== 'utf8', 'the planner refuses sum, min and max of texts');
    return { function: aggregate.function, type: accumulatorType(type) };
  }

  #overflowError(accumulator: number): Error {
    const { name } = this.#context;
    const column = this.#options.aggregates[accumulator]?.name ?? '';
    return typedError(
      'AGGREGATE_OVERFLOW',
      `sum "${column}" of operator "${name}" does not fit an int64`,
      {
        details: { operator: name, column },
        hint: 'Sum the column as float64, or group by a finer key.',
      },
    );
  }
}

function accumulatorType(type: FieldType): 'int64' | 'float64' {
  return type.kind === 'float64' ? 'float64' : 'int64';
}
