/**
 * Running top: the first rows of an order, or those of each partition with their ranks, of all rows that have come and not
 * gone, and what changes of them.
 *
 *     rows, weights ─▶ all rows, counted ──everyMs──▶ first rows of the order ─▶ less those of before ─▶ -D, +I
 *
 * Why all rows: when one of the first goes, the next one of those behind takes its place. Where rows are
 * only added that can't be, and only the first are kept. All of them are read for each update, but no more often than a
 * fifth of the time: updates of a large state come later, and not at the cost of the rows.
 *
 * Rows that are equal in all columns are one with a count. What has changed is what is left of the new first rows
 * less the old ones; rows that go come before rows that come, so that there are never more than were asked for.
 *
 * Invariants:
 * - Between two calls each row is in the table, or not; while an update is made no row is added.
 * Before: coordinator/planner/lower-running-top.ts
 */
import { assert } from '../../../base/assert.ts';
import { Batch, batchRowsMax, type Column } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { RankFunction } from '../../plan/analytic-functions.ts';
import type { SortKey } from '../../plan/logical-graph.ts';
import { rowKinds, rowKindType } from '../../plan/row-kind.ts';
import type { Schema } from '../../schema/schema.ts';
import { ascending } from '../../stream/row-order.ts';
import { takeColumn } from '../../stream/take-column.ts';
import { type AggregatePlan, planAggregates } from '../aggregate-plan.ts';
import { AggregateTable } from '../aggregate-table.ts';
import { FrozenBatches } from '../frozen-batches.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { OwnRows } from '../own-rows.ts';
import { notesOf } from '../snapshot-notes.ts';
import { SortOperator } from '../sort-operator.ts';
import { TableSnapshot } from '../table-snapshot.ts';
import { added, negative, readOut, type Work, weightOf, withWeights } from './counted-rows.ts';
import { FirstPlaces } from './first-places.ts';

export interface RanksOfPartitions {
  readonly partition: readonly string[];
  readonly function: RankFunction;
}

export interface RunningTopOptions {
  /** The rows, and behind them how often each comes, or, less than 0, goes: an int64. */
  readonly input: Schema;
  /** The rows, with `ranks` the rank, and the row kind. */
  readonly output: Schema;
  readonly order: readonly SortKey[];
  /** Rows wanted; with `ranks` the last rank that is. */
  readonly count: number;
  /** Of each partition the first rows, with their ranks; null: of all rows, without. */
  readonly ranks: RanksOfPartitions | null;
  /** Whether rows go; else those behind the first are forgotten. */
  readonly isOfChanges: boolean;
  readonly everyMs: number;
}

/** Of the time, the part that is not spent on updates, by theirs. */
const restShare = 4;

