/**
 * Range partitioner: rows go to channels by an order, so that all rows of a channel come before those of the
 * next one. Boundaries between the ranges come first, from a sample (engine/operators/boundaries-operator.ts).
 *
 *     build(boundaries: g, p) ─▶ partition(rows) ─▶ channel 0: a…g    1: g…p    2: p…z
 *
 * Boundaries that lie badly make some channels larger than others, and nothing else: what they are does not
 * matter to the order. Rows that are equal to a boundary go to either side, by the number of the sender
 * (engine/kernels/range-rows.as.ts).
 *
 * Before: engine/operators/range-operator.ts. After: engine/shuffle/channel-writer.ts.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import { encodeRows } from '../kernels/sort-keys.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { type RowKeys, rowKeysOf } from '../stream/row-keys.ts';
import type { OrderColumn } from '../stream/row-order.ts';
import type { Partitioned, Partitioner, PartitionerOptions } from './partitioner.ts';

/** The task that sends. */
export interface Sender {
  readonly taskIndex: number;
  readonly taskCount: number;
}

export class RangePartitioner implements Partitioner {
  readonly #options: PartitionerOptions;
  readonly #order: readonly OrderColumn[];
  readonly #sender: Sender;
  readonly #keys: RowKeys;
  /** Sort rows of the boundaries, of a batch, its rows' ranges, their numbers, starts. */
  readonly #block: BlockHandle;
  readonly #at: {
    boundaries: number;
    sorted: number;
    ranges: number;
    rows: number;
    starts: number;
  };
  /** The texts of boundaries are where these have them. */
  readonly #boundaries: Batch[] = [];
  #boundaryCount = 0;

  constructor(options: PartitionerOptions, order: readonly OrderColumn[], sender: Sender) {
    const { scope, kernels, schema, channelCount } = options;
    this.#options = options;
    this.#order = order;
    this.#sender = sender;
    this.#keys = rowKeysOf(kernels, schema, order);
    const { stride } = this.#keys;
    const startsBytes = (channelCount + 1) * 4;
    this.#block = scope.allocate(
      (channelCount + batchRowsMax) * stride + batchRowsMax * 8 + startsBytes,
    );
    const boundaries = addressOf(this.#block);
    const sorted = boundaries + channelCount * stride;
    const ranges = sorted + batchRowsMax * stride;
    const rows = ranges + batchRowsMax * 4;
    this.#at = { boundaries, sorted, ranges, rows, starts: rows + batchRowsMax * 4 };
  }

  /** Takes boundaries, in order and before the first row; without any, all rows go to channel 0. */
  addBoundaries(batch: Batch, schema: Schema): void {
    const { kernels, channelCount } = this.#options;
    const { rowCount } = batch;
    assert(this.#boundaryCount + rowCount < channelCount, 'there are fewer boundaries than ranges');
    const { keys, stride } = rowKeysOf(kernels, schema, this.#order);
    const rows = this.#at.boundaries + this.#boundaryCount * stride;
    const target = { fromRow: 0, count: rowCount, rows, stride };
    encodeRows(kernels, keys, { ...inputOf(batch), firstNumber: 0 }, target);
    this.#boundaries.push(batch.retain());
    this.#boundaryCount += rowCount;
  }

  partition(batch: Batch): Partitioned {
    const { scope, kernels, channelCount } = this.#options;
    const { keys, stride, descendingBits } = this.#keys;
    const { boundaries, sorted, ranges, rows, starts } = this.#at;
    const { rowCount } = batch;
    const target = { fromRow: 0, count: rowCount, rows: sorted, stride };
    encodeRows(kernels, keys, { ...inputOf(batch), firstNumber: 0 }, target);
    kernels.rangeRows(
      ...([sorted, rowCount, stride, keys.length, descendingBits] as const),
      ...([boundaries, this.#boundaryCount] as const),
      ...([this.#sender.taskIndex, this.#sender.taskCount] as const),
      ...([channelCount, ranges, rows, starts] as const),
    );
    const first = starts >>> 2;
    const all = scope.memory.uint32.slice(first, first + channelCount + 1);
    return { rows, starts: all, ends: all.subarray(1) };
  }

  close(): void {
    for (const batch of this.#boundaries.splice(0)) batch.release();
    this.#options.scope.memory.release(this.#block);
  }
}

function inputOf({ columns, selection, rowCount }: Batch) {
  return { columns, selection, rowCount };
}
