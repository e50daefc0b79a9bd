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
import type { OperatorContext } from '../operator.ts';
import { TableSnapshot } from '../table-snapshot.ts';
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
  readonly snapshot: TableSnapshot;
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
    this.snapshot = new TableSnapshot(context, {
      ...this.#parts.snapshotOptions(() => this.#table, { nowMs: () => this.#nowMs(), ttlMs }),
      ...{ part: `values-${value}`, keys },
    });
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
    if (row > fromRow) this.snapshot.note(() => this.#noted(batch));
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
        this.snapshot.forget();
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
    return this.#parts.read(this.#table, fromSlot);
  }

  /** As of `RunningGroups`. */
  get sweepInMs(): number {
    return this.#sweepAtMs - this.#nowMs();
  }

  goOn(sweepInMs: number): void {
    this.#sweepAtMs = this.#nowMs() + sweepInMs;
    this.#sweepCount = Math.max(sweepMin, this.#table.groupCount * 2);
  }

  get isEmpty(): boolean {
    return this.#table.groupCount === 0;
  }

  close(): void {
    this.snapshot.close();
    this.#sweep?.close();
    this.#sweep = null;
    this.#table.close();
    this.#parts.close();
    this.#touched.close();
  }

  #rowsOf(batch: Batch): GroupRows {
    if (this.#batch === batch && this.#rows !== null) return this.#rows;
    const own = this.#ownOf(batch);
    // What is read of it are the columns of the batch, which the caller holds.
    const rows = this.#parts.rowsOf(own, this.#touched.at(this.#nowMs()));
    own.release();
    this.#batch = batch;
    this.#rows = rows;
    return rows;
  }

  #ownOf(batch: Batch): Batch {
    const columns = this.#columns.flatMap((index) => batch.columns[index] ?? []);
    return batch.derive({ schema: this.schema, columns });
  }

  #noted(batch: Batch): Batch {
    const own = this.#ownOf(batch);
    const noted = this.#parts.withTouch(own, this.#touched.at(this.#nowMs()));
    own.release();
    return noted;
  }

  #nowMs(): number {
    return Math.max(0, Math.floor(this.#context.nowMs?.() ?? 0));
  }

  #nextSweepMs(): number {
    const ttlMs = this.#ttlMs;
    return ttlMs === null ? Number.POSITIVE_INFINITY : this.#nowMs() + Math.ceil(ttlMs / 2);
  }
}
