/**
 * Merging gate: several sorted channels read as one sorted stream.
 *
 *     channel 0   1 4 9 …        one batch of each channel in hand, and the row it has got to; the
 *     channel 1   2 3   (end)    smallest of these rows is the next. Equal rows: lower channel first.
 *
 * It can only go on while it knows a row of every channel that has not ended, so it waits for the
 * slowest. A batch is encoded as sort rows as it comes in; a kernel compares these and notes which rows
 * come next; their values are then gathered column by column.
 *
 * Invariants:
 * - A batch goes out with 8,192 rows, or when a channel has nothing now and rows are there.
 * - A consumed batch is let go as soon as the output that holds its last rows is built; where texts are shown,
 *   when that output is let go.
 */
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import { heldBytesOf } from '../batch/held-blocks.ts';
import { mergeHeadSize } from '../kernels/sort-kernels.ts';
import { encodeRows } from '../kernels/sort-keys.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { type GatherOptions, gatherRows } from './gather-rows.ts';
import { type RowKeys, rowKeysOf } from './row-keys.ts';
import type { OrderColumn } from './row-order.ts';
import { type ElementReader, isMark, type RowElement } from './stream-element.ts';

const spareSourcesDefault = 64;
const spareBytesDefault = 16 << 20;

interface Head {
  readonly channel: ElementReader;
  /** Also in `#sources`, which holds the reference. */
  batch: Batch | null;
  /** The batch's index in `#sources`. */
  source: number;
  /** Room for the sort rows of the batch; 0 before the first. */
  rows: BlockHandle;
  /** Address of the next sort row. */
  next: number;
  hasEnded: boolean;
}

export interface MergingGateOptions extends Omit<GatherOptions, 'batches'> {
  readonly order: readonly OrderColumn[];
  readonly channels: readonly ElementReader[];
  /** Batches that the rows of one output may come from, besides one of each channel. @defaultValue 64 */
  readonly spareSources?: number;
  /**
   * Bytes that such batches may hold before no other one is read: where rows are large, few are held.
   * @defaultValue 16 MiB
   */
  readonly spareBytes?: number;
}

export class MergingGate implements ElementReader {
  readonly #options: MergingGateOptions;
  readonly #heads: readonly Head[];
  readonly #keys: RowKeys;
  /** The heads that have a batch, as the kernel reads them. */
  readonly #table: BlockHandle;
  /** Batches with rows that have not gone out. */
  #sources: Batch[] = [];
  /** Numbers of the rows that come next, `#done` to `#count` (engine/stream/gather-rows.ts). */
  readonly #numbers: BlockHandle;
  #done = 0;
  #count = 0;
  /** What those of them hold that no channel has in hand. */
  #spareBytes = 0;
  #hasFailed = false;

  constructor(options: MergingGateOptions) {
    const { schema, order, channels, scope } = options;
    this.#options = options;
    const parts = { batch: null, source: 0, rows: 0, next: 0, hasEnded: false };
    this.#heads = channels.map((channel) => ({ channel, ...parts }));
    this.#keys = rowKeysOf(options.kernels, schema, order);
    this.#numbers = scope.allocate(batchRowsMax * 4);
    this.#table = scope.allocate(channels.length * mergeHeadSize);
  }

  /** No marks: sorted rows come out at the end, and time does not matter to who reads them. */
  read(): RowElement | 'waiting' {
    while (!this.#hasFailed) {
      if (this.#done > 0 || this.#hasSpareBytes) return this.#gather();
      const isReady = this.#fill();
      if (this.#hasFailed) break;
      const isFull = this.#count === batchRowsMax || this.#sources.length >= this.#sourcesMax;
      if (this.#count > 0 && (isFull || !isReady)) return this.#gather();
      if (!isReady) return 'waiting';
      if (!this.#takeRows()) return this.#count > 0 ? this.#gather() : 'end';
    }
    return 'failed';
  }

  close(): void {
    for (const source of this.#sources.splice(0)) source.release();
    const { memory } = this.#options.scope;
    for (const head of this.#heads) {
      head.batch = null;
      if (head.rows !== 0) memory.release(head.rows);
      head.rows = 0;
    }
    memory.release(this.#numbers);
    memory.release(this.#table);
    for (const { channel } of this.#heads) channel.close();
  }

  get #hasSpareBytes(): boolean {
    return this.#count > 0 && this.#spareBytes >= (this.#options.spareBytes ?? spareBytesDefault);
  }

  get #sourcesMax(): number {
    return (this.#options.spareSources ?? spareSourcesDefault) + this.#heads.length;
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
      } else if (isMark(element)) {
        head.batch = null;
      } else if (element.rowCount === 0) {
        element.release();
      } else {
        head.source = this.#sources.push(element) - 1;
        this.#encode(head, element);
      }
    }
    return true;
  }

  #encode(head: Head, batch: Batch): void {
    const { scope, kernels } = this.#options;
    const { columns, selection, rowCount } = batch;
    const { keys, stride } = this.#keys;
    const roomBytes = rowCount * stride;
    if (head.rows === 0 || scope.memory.sizeOf(head.rows) < roomBytes) {
      if (head.rows !== 0) scope.memory.release(head.rows);
      head.rows = 0;
      head.rows = scope.allocate(roomBytes);
    }
    const rows = addressOf(head.rows);
    const target = { fromRow: 0, count: rowCount, rows, stride };
    encodeRows(kernels, keys, { columns, selection, rowCount, firstNumber: 0 }, target);
    head.batch = batch;
    head.next = rows;
  }

  /** Notes the next rows, until one channel has none in hand; false when all have ended. */
  #takeRows(): boolean {
    const heads = this.#heads.filter(({ batch }) => batch !== null);
    if (heads.length === 0) return false;
    const words = this.#options.scope.memory.uint32;
    const table = addressOf(this.#table);
    const { keys, stride, descendingBits } = this.#keys;
    heads.forEach(({ next, rows, batch, source }, index) => {
      const word = (table + index * mergeHeadSize) >>> 2;
      words[word] = next;
      words[word + 1] = addressOf(rows) + (batch?.rowCount ?? 0) * stride;
      words[word + 2] = source * batchRowsMax;
    });
    this.#count += this.#options.kernels.mergeRows(
      table,
      heads.length,
      stride,
      keys.length,
      descendingBits,
      addressOf(this.#numbers) + this.#count * 4,
      batchRowsMax - this.#count,
    );
    heads.forEach((head, index) => {
      const word = (table + index * mergeHeadSize) >>> 2;
      head.next = words[word] ?? 0;
      if (head.next !== words[word + 1] || head.batch === null) return;
      this.#spareBytes += heldBytesOf(head.batch);
      head.batch = null;
    });
    return true;
  }

  /** Makes a batch of the rows noted: of all, unless their texts are large. */
  #gather(): Batch {
    const { scope, kernels, schema, showsTexts = false } = this.#options;
    const numbers = addressOf(this.#numbers) + this.#done * 4;
    const target = { scope, kernels, schema, showsTexts, batches: this.#sources };
    const batch = gatherRows(target, numbers, this.#count - this.#done);
    this.#done += batch.rowCount;
    const result = showsTexts ? holding(batch, this.#sources) : batch;
    if (this.#done === this.#count) this.#releaseSources();
    return result;
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
    this.#spareBytes = 0;
  }
}

/** The batch, which is taken over, holding others that it points into. */
function holding(batch: Batch, others: readonly Batch[]): Batch {
  const holder = batch.derive({ holds: others.map((other) => other.retain()) });
  batch.release();
  return holder;
}
