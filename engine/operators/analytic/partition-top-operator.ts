/**
 * Partition top: drops rows that are surely not among the first of their partition, before they travel and are
 * sorted by the analytic operator behind it.
 *
 *     rows ─▶ gathered ─full─▶ sorted ─▶ rows of rank ≤ count ─┬─ few: gathered again, with the next rows
 *                                                              └─ at the end, or too many: given out
 *
 * What comes out has every row whose rank among all rows of its partition is at most `count`; it may have others,
 * so whoever wants the first ones only asks for the rank again. That makes it free to give rows out early: it
 * never goes to disk, and holds at most a part of its share, or so many rows of each partition as are wanted.
 *
 * Invariants:
 * - Rows whose order is equal keep the order in which they came.
 * - Where most rows are among the first ones it passes all that come on, unsorted: there is nothing to gain.
 * Before: engine/operators/row-sorter.ts · After: engine/operators/analytic/analytic-operator.ts
 * @see Apache Spark, `WindowGroupLimitExec`: the same before and behind the exchange, over sorted rows.
 */
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { rankForms, rankStateBytes } from '../../kernels/segment-kernels.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { RankFunction } from '../../plan/analytic-functions.ts';
import type { Schema } from '../../schema/schema.ts';
import { RowCollector } from '../../stream/row-collector.ts';
import { ascending, type OrderColumn } from '../../stream/row-order.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { PendingBatch } from '../pending-batch.ts';
import { RowSorter } from '../row-sorter.ts';
import { SegmentMarks } from './segment-marks.ts';

export interface PartitionTopOptions {
  readonly schema: Schema;
  readonly partition: readonly string[];
  readonly order: readonly OrderColumn[];
  /** Which rank is counted. */
  readonly function: RankFunction;
  /** Rows of a rank up to this are wanted; from 1. */
  readonly count: number;
  /** Rows that gather before the first round, and at most. @defaultValue 65,536 to 4,194,304; tests set it low */
  readonly roundRows?: { readonly first: number; readonly most: number };
}

/**
 * A sort of the first round stays in the core's own cache. Where more rows than a part of the last one are wanted,
 * sorting them twice costs more than it saves.
 */
const roundRowsDefault = { first: 1 << 16, most: 1 << 22 };
/** Of what was sorted: with more that are wanted the next round gathers twice as many rows. */
const keptPartMax = 1 / 2;
/** With more, once no more can be gathered, all rows are passed on. */
const passingPart = 3 / 4;
/** Rows that are kept are copied while those that they come from are held. */
const gatheredPart = 1 / 2;

