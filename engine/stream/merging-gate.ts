/**
 * Merging gate: several sorted channels read as one sorted stream.
 *
 *     channel 0   1 4 9 …        one batch of each channel in hand, and the row it has got to; the
 *     channel 1   2 3   (end)    smallest of these rows is the next. Equal rows: lower channel first.
 *
 * It can only go on while it knows a row of every channel that has not ended, so it waits for the
 * slowest. Runs of rows from one channel are copied together: with distinct channels of long runs the
 * cost per row is one comparison.
 *
 * Invariants:
 * - A batch goes out with 8,192 rows, or when a channel has nothing now and rows are there.
 * - A consumed batch is let go as soon as the output that holds its last rows is built.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { RowCollector, type RowCollectorOptions } from './row-collector.ts';
import { type CompareRows, compareRowsBy, type OrderColumn } from './row-order.ts';
import type { ElementReader, StreamElement } from './stream-element.ts';

const outputTextMax = 1 << 20; // Bytes: a batch goes out when its texts pass 1 MiB.

interface Head {
  readonly channel: ElementReader;
  batch: Batch | null;
  row: number;
  hasEnded: boolean;
}

export interface MergingGateOptions extends RowCollectorOptions {
  readonly order: readonly OrderColumn[];
  readonly channels: readonly ElementReader[];
}

export class MergingGate implements ElementReader {
  readonly #options: MergingGateOptions;
  readonly #heads: readonly Head[];
  readonly #compare: CompareRows;
  readonly #collector: RowCollector;
  /** Room for the stored rows of a run. */
  readonly #rows: BlockHandle;
  #hasFailed = false;

  constructor(options: MergingGateOptions) {
    const { schema, order, channels, scope } = options;
    this.#options = options;
    this.#heads = channels.map((channel) => ({ channel, batch: null, row: 0, hasEnded: false }));
    this.#compare = compareRowsBy(schema, order);
    this.#collector = new RowCollector(options);
    this.#rows = scope.allocate(8192 * 4);
  }

  read(): StreamElement | 'waiting' {
    while (!this.#hasFailed) {
      const isReady = this.#fill();
      if (this.#hasFailed) break;
      const { rowCount, textBytes, room } = this.#collector;
      const isFull = room === 0 || textBytes >= outputTextMax;
      if (rowCount > 0 && (isFull || !isReady)) return this.#collector.build();
      if (!isReady) return 'waiting';
      if (!this.#takeRun()) return rowCount > 0 ? this.#collector.build() : 'end';
    }
    return 'failed';
  }

  close(): void {
    for (const head of this.#heads) {
      head.batch?.release();
      head.batch = null;
      head.channel.close();
    }
    this.#collector.close();
    this.#options.scope.memory.release(this.#rows);
  }

  /** Gets a batch for every channel that has not ended; false when one has none now. */
  #fill(): boolean {
    let isReady = true;
    for (const head of this.#heads) {
      while (head.batch === null && !head.hasEnded) {
        const element = head.channel.read();
        if (element === 'failed') this.#hasFailed = true;
        if (element === 'failed' || element === 'waiting') {
          isReady = false;
          break;
        }
        if (element === 'end') head.hasEnded = true;
        else if (element.rowCount === 0) element.release();
        else Object.assign(head, { batch: element, row: 0 });
      }
    }
    return isReady;
  }

  /** Copies the next run of rows of one channel; false when all have ended. */
  #takeRun(): boolean {
    const first = this.#smallest(null);
    if (first === null) return false;
    const second = this.#smallest(first);
    const { batch } = first;
    assert(batch !== null, 'the smallest head has a batch');
    const { uint32 } = this.#options.scope.memory;
    const rows = addressOf(this.#rows);
    const room = this.#collector.room;
    let count = 0;
    do {
      uint32[rows / 4 + count] = batch.storedRowOf(first.row);
      count++;
      first.row++;
    } while (count < room && first.row < batch.rowCount && this.#isBefore(first, second));
    this.#collector.append(batch, rows, count);
    if (first.row === batch.rowCount) {
      batch.release();
      first.batch = null;
    }
    return true;
  }

  #smallest(without: Head | null): Head | null {
    let smallest: Head | null = null;
    for (const head of this.#heads) {
      if (head.batch === null || head === without) continue;
      if (smallest === null || !this.#isBefore(smallest, head)) smallest = head;
    }
    return smallest;
  }

  /** Whether `a`'s row goes before `b`'s; among equals the lower channel does. */
  #isBefore(a: Head, b: Head | null): boolean {
    if (b === null || b.batch === null) return true;
    assert(a.batch !== null, 'compared heads have a batch');
    const order = this.#compare(
      a.batch,
      a.batch.storedRowOf(a.row),
      b.batch,
      b.batch.storedRowOf(b.row),
    );
    return order < 0 || (order === 0 && this.#heads.indexOf(a) < this.#heads.indexOf(b));
  }
}
