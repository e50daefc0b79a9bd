/**
 * Merging gate: several sorted channels read as one sorted stream.
 *
 *     channel 0   1 4 9 …        one batch of each channel in hand, and the row it has got to; the
 *     channel 1   2 3   (end)    smallest of these rows is the next. Equal rows: lower channel first.
 *
 * It can only go on while it knows a row of every channel that has not ended, so it waits for the
 * slowest. Merging only notes which rows come next; their values are then gathered column by column,
 * so interleaved channels cost a comparison and one number per row.
 *
 * Invariants:
 * - A batch goes out with 8,192 rows, or when a channel has nothing now and rows are there.
 * - A consumed batch is let go as soon as the output that holds its last rows is built.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { type GatherOptions, gatherRows } from './gather-rows.ts';
import { type CompareRows, compareRowsBy, type OrderColumn } from './row-order.ts';
import type { ElementReader, StreamElement } from './stream-element.ts';

const sourcesMax = 64; // Batches that the rows of one output may come from.

interface Head {
  readonly channel: ElementReader;
  readonly index: number;
  /** Also in `#sources`, which holds the reference. */
  batch: Batch | null;
  /** The batch's index in `#sources`. */
  source: number;
  row: number;
  hasEnded: boolean;
}

export interface MergingGateOptions extends Omit<GatherOptions, 'batches'> {
  readonly order: readonly OrderColumn[];
  readonly channels: readonly ElementReader[];
}

export class MergingGate implements ElementReader {
  readonly #options: MergingGateOptions;
  readonly #heads: readonly Head[];
  readonly #compare: CompareRows;
  /** Batches with rows that have not gone out. */
  #sources: Batch[] = [];
  /** Numbers of the rows that come next, `#done` to `#count` (engine/stream/gather-rows.ts). */
  readonly #numbers: BlockHandle;
  #done = 0;
  #count = 0;
  #hasFailed = false;

  constructor(options: MergingGateOptions) {
    const { schema, order, channels, scope } = options;
    this.#options = options;
    this.#heads = channels.map((channel, index) => ({
      channel,
      index,
      batch: null,
      source: 0,
      row: 0,
      hasEnded: false,
    }));
    this.#compare = compareRowsBy(schema, order);
    this.#numbers = scope.allocate(batchRowsMax * 4);
  }

  read(): StreamElement | 'waiting' {
    while (!this.#hasFailed) {
      if (this.#done > 0) return this.#gather();
      const isReady = this.#fill();
      if (this.#hasFailed) break;
      const isFull = this.#count === batchRowsMax || this.#sources.length >= this.#sourcesMax;
      if (this.#count > 0 && (isFull || !isReady)) return this.#gather();
      if (!isReady) return 'waiting';
      if (!this.#takeRun()) return this.#count > 0 ? this.#gather() : 'end';
    }
    return 'failed';
  }

  close(): void {
    for (const source of this.#sources.splice(0)) source.release();
    for (const head of this.#heads) {
      head.batch = null;
      head.channel.close();
    }
    this.#options.scope.memory.release(this.#numbers);
  }

  get #sourcesMax(): number {
    return sourcesMax + this.#heads.length;
  }

  /** Gets a batch for every channel that has not ended; false when one has none now. */
  #fill(): boolean {
    let isReady = true;
    for (const head of this.#heads) {
      if (!this.#fillHead(head)) isReady = false;
    }
    return isReady;
  }

  #fillHead(head: Head): boolean {
    while (head.batch === null && !head.hasEnded) {
      const element = head.channel.read();
      if (element === 'failed') this.#hasFailed = true;
      if (element === 'failed' || element === 'waiting') return false;
      if (element === 'end') {
        head.hasEnded = true;
      } else if (element.rowCount === 0) {
        element.release();
      } else {
        head.batch = element;
        head.row = 0;
        head.source = this.#sources.push(element) - 1;
      }
    }
    return true;
  }

  /** Notes the next run of rows of one channel; false when all have ended. */
  #takeRun(): boolean {
    const first = this.#smallest(null);
    if (first === null) return false;
    const second = this.#smallest(first);
    const { batch } = first;
    assert(batch !== null, 'the smallest head has a batch');
    const { uint32 } = this.#options.scope.memory;
    const numbers = addressOf(this.#numbers) / 4;
    do {
      uint32[numbers + this.#count] = first.source * batchRowsMax + batch.storedRowOf(first.row);
      this.#count++;
      first.row++;
      if (first.row === batch.rowCount) {
        first.batch = null;
        return true;
      }
    } while (this.#count < batchRowsMax && this.#isBefore(first, second));
    return true;
  }

  /** Makes a batch of the rows noted: of all, unless their texts are large. */
  #gather(): Batch {
    const { scope, kernels, schema } = this.#options;
    const numbers = addressOf(this.#numbers) + this.#done * 4;
    const target = { scope, kernels, schema, batches: this.#sources };
    const batch = gatherRows(target, numbers, this.#count - this.#done);
    this.#done += batch.rowCount;
    if (this.#done === this.#count) this.#releaseSources();
    return batch;
  }

  /** Keeps the batches that channels still have in hand. */
  #releaseSources(): void {
    const old = this.#sources;
    this.#sources = [];
    for (const head of this.#heads) {
      if (head.batch !== null) head.source = this.#sources.push(head.batch.retain()) - 1;
    }
    for (const source of old) source.release();
    this.#done = 0;
    this.#count = 0;
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
    const rowA = a.batch.storedRowOf(a.row);
    const rowB = b.batch.storedRowOf(b.row);
    const order = this.#compare(a.batch, rowA, b.batch, rowB);
    return order < 0 || (order === 0 && a.index < b.index);
  }
}