export class PartitionTopOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: PartitionTopOptions;
  readonly #sorter: RowSorter;
  readonly #marks: SegmentMarks;
  readonly #collector: RowCollector;
  /** Row numbers of a batch, and the state of ranks behind them. */
  readonly #scratch: BlockHandle;
  #phase: 'gather' | 'sort' | 'keep' | 'give' = 'gather';
  /** What is left of a round. */
  #kept: Batch[] = [];
  #roundRows: number;
  /** Whether rows came since the last round. */
  #hasNewRows = false;
  /** Rows that came since the last that were given out. */
  #seenRows = 0;
  /** Whether the round that goes on gives all out. */
  #isLast = false;
  #isPassing = false;
  readonly #passed = new PendingBatch();

  constructor(context: OperatorContext, options: PartitionTopOptions) {
    const { schema, partition, order, roundRows = roundRowsDefault } = options;
    const { scope, kernels } = context;
    this.#context = context;
    this.#options = options;
    this.#roundRows = roundRows.first;
    this.#marks = new SegmentMarks(context, options);
    this.#collector = new RowCollector({ scope, kernels, schema });
    this.#scratch = scope.allocate(batchRowsMax * 4 + rankStateBytes);
    try {
      const sorted = [...partition.map(ascending), ...order];
      this.#sorter = new RowSorter(context, { schema, order: sorted });
    } catch (error) {
      scope.memory.release(this.#scratch);
      throw error;
    }
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    for (;;) {
      if (this.#phase === 'gather') {
        if (this.#isPassing) {
          return this.#passed.offer(outbox, () => batch.retain()) ? batch.rowCount : fromRow;
        }
        if (this.#hasRoomFor(batch)) {
          this.#sorter.add(batch);
          this.#hasNewRows = true;
          this.#seenRows += batch.rowCount;
          return batch.rowCount;
        }
        // What a round has left no room for is given out by another one.
        this.#beginRound(!this.#hasNewRows);
      }
      if (!this.#work(outbox) || this.#context.shouldYield()) return fromRow;
    }
  }

  finish(outbox: Outbox): boolean {
    while (this.#phase !== 'gather' || this.#sorter.rowCount > 0) {
      if (this.#phase === 'gather') this.#beginRound(true);
      if (!this.#work(outbox) || this.#context.shouldYield()) return false;
    }
    return true;
  }

  close(): void {
    this.#passed.close();
    for (const batch of this.#kept.splice(0)) batch.release();
    this.#marks.clear();
    this.#collector.close();
    this.#sorter.close();
    this.#context.scope.memory.release(this.#scratch);
  }

  #hasRoomFor(batch: Batch): boolean {
    const { rowCount } = this.#sorter;
    if (rowCount === 0) return true;
    // Right behind a round there is room for a batch.
    const rowsMax = this.#hasNewRows ? this.#roundRows : Number.POSITIVE_INFINITY;
    if (rowCount + batch.rowCount > rowsMax) return false;
    return this.#sorter.peakBytesWith(batch) <= this.#context.spill.share.bytes * gatheredPart;
  }

  #beginRound(isLast: boolean): void {
    this.#isLast = isLast;
    this.#sorter.seal();
    const state = addressOf(this.#scratch) + batchRowsMax * 4;
    this.#context.scope.memory.bytes.fill(0, state, state + rankStateBytes);
    this.#phase = 'sort';
  }

  /** A piece of a round; false when the outbox is full. */
  #work(outbox: Outbox): boolean {
    if (this.#phase === 'sort') {
      if (this.#sorter.sortSlice()) this.#phase = 'keep';
    } else if (this.#phase === 'keep') {
      const batch = this.#sorter.next(true);
      if (batch === null) this.#endRound();
      else this.#keepFirst(batch);
    } else {
      const [first] = this.#kept;
      if (first !== undefined && !outbox.offer(first)) return false;
      this.#kept.shift();
      if (this.#kept.length === 0) this.#phase = 'gather';
    }
    return true;
  }

  /** Collects the rows of a sorted batch that are among the first of their partition. Takes it over. */
  #keepFirst(batch: Batch): void {
    const { function: rank, count } = this.#options;
    const rows = this.#marks.mark(batch);
    try {
      const { rowCount } = batch;
      const numbers = addressOf(this.#scratch);
      const found = this.#context.kernels.firstRows(
        ...([rows.partitions, rows.peers, rowCount, rankForms[rank], count] as const),
        ...([numbers + batchRowsMax * 4, numbers] as const),
      );
      for (let from = 0; from < found; ) {
        if (this.#collector.room === 0) this.#kept.push(this.#collector.build());
        const part = Math.min(found - from, this.#collector.room);
        this.#collector.append(batch, numbers + from * 4, part);
        from += part;
      }
    } finally {
      rows.release();
    }
  }

  #endRound(): void {
    const rowCount = this.#sorter.rowCount;
    if (this.#collector.rowCount > 0) this.#kept.push(this.#collector.build());
    this.#marks.clear();
    this.#sorter.clear();
    this.#hasNewRows = false;
    const keptRows = this.#kept.reduce((sum, batch) => sum + batch.rowCount, 0);
    const isMany = keptRows > rowCount * keptPartMax;
    const { most } = this.#options.roundRows ?? roundRowsDefault;
    const isMost = this.#roundRows >= most;
    if (this.#isLast || (isMany && isMost)) {
      this.#isPassing = keptRows > this.#seenRows * passingPart;
      this.#seenRows = 0;
      this.#phase = 'give';
      return;
    }
    if (isMany) this.#roundRows *= 2;
    for (const batch of this.#kept.splice(0)) {
      this.#sorter.add(batch);
      batch.release();
    }
    this.#phase = 'gather';
  }
}
