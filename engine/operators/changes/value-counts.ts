/**
 * Value counts: how many rows of each key have which value, where rows come and go.
 *
 *     +I a 3   +I a 3   +I a 5   -D a 3   ─▶   a 3 once   a 5 once
 *
 * A value is there while more rows have come with it than gone. Values that are gone, or were not touched for their time
 * to live, are swept out now and then (engine/operators/changes/group-sweep.ts).
 */
import type { Batch } from '../../batch/batch.ts';
import type { GroupRows, GroupTable } from '../../kernels/group-table.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { planAggregates } from '../aggregate-plan.ts';
import { readGroupBatch } from '../aggregate-results.ts';
import type { OperatorContext } from '../operator.ts';
import { GroupSweep } from './group-sweep.ts';
import { GroupTableParts } from './group-table-parts.ts';
import { TouchedTimes } from './touched-times.ts';

export interface ValueCountsOptions {
  /** Keys, the value and the weight are among its fields. */
  readonly input: Schema;
  readonly keys: readonly string[];
  readonly value: string;
  /** How many rows a row stands for; below 0 where they go. */
  readonly weight: string;
  /** How long a value is kept after it was touched, in milliseconds; null: for ever. */
  readonly ttlMs: number | null;
}

/** Values in a table before it is worth sweeping. */
const sweepMin = 65_536;

export class ValueCounts {
  /** Keys, the value, and how many rows have it. */
  readonly schema: Schema;
  readonly #context: OperatorContext;
  readonly #ttlMs: number | null;
  readonly #columns: readonly number[];
  readonly #parts: GroupTableParts;
  readonly #touched: TouchedTimes;
  #table: GroupTable;
  #batch: Batch | null = null;
  #rows: GroupRows | null = null;
  #sweep: GroupSweep | null = null;
  #sweepCount = sweepMin;
  #sweepAtMs: number;

  constructor(context: OperatorContext, options: ValueCountsOptions) {
    const { input, keys, value, weight, ttlMs } = options;
    const names = [...keys, value];
    this.#columns = [...names, weight].map((name) => fieldIndexOf(input, name));
    this.schema = { fields: this.#columns.flatMap((index) => input.fields[index] ?? []) };
    const total = { name: weight, function: 'sum', columns: [weight] } as const;
    const plan = planAggregates(this.schema, 'final', [total]);
    this.#context = context;
    this.#ttlMs = ttlMs;
    this.#parts = new GroupTableParts(context, { parts: this.schema, keys: names, plan });
    this.#table = this.#parts.newTable();
    this.#touched = new TouchedTimes(context.scope);
    this.#sweepAtMs = this.#nextSweepMs();
  }

  /** Adds rows of a batch of the input from `fromRow` on; answers the next row. */
  add(batch: Batch, fromRow: number): number {
    const rows = this.#rowsOf(batch);
    let row = fromRow;
    while (row < batch.rowCount) {
      if (this.#table.isGrowing) this.#table.grow();
      else row = this.#table.addRows(rows, row);
      if (row < batch.rowCount && this.#context.shouldYield()) return row;
    }
    this.#batch = null;
    return row;
  }

  /** Ends growing, and sweeps out what is gone where that is worth it; false asks to be called again. */
  settle(): boolean {
    while (this.#table.isGrowing)
      if (!this.#table.grow() && this.#context.shouldYield()) return false;
    if (this.#sweep === null) {
      if (this.#table.groupCount < this.#sweepCount && this.#nowMs() < this.#sweepAtMs) return true;
      const sinceMs = this.#ttlMs === null ? 0 : this.#nowMs() - this.#ttlMs;
      this.#sweep = new GroupSweep(this.#parts, this.#table, sinceMs);
    }
    for (let swept = this.#sweep.step(); ; swept = this.#sweep.step()) {
      if (swept !== null) {
        this.#table.close();
        this.#table = swept;
        break;
      }
      if (this.#context.shouldYield()) return false;
    }
    this.#sweep = null;
    this.#sweepCount = Math.max(sweepMin, this.#table.groupCount * 2);
    this.#sweepAtMs = this.#nextSweepMs();
    return true;
  }

  /** Values from a slot on, with how many rows have them, of a table that is settled; done where `next` is null. */
  read(fromSlot: number): { readonly batch: Batch | null; readonly next: number | null } {
    const { scope, kernels } = this.#context;
    const { givenKeys: keys, partResults: results, partsWithTouch: schema } = this.#parts;
    const from = { scope, kernels, table: this.#table, keys, results, schema };
    const { batch, nextSlot } = readGroupBatch(from, fromSlot);
    return { batch, next: nextSlot < this.#table.slotCount ? nextSlot : null };
  }

  get isEmpty(): boolean {
    return this.#table.groupCount === 0;
  }

  close(): void {
    this.#sweep?.close();
    this.#sweep = null;
    this.#table.close();
    this.#parts.close();
    this.#touched.close();
  }

  #rowsOf(batch: Batch): GroupRows {
    if (this.#batch === batch && this.#rows !== null) return this.#rows;
    const columns = this.#columns.flatMap((index) => batch.columns[index] ?? []);
    const own = batch.derive({ schema: this.schema, columns });
    // What is read of it are the columns of the batch, which the caller holds.
    const rows = this.#parts.rowsOf(own, this.#touched.at(this.#nowMs()));
    own.release();
    this.#batch = batch;
    this.#rows = rows;
    return rows;
  }

  #nowMs(): number {
    return Math.max(0, Math.floor(this.#context.nowMs?.() ?? 0));
  }

  #nextSweepMs(): number {
    const ttlMs = this.#ttlMs;
    return ttlMs === null ? Number.POSITIVE_INFINITY : this.#nowMs() + Math.ceil(ttlMs / 2);
  }
}
