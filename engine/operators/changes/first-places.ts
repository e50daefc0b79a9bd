/**
 * First places: of rows that lie by partition and order, those of a rank up to a count, with it.
 *
 *     user  score  weight                          user  score  place  weight
 *     a     9      2         rowNumber <= 2        a     9      1      1
 *     a     7      1        ───────────────▶       a     9      2      1
 *     b     5      1                               b     5      1      1
 *
 * A row with a weight stands for as many equal ones: each has a number of its own, and all have one rank.
 *
 * Rows are copied, so that the few that are kept do not hold the memory of all.
 * Before: engine/operators/changes/running-top-operator.ts · After: engine/operators/analytic/segment-marks.ts
 */
import { type Batch, batchRowsMax, type Column } from '../../batch/batch.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { RankFunction } from '../../plan/analytic-functions.ts';
import { int64Type } from '../../schema/field-type.ts';
import type { Schema } from '../../schema/schema.ts';
import { RowCollector } from '../../stream/row-collector.ts';
import type { OrderColumn } from '../../stream/row-order.ts';
import { SegmentMarks } from '../analytic/segment-marks.ts';
import type { OperatorContext } from '../operator.ts';
import { weightOf } from './counted-rows.ts';

export interface FirstPlacesOptions {
  /** The rows, and their weights behind them. */
  readonly input: Schema;
  /** The same with the rank before the weight. */
  readonly output: Schema;
  readonly partition: readonly string[];
  readonly order: readonly OrderColumn[];
  readonly function: RankFunction;
  readonly count: number;
}

export class FirstPlaces {
  readonly #context: OperatorContext;
  readonly #options: FirstPlacesOptions;
  readonly #marks: SegmentMarks;
  readonly #collector: RowCollector;
  /** Row numbers of a batch, of those that are chosen. */
  readonly #numbers: BlockHandle;
  #chosen = 0;
  /** By row of the batch that is collected. */
  readonly #ranks = new Float64Array(batchRowsMax);
  readonly #weights = new Float64Array(batchRowsMax);
  /** Of the partition: rows before, and the rank and dense rank of the last ones. */
  #before = 0;
  #rank = 0;
  #denseRank = 0;

  constructor(context: OperatorContext, options: FirstPlacesOptions) {
    const { scope, kernels } = context;
    const { input, partition, order } = options;
    this.#context = context;
    this.#options = options;
    this.#marks = new SegmentMarks(context, { schema: input, partition, order });
    const schema = { fields: input.fields.slice(0, -1) };
    this.#collector = new RowCollector({ scope, kernels, schema });
    this.#numbers = scope.allocate(batchRowsMax * 4);
  }

  /** Looks at the next rows, which it takes over; full batches go to `into`. */
  add(batch: Batch, into: Batch[]): void {
    const { function: rank } = this.#options;
    const rows = this.#marks.mark(batch);
    try {
      if (this.#collector.room === 0) this.#build(into);
      const { bytes } = batch.memory;
      for (let row = 0; row < batch.rowCount; row++) {
        if (bytes[rows.partitions + row] === 1) {
          this.#before = 0;
          this.#denseRank = 0;
        }
        if (bytes[rows.peers + row] === 1) {
          this.#rank = this.#before + 1;
          this.#denseRank++;
        }
        const weight = weightOf(batch, row);
        if (rank === 'rowNumber') this.#chooseNumbers(batch, row, { weight, into });
        else this.#chooseRank(batch, row, { weight, into });
        this.#before += weight;
      }
      this.#collect(batch);
    } finally {
      rows.release();
    }
  }

  /** What is left goes to `into`. */
  finish(into: Batch[]): void {
    if (this.#collector.rowCount > 0) this.#build(into);
  }

  close(): void {
    this.#marks.clear();
    this.#collector.close();
    this.#context.scope.memory.release(this.#numbers);
  }

  #chooseNumbers(batch: Batch, row: number, { weight, into }: Weighted): void {
    const last = Math.min(this.#before + weight, this.#options.count);
    for (let number = this.#before + 1; number <= last; number++) {
      this.#choose(batch, row, { rank: number, weight: 1, into });
    }
  }

  #chooseRank(batch: Batch, row: number, { weight, into }: Weighted): void {
    const { function: kind, count } = this.#options;
    const rank = kind === 'rank' ? this.#rank : this.#denseRank;
    if (rank <= count) this.#choose(batch, row, { rank, weight, into });
  }

  #choose(batch: Batch, row: number, { rank, weight, into }: Weighted & { rank: number }): void {
    if (this.#chosen === this.#collector.room) {
      this.#collect(batch);
      this.#build(into);
    }
    const at = this.#collector.rowCount + this.#chosen;
    this.#ranks[at] = rank;
    this.#weights[at] = weight;
    batch.memory.uint32[(addressOf(this.#numbers) >>> 2) + this.#chosen++] = row;
  }

  #collect(batch: Batch): void {
    this.#collector.append(batch, addressOf(this.#numbers), this.#chosen);
    this.#chosen = 0;
  }

  #build(into: Batch[]): void {
    const { scope } = this.#context;
    const batch = this.#collector.build();
    try {
      const blocks: BlockHandle[] = [];
      const columns = [this.#ranks, this.#weights].map((numbers): Column => {
        const block = scope.allocate(batch.rowCount * 8);
        blocks.push(block);
        const at = addressOf(block) >>> 2;
        const { uint32 } = scope.memory;
        for (let row = 0; row < batch.rowCount; row++) {
          const number = numbers[row] ?? 0;
          uint32[at + row * 2] = number;
          uint32[at + row * 2 + 1] = Math.floor(number / 2 ** 32);
        }
        return { type: int64Type, values: addressOf(block), validity: 0 };
      });
      const schema = this.#options.output;
      into.push(batch.derive({ schema, columns: [...batch.columns, ...columns], blocks }));
    } finally {
      batch.release();
    }
  }
}

interface Weighted {
  readonly weight: number;
  readonly into: Batch[];
}
