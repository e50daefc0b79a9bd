/**
 * Aggregate table: the groups of rows of one schema. Rows go in, a batch at a time and in slices; groups come
 * out as batches, as results or as parts.
 *
 *     add ─▶ keys · inputs ─▶ group table ─▶ next: keys beside results, in the order of slots
 *
 * Not here: what happens when it is full (engine/operators/aggregate-operator.ts, spilled-groups.ts).
 */
import type { Batch } from '../batch/batch.ts';
import { type GroupRows, GroupTable } from '../kernels/group-table.ts';
import type { Schema } from '../schema/schema.ts';
import { AggregateInputs } from './aggregate-inputs.ts';
import { aggregateOverflow } from './aggregate-overflow.ts';
import type { AggregatePlan, AggregateResult } from './aggregate-plan.ts';
import { readGroupBatch } from './aggregate-results.ts';
import { GroupKeys } from './group-keys.ts';
import type { OperatorContext } from './operator.ts';

export interface AggregateTableOptions {
  readonly input: Schema;
  readonly keys: readonly string[];
  readonly plan: AggregatePlan;
  /** Scratch that several tables of the same input, keys and plan use. @defaultValue a table's own */
  readonly scratch?: AggregateScratch;
  /** As of `GroupTable`. */
  readonly slotsFirst?: number;
  /** As of `GroupTable`. */
  readonly slotsMax?: number;
  readonly bytesMax?: number;
}

/** Bitmaps of rows whose value comes for the first time, by input column. */
export type Arrivals = ReadonlyMap<number, number>;

/** What a table reads batches with: it holds what it made of the last one. */
export interface AggregateScratch {
  readonly keys: GroupKeys;
  readonly inputs: AggregateInputs;
}

/** How parts of groups are read (engine/operators/windows/record-parts.ts). */
export interface PartsOfGroups {
  readonly accumulators: AggregatePlan['accumulators'];
  readonly scratch: AggregateScratch;
}

export function aggregateScratchOf(
  { scope, kernels }: OperatorContext,
  {
    input: schema,
    keys,
    plan,
  }: Pick<AggregateTableOptions, 'input' | 'keys'> & {
    readonly plan: Pick<AggregatePlan, 'inputs'>;
  },
): AggregateScratch {
  return {
    keys: new GroupKeys(scope, kernels, { schema, keys }),
    inputs: new AggregateInputs(scope, kernels, plan.inputs),
  };
}

export class AggregateTable {
  readonly #context: OperatorContext;
  readonly #plan: AggregatePlan;
  readonly #keys: GroupKeys;
  readonly #inputs: AggregateInputs;
  /** Whether the scratch is to be closed with the table. */
  readonly #ownsScratch: boolean;
  readonly #table: GroupTable;
  /** The batch that `#rows` describes. */
  #prepared: Batch | null = null;
  #rows: GroupRows | null = null;
  /** Rows since the table was empty. */
  #rowCount = 0;
  /** The slot from which groups are given out next. */
  #nextSlot = 0;

  constructor(context: OperatorContext, options: AggregateTableOptions) {
    const { scope, kernels } = context;
    const { plan, slotsMax, slotsFirst, bytesMax } = options;
    const { keys, inputs } = options.scratch ?? aggregateScratchOf(context, options);
    this.#context = context;
    this.#plan = plan;
    this.#keys = keys;
    this.#inputs = inputs;
    this.#ownsScratch = options.scratch === undefined;
    this.#table = new GroupTable(scope, kernels, {
      keyForm: this.#keys.form,
      accumulators: plan.accumulators,
      ...(slotsMax !== undefined && { slotsMax }),
      ...(slotsFirst !== undefined && { slotsFirst }),
      ...(bytesMax !== undefined && { bytesMax }),
    });
  }

  get groups(): GroupTable {
    return this.#table;
  }

  /** Rows since the table was empty. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** Whether some of the groups, or all, have been given out. */
  get isBeingRead(): boolean {
    return this.#nextSlot > 0;
  }

  /** Whether all groups have been given out. */
  get isReadOut(): boolean {
    return this.#nextSlot >= this.#table.slotCount || this.#table.groupCount === 0;
  }

  /** Adds rows from `fromRow` on; answers the next row, short of the end when it is full or time is over. */
  add(batch: Batch, fromRow: number, arrivals: Arrivals = noArrivals): number {
    const row = this.#addAll(batch, this.#rowsOf(batch, arrivals), fromRow);
    if (row === batch.rowCount) this.#prepared = null;
    return row;
  }

  /** The same of parts of groups, as `next` gives them for the plan's parts. */
  addParts({ accumulators, scratch }: PartsOfGroups, batch: Batch, fromRow: number): number {
    this.#prepared = null;
    this.#table.useAccumulators(accumulators);
    const row = this.#addAll(batch, preparedRows(scratch, batch, noArrivals), fromRow);
    this.#table.useAccumulators(this.#plan.accumulators);
    return row;
  }

  #addAll(batch: Batch, rows: GroupRows, fromRow: number): number {
    const table = this.#table;
    let row = fromRow;
    while (row < batch.rowCount && !table.isFull) {
      if (table.isGrowing) table.grow();
      else row = this.#addRows(rows, row);
      if (row < batch.rowCount && this.#context.shouldYield()) return row;
    }
    return row;
  }

  /** Ends growing, before groups are given out; false asks to be called again. */
  settle(): boolean {
    while (this.#table.isGrowing) {
      if (!this.#table.grow() && this.#context.shouldYield()) return false;
    }
    return true;
  }

  /** The next groups, or null when this slice of the table has none: see `isReadOut`. */
  next(results: readonly AggregateResult[], schema: Schema): Batch | null {
    const { scope, kernels } = this.#context;
    const from = { scope, kernels, table: this.#table, keys: this.#keys, results, schema };
    const { batch, nextSlot } = readGroupBatch(from, this.#nextSlot);
    this.#nextSlot = nextSlot;
    return batch;
  }

  /** Gives all groups out again. */
  rewind(): void {
    this.#nextSlot = 0;
  }

  /** Forgets all groups. */
  clear(): void {
    this.#table.clear();
    this.#rowCount = 0;
    this.#nextSlot = 0;
  }

  close(): void {
    if (this.#ownsScratch) {
      this.#keys.close();
      this.#inputs.close();
    }
    this.#table.close();
  }

  #addRows(rows: GroupRows, row: number): number {
    const next = this.#table.addRows(rows, row);
    if (this.#table.overflow !== null) {
      throw aggregateOverflow(this.#context.name, this.#plan, this.#table.overflow.accumulator);
    }
    this.#rowCount += next - row;
    return next;
  }

  #rowsOf(batch: Batch, arrivals: Arrivals): GroupRows {
    if (this.#prepared === batch && this.#rows !== null) return this.#rows;
    this.#prepared = batch;
    this.#rows = preparedRows({ keys: this.#keys, inputs: this.#inputs }, batch, arrivals);
    return this.#rows;
  }
}

function preparedRows(
  { keys, inputs: read }: AggregateScratch,
  batch: Batch,
  arrivals: Arrivals,
): GroupRows {
  const { selection, rowCount } = batch;
  const key = keys.read(batch);
  const inputs = read.read(batch, arrivals);
  return { key, keySelection: key.selection, inputs, selection, rowCount };
}

const noArrivals: Arrivals = new Map();
