/**
 * Segment marks: where in rows that lie by partition and order a partition begins, and where rows that the order
 * leaves equal (peers) begin.
 *
 *     user   a  a  a  b  b        partitions   1  0  0  1  0
 *     score  7  7  9  1  1        peers        1  0  1  1  0
 *
 * The marks go over the borders of batches: row 0 is compared with the last row before it.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { compareFormOf } from '../../kernels/segment-kernels.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import {
  ascending,
  type CompareRows,
  compareRowsBy,
  type OrderColumn,
} from '../../stream/row-order.ts';
import type { OperatorContext } from '../operator.ts';

export interface SegmentMarksOptions {
  readonly schema: Schema;
  readonly partition: readonly string[];
  /** Within a partition; none: all its rows are peers. */
  readonly order: readonly OrderColumn[];
}

/** Rows in order, with marks; without selection. */
export class SortedBatch {
  readonly batch: Batch;
  /** Addresses of marks, a byte per row; 0 where no row begins anything. */
  readonly partitions: number;
  readonly peers: number;
  readonly #marks: BlockHandle | null;

  /** Takes over the batch and the marks, which are `rowCount` bytes for partitions and as many for peers. */
  constructor(batch: Batch, marks: BlockHandle | null) {
    assert(batch.selection === 0, 'sorted rows are stored in order');
    this.batch = batch;
    this.#marks = marks;
    this.partitions = marks === null ? 0 : addressOf(marks);
    this.peers = marks === null ? 0 : addressOf(marks) + batch.rowCount;
  }

  /** The same rows in another batch, which is taken over; this one is no longer the caller's. */
  replaced(batch: Batch): SortedBatch {
    this.batch.release();
    return new SortedBatch(batch, this.#marks);
  }

  /** The same rows, to be released as well. */
  retain(): SortedBatch {
    if (this.#marks !== null) this.batch.memory.retain(this.#marks);
    return new SortedBatch(this.batch.retain(), this.#marks);
  }

  release(): void {
    if (this.#marks !== null) this.batch.memory.release(this.#marks);
    this.batch.release();
  }
}

interface Key {
  readonly index: number;
  readonly form: number;
}

export class SegmentMarks {
  readonly #context: OperatorContext;
  readonly #partition: readonly Key[];
  readonly #order: readonly Key[];
  readonly #comparePartitions: CompareRows;
  readonly #compareOrder: CompareRows;
  #last: Batch | null = null;

  constructor(context: OperatorContext, { schema, partition, order }: SegmentMarksOptions) {
    const byPartition = partition.map(ascending);
    const keysOf = (columns: readonly OrderColumn[]) =>
      columns.map(({ column }): Key => {
        const index = fieldIndexOf(schema, column);
        const field = schema.fields[index];
        assert(field !== undefined, 'rows are sorted by columns that they have');
        return { index, form: compareFormOf(field.type) };
      });
    this.#context = context;
    this.#partition = keysOf(byPartition);
    this.#order = keysOf(order);
    this.#comparePartitions = compareRowsBy(schema, byPartition);
    this.#compareOrder = compareRowsBy(schema, order);
  }

  /** The next rows with their marks. Takes the batch over, also when it throws. */
  mark(batch: Batch): SortedBatch {
    try {
      const sorted = new SortedBatch(batch, this.#marked(batch));
      this.clear();
      this.#last = batch.retain();
      return sorted;
    } catch (error) {
      batch.release();
      throw error;
    }
  }

  /** Begins anew: the next row is the first one. */
  clear(): void {
    this.#last?.release();
    this.#last = null;
  }

  #marked(batch: Batch): BlockHandle {
    const { scope } = this.#context;
    const { rowCount, memory } = batch;
    const marks = scope.allocate(rowCount * 2);
    const partitions = addressOf(marks);
    const peers = partitions + rowCount;
    memory.bytes.fill(0, partitions, peers);
    this.#mark(batch, this.#partition, partitions);
    memory.bytes[partitions] = Number(this.#begins(batch, this.#comparePartitions));
    memory.bytes.copyWithin(peers, partitions, peers);
    this.#mark(batch, this.#order, peers);
    if (this.#begins(batch, this.#compareOrder)) memory.bytes[peers] = 1;
    return marks;
  }

  #mark(batch: Batch, keys: readonly Key[], marks: number): void {
    for (const { index, form } of keys) {
      const column = batch.columns[index];
      assert(column !== undefined, 'rows are sorted by columns that they have');
      const { values, validity } = column;
      this.#context.kernels.markChanges(form, values, validity, batch.rowCount, marks);
    }
  }

  #begins(batch: Batch, compare: CompareRows): boolean {
    const last = this.#last;
    return last === null || compare(last, last.rowCount - 1, batch, 0) !== 0;
  }
}