export class RunningTopOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: RunningTopOptions;
  /** The rows, as they are given out, and their weights. */
  readonly #given: Schema;
  readonly #plan: AggregatePlan;
  readonly #givenPlan: AggregatePlan;
  /** All rows, counted. */
  #rows: AggregateTable;
  readonly #allRows: TableSnapshot;
  /** The first rows of a snapshot that are this task's. */
  #ownTop: OwnRows | null = null;
  /** The first rows, as they were given out, with their counts. */
  #top: readonly Batch[] = [];
  #work: Work | null = null;
  #pending: Batch | null = null;
  #beganMs = 0;
  #tookMs = 0;
  wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(context: OperatorContext, options: RunningTopOptions) {
    const { input, output } = options;
    const weight = input.fields.at(-1);
    assert(weight !== undefined, 'rows have a weight behind them');
    this.#given = { fields: [...output.fields.slice(0, -1), weight] };
    this.#context = context;
    this.#options = options;
    const { name } = weight;
    const total = { name, function: 'sum', columns: [name] } as const;
    this.#plan = planAggregates(input, 'final', [total]);
    this.#givenPlan = planAggregates(this.#given, 'final', [total]);
    this.#rows = this.#newTable(input, this.#plan);
    this.#allRows = new TableSnapshot(context, {
      ...{ part: 'rows', schema: input, keys: options.ranks?.partition ?? [] },
      count: () => this.#rows.groups.groupCount,
      settle: () => this.#rows.settle(),
      read: (place) => this.#read(place),
      add: (batch, row) => this.#rows.add(batch, row),
    });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    const next = this.#add(batch, fromRow, outbox);
    if (next === batch.rowCount && next > fromRow) this.#allRows.note(() => batch.retain());
    return next;
  }

  /** An update that is being made is given out in front of the barrier; the next one is due when it was. */
  snapshot(writer: SnapshotWriter, outbox: Outbox): boolean {
    if (this.#work !== null && !this.#give(outbox)) return false;
    if (!this.#allRows.prepare(writer)) return false;
    const wakeInMs = this.wakeAtMs - this.#nowMs();
    writer.note({ wakeInMs: Number.isFinite(wakeInMs) ? wakeInMs : null });
    this.#allRows.hand(writer);
    const top = this.#top.map((batch) => batch.derive({ schema: this.#given }));
    writer.rows('top', this.#given, new FrozenBatches(top));
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    if (!this.#allRows.restore(reader) || !this.#restoreTop(reader)) return false;
    for (const { wakeInMs } of notesOf(reader)) {
      if (typeof wakeInMs !== 'number') continue;
      this.wakeAtMs = Math.min(this.wakeAtMs, this.#nowMs() + Math.max(0, wakeInMs));
    }
    return true;
  }

  #restoreTop(reader: SnapshotReader): boolean {
    const keys = this.#options.ranks?.partition ?? [];
    this.#ownTop ??= new OwnRows(this.#context, { part: 'top', schema: this.#given, keys });
    for (;;) {
      const rows = this.#ownTop.next(reader);
      if (rows === 'end') break;
      if (rows !== null) this.#top = [...this.#top, rows];
      if (this.#context.shouldYield()) return false;
    }
    this.#ownTop.close();
    this.#ownTop = null;
    return true;
  }

  #add(batch: Batch, fromRow: number, outbox: Outbox): number {
    let row = fromRow;
    while (row < batch.rowCount) {
      if (this.#work !== null && !this.#give(outbox)) return row;
      if (this.wakeAtMs === Number.POSITIVE_INFINITY) {
        const restMs = Math.max(this.#options.everyMs, this.#tookMs * restShare);
        this.wakeAtMs = this.#nowMs() + restMs;
      }
      row = this.#rows.add(batch, row);
      if (row < batch.rowCount && this.#context.shouldYield()) return row;
    }
    return row;
  }

  wake(nowMs: number, outbox: Outbox): boolean {
    return this.#work === null && nowMs < this.wakeAtMs ? true : this.#give(outbox);
  }

  finish(outbox: Outbox): boolean {
    return this.#give(outbox);
  }

  close(): void {
    this.#work?.return();
    this.#work = null;
    this.#pending?.release();
    this.#pending = null;
    for (const batch of this.#top) batch.release();
    this.#top = [];
    this.#ownTop?.close();
    this.#ownTop = null;
    this.#allRows.close();
    this.#rows.close();
  }

  #nowMs(): number {
    return this.#context.nowMs?.() ?? 0;
  }

  /** Makes an update and gives it out; false asks to be called again. */
  #give(outbox: Outbox): boolean {
    if (this.#work === null) this.#beganMs = this.#nowMs();
    this.#work ??= this.#update();
    for (;;) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
      this.#pending = null;
      const { done, value } = this.#work.next();
      if (done === true) break;
      this.#pending = value;
      if (value === null && this.#context.shouldYield()) return false;
    }
    this.#work = null;
    this.#tookMs = this.#nowMs() - this.#beganMs;
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    return true;
  }

  *#update(): Work {
    const changes = this.#newTable(this.#given, this.#givenPlan);
    const next: Batch[] = [];
    try {
      yield* this.#first(next);
      for (const batch of next) yield* added(changes, batch.retain());
      for (const batch of this.#top) yield* added(changes, negative(this.#context, batch));
      const read = (table: AggregateTable) => table.next(this.#givenPlan.results, this.#given);
      for (const kind of [rowKinds.delete, rowKinds.insert]) {
        yield* readOut(changes, read, (batch) => this.#changesOf(batch, kind));
      }
      // Of rows that were only added, those behind the first never are among them.
      if (!this.#options.isOfChanges) yield* this.#keepOnly(next);
      for (const batch of this.#top) batch.release();
      this.#top = next.splice(0);
    } finally {
      for (const batch of next) batch.release();
      changes.close();
    }
  }

  /** The first rows, with as many of each as are wanted, to `into`. */
  *#first(into: Batch[]): Work {
    const context = this.#context;
    const { input: schema, order, count, ranks } = this.#options;
    const sorted =
      ranks === null
        ? { schema, order, count }
        : { schema, order: [...ranks.partition.map(ascending), ...order] };
    const sorter = new SortOperator(context, sorted);
    const found: Batch[] = [];
    const outbox = { offer: (batch: Batch) => found.push(batch) > 0 };
    try {
      const read = (table: AggregateTable) => table.next(this.#plan.results, schema);
      yield* readOut(this.#rows, read, (batch) => this.#sort(sorter, batch));
      if (ranks !== null) {
        yield* this.#firstOfPartitions(sorter, ranks, into);
        return;
      }
      while (!sorter.finish(outbox)) yield null;
      let left = count;
      for (const batch of found) {
        const cut = withWeights(context, batch, (weight) => {
          const wanted = Math.min(weight, left);
          left -= wanted;
          return wanted;
        });
        if (cut !== null) into.push(cut);
      }
    } finally {
      for (const batch of found) batch.release();
      sorter.close();
    }
  }

  *#sort(sorter: SortOperator, batch: Batch): Work {
    const present = withWeights(this.#context, batch, (weight) => Math.max(0, weight));
    if (present === null) return;
    try {
      while (sorter.process(present, 0) < present.rowCount) yield null;
    } finally {
      present.release();
    }
  }

  *#firstOfPartitions(sorter: SortOperator, ranks: RanksOfPartitions, into: Batch[]): Work {
    const { input, order, count } = this.#options;
    const options = { input, output: this.#given, order, count, ...ranks };
    const places = new FirstPlaces(this.#context, options);
    const outbox = {
      offer(batch: Batch): boolean {
        // Taken over only where nothing throws: until then it is the sorter's.
        places.add(batch.retain(), into);
        batch.release();
        return true;
      },
    };
    try {
      while (!sorter.finish(outbox)) yield null;
      places.finish(into);
    } finally {
      places.close();
    }
  }

  *#keepOnly(top: readonly Batch[]): Work {
    const { input } = this.#options;
    const kept = this.#newTable(input, this.#plan);
    const rowColumns = input.fields.length - 1;
    try {
      for (const batch of top) {
        const columns = [...batch.columns.slice(0, rowColumns), ...batch.columns.slice(-1)];
        yield* added(kept, batch.derive({ schema: input, columns }));
      }
    } catch (error) {
      kept.close();
      throw error;
    }
    this.#rows.close();
    this.#rows = kept;
    this.#allRows.forget();
  }

  /** Rows of a snapshot; those that have gone are not among them. */
  #read(place: number) {
    if (place === 0) this.#rows.rewind();
    const all = this.#rows.isReadOut
      ? null
      : this.#rows.next(this.#plan.results, this.#options.input);
    const batch = all && withWeights(this.#context, all, (weight) => weight);
    all?.release();
    const isDone = this.#rows.isReadOut;
    if (isDone) this.#rows.rewind();
    return { batch, next: isDone ? null : 1 };
  }

  /** The rows that come, or go, each as often as it does. */
  *#changesOf(batch: Batch, kind: number): Work {
    const chosen: number[] = [];
    const sign = kind === rowKinds.insert ? 1 : -1;
    for (let row = 0; row < batch.rowCount; row++) {
      for (let times = weightOf(batch, row) * sign; times > 0; times--) {
        chosen.push(row);
        if (chosen.length === batchRowsMax) yield this.#rowsOf(batch, chosen.splice(0), kind);
      }
    }
    if (chosen.length > 0) yield this.#rowsOf(batch, chosen, kind);
  }

  #rowsOf(batch: Batch, chosen: readonly number[], kind: number): Batch {
    const { scope, kernels } = this.#context;
    const { memory } = scope;
    const rowCount = chosen.length;
    const numbers = scope.allocate(rowCount * 4);
    const blocks: BlockHandle[] = [numbers];
    memory.uint32.set(chosen, addressOf(numbers) >>> 2);
    const kinds = scope.allocate(rowCount);
    blocks.push(kinds);
    memory.bytes.fill(kind, addressOf(kinds), addressOf(kinds) + rowCount);
    const columns = batch.columns.slice(0, -1).map((column): Column => {
      return takeColumn({ scope, kernels, blocks }, column, addressOf(numbers), rowCount);
    });
    columns.push({ type: rowKindType, values: addressOf(kinds), validity: 0 });
    const holds = [batch.retain()];
    return new Batch(memory, { schema: this.#options.output, rowCount, columns, blocks, holds });
  }

  #newTable(input: Schema, plan: AggregatePlan): AggregateTable {
    const keys = input.fields.slice(0, -1).map(({ name }) => name);
    return new AggregateTable(this.#context, { input, keys, plan });
  }
}
