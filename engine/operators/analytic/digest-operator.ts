/**
 * Digest: the values of each key as the centroids of a t-digest, from which quantiles follow. It sorts what fits in
 * memory by key and value, gives out centroids of that, and goes on; digests of the same key are merged behind it.
 *
 *     rows ─▶ sorted, a memory full at a time ─▶ marks ─▶ centroids of each key
 *     where they are hardly fewer than the rows, those that follow go through, each with weight 1
 *
 * Why sorted and not a table of groups: a digest sorts its values anyway, and here there are no digests to grow.
 * A key whose rows lie in two batches gets two digests.
 *
 * After: engine/operators/analytic/ordered-aggregate-operator.ts with quantile-columns.ts, which merges them.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch, Column } from '../../batch/batch.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { float64Type } from '../../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { ascending } from '../../stream/row-order.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { PendingBatch } from '../pending-batch.ts';
import type { SortedBatch } from './segment-marks.ts';
import { SortedDrain } from './sorted-drain.ts';
import { SortedRows } from './sorted-rows.ts';

export interface DigestOptions {
  readonly input: Schema;
  /** The keys, the means and the weights. */
  readonly output: Schema;
  readonly keys: readonly string[];
  /** The values, a float64. */
  readonly column: string;
}

/** Rows sorted at once: more make digests hardly better, and sorts slower. */
const rowsMax = 1 << 20;
/** Of the rows, how many centroids are too many to go on. */
const centroidPartMax = 1 / 2;

export class DigestOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: DigestOptions;
  readonly #keys: readonly number[];
  readonly #value: number;
  readonly #sorted: SortedRows;
  readonly #drain: SortedDrain;
  readonly #passed = new PendingBatch();
  /** Of the rows that are given out. */
  #rowCount = 0;
  #centroidCount = 0;

  constructor(context: OperatorContext, options: DigestOptions) {
    const { input, keys, column } = options;
    this.#context = context;
    this.#options = options;
    this.#keys = keys.map((key) => fieldIndexOf(input, key));
    this.#value = fieldIndexOf(input, column);
    const order = [ascending(column)];
    this.#sorted = new SortedRows(context, { schema: input, partition: keys, order });
    this.#drain = new SortedDrain(context, { sorted: this.#sorted, make: () => this.#next() });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    if (this.#drain.isRunning || this.#isFull(batch)) {
      if (!this.#drain.run(outbox)) return fromRow;
    }
    if (this.#centroidCount > this.#rowCount * centroidPartMax) {
      return this.#passed.offer(outbox, () => this.#weighed(batch)) ? batch.rowCount : fromRow;
    }
    return this.#sorted.offer(batch) ? batch.rowCount : fromRow;
  }

  finish(outbox: Outbox): boolean {
    return this.#drain.run(outbox);
  }

  close(): void {
    this.#passed.close();
    this.#drain.close();
    this.#sorted.close();
  }

  #isFull(batch: Batch): boolean {
    const { rowCount } = this.#sorted;
    if (rowCount === 0) return false;
    return rowCount + batch.rowCount > rowsMax || !this.#sorted.hasRoomFor(batch);
  }

  #next(): Batch | 'end' {
    const rows = this.#sorted.next();
    if (rows === null) return 'end';
    try {
      return this.#digested(rows);
    } finally {
      rows.release();
    }
  }

  /** The first rows of each key, with centroids in place of their values. */
  #digested({ batch, partitions }: SortedBatch): Batch {
    const { kernels } = this.#context;
    const { values, validity } = this.#valuesOf(batch);
    const { rowCount } = batch;
    const blocks = this.#allocate([rowCount * 8, rowCount * 8, rowCount * 4]);
    const [means = 0, weights = 0, selection = 0] = blocks.map(addressOf);
    const count = kernels.digestRows(
      ...([values, validity, partitions, rowCount, means, weights, selection] as const),
    );
    this.#rowCount += rowCount;
    this.#centroidCount += count;
    const columns = this.#columnsOf(batch, { values: means, validity }, weights);
    const { output } = this.#options;
    return batch.derive({ schema: output, rowCount: count, columns, selection, blocks });
  }

  /** The rows as they are, each a centroid. */
  #weighed(batch: Batch): Batch {
    const blocks = this.#allocate([batch.storedRows * 8]);
    const [weights = 0] = blocks.map(addressOf);
    const { float64 } = this.#context.scope.memory;
    float64.fill(1, weights >>> 3, (weights >>> 3) + batch.storedRows);
    const columns = this.#columnsOf(batch, this.#valuesOf(batch), weights);
    return batch.derive({ schema: this.#options.output, columns, blocks });
  }

  #columnsOf(
    batch: Batch,
    { values, validity }: Pick<Column, 'values' | 'validity'>,
    weights: number,
  ): Column[] {
    const keys = this.#keys.map((key) => batch.columns[key]);
    return [
      ...keys.filter((column) => column !== undefined),
      { type: float64Type, values, validity },
      { type: float64Type, values: weights, validity: 0 },
    ];
  }

  #valuesOf(batch: Batch): Column {
    const column = batch.columns[this.#value];
    assert(column !== undefined, 'the column is in the batch');
    return column;
  }

  #allocate(sizes: readonly number[]): BlockHandle[] {
    const { scope } = this.#context;
    const blocks: BlockHandle[] = [];
    try {
      for (const size of sizes) blocks.push(scope.allocate(size));
      return blocks;
    } catch (error) {
      for (const block of blocks) scope.memory.release(block);
      throw error;
    }
  }
}
