/**
 * Partition writer: rows to disk, in partitions by the hash of their keys. Each level of a recursive
 * partitioning divides by other bits of the hash, and none of them by those that exchanges divide by.
 *
 *     append ─▶ hash of the keys and the level ─▶ a file for each partition that gets rows
 *     finish ─▶ the partitions, each a run with the rows in the order in which they came
 *
 * What it takes of the memory: `partition-size.ts`.
 */
import { closeAll } from '../../base/close-all.ts';
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import { HashPartitioner, type Partitioner, RebalancePartitioner } from '../shuffle/partitioner.ts';
import type { SpillFiles } from '../spill/spill-files.ts';
import type { SpillRun, SpillWriter } from '../spill/spill-writer.ts';
import type { OperatorContext } from './operator.ts';

export interface PartitionWriterOptions {
  readonly files: SpillFiles;
  readonly schema: Schema;
  /** None: all rows are one partition. */
  readonly keys: readonly string[];
  readonly partitionCount: number;
  /** How often the rows have been divided before. */
  readonly level: number;
}

/** Rows with equal hashes, on disk. */
export interface SpilledPartition {
  /** Its place among those of its level. */
  readonly index: number;
  readonly run: SpillRun;
}

export class PartitionWriter {
  readonly #files: SpillFiles;
  readonly #partitioner: Partitioner;
  readonly #writers: (SpillWriter | null)[];

  /** @throws MEMORY_EXHAUSTED */
  constructor({ scope, kernels }: OperatorContext, options: PartitionWriterOptions) {
    const { files, schema, keys, partitionCount, level } = options;
    const channelCount = keys.length === 0 ? 1 : partitionCount;
    this.#files = files;
    this.#writers = new Array<null>(channelCount).fill(null);
    this.#partitioner =
      keys.length === 0
        ? new RebalancePartitioner(1)
        : new HashPartitioner({ scope, kernels, schema, channelCount }, keys, level + 1);
  }

  /** Writes the rows of a batch, which is still the caller's. @throws As `SpillWriter.append`. */
  append(batch: Batch): void {
    if (batch.rowCount === 0) return;
    const { rows, starts, ends } = this.#partitioner.partition(batch);
    for (let index = 0; index < this.#writers.length; index++) {
      const start = starts[index] ?? 0;
      const count = (ends[index] ?? 0) - start;
      if (count > 0) this.#writerOf(index).append(batch, rows && rows + start * 4, count);
    }
  }

  /** Ends all files; the partitions that have rows. */
  finish(): SpilledPartition[] {
    const partitions = this.#writers.flatMap((writer, index) =>
      writer === null ? [] : [{ index, run: writer.finish() }],
    );
    this.close();
    return partitions;
  }

  /** Gives all up but the files; once. */
  close(): void {
    closeAll([this.#partitioner, ...this.#writers]);
  }

  #writerOf(index: number): SpillWriter {
    const writer = this.#writers[index] ?? this.#files.create();
    this.#writers[index] = writer;
    return writer;
  }
}
