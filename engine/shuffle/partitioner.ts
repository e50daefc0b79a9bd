/**
 * Partitioners: which channel each row of a batch goes to.
 *
 *     hash        key → hash → key group → channel; equal keys meet in one task
 *     partition   the user's function of the key chooses
 *     rebalance   whole batches, in turn
 *     broadcast   whole batches, to every channel
 *     gather      everything to the one channel
 *
 * The answer is a list of stored rows, ordered by channel and stable within one, in the partitioner's
 * own memory; it holds until the next batch.
 */
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { partitionOfKeyGroups } from '../keys/key-group.ts';
import { KeyHasher } from '../keys/key-hasher.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';

/** Rows of one batch by channel: those of channel c are `rows[starts[c]]` to `rows[ends[c]]`. */
export interface Partitioned {
  /** Address of u32 stored rows; 0: the stored rows in order. */
  readonly rows: number;
  readonly starts: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
}

export interface Partitioner {
  partition(batch: Batch): Partitioned;
  close(): void;
}

export interface PartitionerOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly schema: Schema;
  readonly channelCount: number;
}

/** All rows of a batch to one channel, the next one each time. */
export class RebalancePartitioner implements Partitioner {
  readonly #channelCount: number;
  #turn = 0;

  constructor(channelCount: number) {
    this.#channelCount = channelCount;
  }

  partition(batch: Batch): Partitioned {
    const channel = this.#turn;
    this.#turn = (this.#turn + 1) % this.#channelCount;
    const starts = Array.from({ length: this.#channelCount + 1 }, (_, index) =>
      index <= channel ? 0 : batch.rowCount,
    );
    return { rows: batch.selection, starts, ends: starts.slice(1) };
  }

  close(): void {}
}

/** All rows of a batch to every channel. */
export class BroadcastPartitioner implements Partitioner {
  readonly #starts: readonly number[];

  constructor(channelCount: number) {
    this.#starts = new Array<number>(channelCount).fill(0);
  }

  partition({ selection, rowCount }: Batch): Partitioned {
    return { rows: selection, starts: this.#starts, ends: this.#starts.map(() => rowCount) };
  }

  close(): void {}
}

/** By the key group of key columns. */
export class HashPartitioner implements Partitioner {
  readonly #options: PartitionerOptions;
  readonly #hasher: KeyHasher;
  /** Rows, starts, and the channel of each key group. */
  readonly #block: BlockHandle;
  readonly #at: { rows: number; starts: number; table: number };

  /**
   * @param seed - Another one, another division, also of rows that an equal seed has put together; 0 is that of
   * exchanges.
   */
  constructor(options: PartitionerOptions, columns: readonly string[], seed = 0) {
    const { scope, kernels, schema, channelCount } = options;
    this.#options = options;
    this.#hasher = new KeyHasher({ scope, kernels, schema }, columns, seed);
    const table = partitionOfKeyGroups(channelCount);
    const startsBytes = (channelCount + 8) * 4;
    try {
      this.#block = scope.allocate(batchRowsMax * 4 + startsBytes + table.byteLength);
    } catch (error) {
      this.#hasher.close();
      throw error;
    }
    const rows = addressOf(this.#block);
    const starts = rows + batchRowsMax * 4;
    this.#at = { rows, starts, table: starts + startsBytes };
    scope.memory.bytes.set(new Uint8Array(table.buffer), this.#at.table);
  }

  partition(batch: Batch): Partitioned {
    const { scope, kernels, channelCount } = this.#options;
    const { rows, starts, table } = this.#at;
    const { selection, rowCount } = batch;
    const hashes = this.#hasher.hash(batch);
    kernels.partitionRows(hashes, rowCount, table, channelCount, rows, starts);
    if (selection !== 0) kernels.take4(selection, rows, rowCount, rows);
    const first = starts >>> 2;
    const all = scope.memory.uint32.slice(first, first + channelCount + 1);
    return { rows, starts: all, ends: all.subarray(1) };
  }

  close(): void {
    this.#hasher.close();
    this.#options.scope.memory.release(this.#block);
  }
}

/** By a function of the row: the user's `partition`. */
export class FunctionPartitioner implements Partitioner {
  readonly #options: PartitionerOptions;
  readonly #channelOf: (batch: Batch, storedRow: number) => number;
  readonly #channels = new Uint32Array(batchRowsMax);
  readonly #rows: BlockHandle;

  constructor(options: PartitionerOptions, channelOf: (batch: Batch, storedRow: number) => number) {
    this.#options = options;
    this.#channelOf = channelOf;
    this.#rows = options.scope.allocate(batchRowsMax * 4);
  }

  partition(batch: Batch): Partitioned {
    const { scope, channelCount } = this.#options;
    const { rowCount } = batch;
    const starts = new Array<number>(channelCount + 1).fill(0);
    for (let row = 0; row < rowCount; row++) {
      const channel = this.#channelOf(batch, batch.storedRowOf(row));
      this.#channels[row] = channel;
      starts[channel + 1]! += 1;
    }
    for (let channel = 0; channel < channelCount; channel++)
      starts[channel + 1]! += starts[channel]!;
    const places = [...starts];
    const rows = addressOf(this.#rows);
    for (let row = 0; row < rowCount; row++) {
      const place = places[this.#channels[row]!]!++;
      scope.memory.uint32[(rows >>> 2) + place] = batch.storedRowOf(row);
    }
    return { rows, starts, ends: starts.slice(1) };
  }

  close(): void {
    this.#options.scope.memory.release(this.#rows);
  }
}
