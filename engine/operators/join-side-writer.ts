/**
 * Join side writer: the rows of one side of a join to disk, by partition of their keys. Rows without a key
 * have no partner: they have a run of their own where they are given out, and are left out where they are not.
 *
 *     append ─▶ rows with a key ─▶ partitions          (engine/operators/partition-writer.ts)
 *          └──▶ rows without    ─▶ one run, or nothing
 */
import { closeAll } from '../../base/close-all.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import type { SpillFiles } from '../spill/spill-files.ts';
import type { SpillRun, SpillWriter } from '../spill/spill-writer.ts';
import { JoinKeys, keysMayBeMissing } from './join-keys.ts';
import type { OperatorContext } from './operator.ts';
import { PartitionWriter, type SpilledPartition } from './partition-writer.ts';

export interface JoinSideWriterOptions {
  readonly files: SpillFiles;
  readonly schema: Schema;
  readonly keys: readonly string[];
  readonly partitionCount: number;
  /** How often the rows have been divided before. */
  readonly level: number;
  /** Whether rows without a partner are given out. */
  readonly keepsKeyless: boolean;
}

/** One side of a join on disk. */
export interface SpilledSide {
  readonly partitions: readonly SpilledPartition[];
  readonly keyless: SpillRun | null;
  /** Of all partitions. */
  readonly rowCount: number;
}

export class JoinSideWriter {
  readonly #context: OperatorContext;
  readonly #options: JoinSideWriterOptions;
  readonly #partitions: PartitionWriter;
  /** Null where every row has a key. */
  readonly #keys: JoinKeys | null;
  /** Rows of a batch. */
  readonly #rows: BlockHandle = 0;
  #keyless: SpillWriter | null = null;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: JoinSideWriterOptions) {
    const { scope, kernels } = context;
    const { schema, keys, level } = options;
    this.#context = context;
    this.#options = options;
    this.#partitions = new PartitionWriter(context, options);
    // What has been divided before has keys.
    const splits = level === 0 && keysMayBeMissing(schema, keys);
    try {
      this.#rows = splits ? scope.allocate(batchRowsMax * 4) : 0;
      this.#keys = splits ? new JoinKeys(scope, kernels, { schema, keys }) : null;
    } catch (error) {
      this.#partitions.close();
      if (this.#rows !== 0) scope.memory.release(this.#rows);
      throw error;
    }
  }

  /** Writes the rows of a batch, which is still the caller's. @throws As `SpillWriter.append`. */
  append(batch: Batch): void {
    const keys = this.#keys?.read(batch);
    if (this.#keys === null || keys === undefined || keys.validity === 0) {
      this.#partitions.append(batch);
      return;
    }
    const out = addressOf(this.#rows);
    const rowCount = this.#keys.rowsByKey(batch, keys, 1, out);
    if (rowCount > 0) {
      const keyed = batch.derive({ rowCount, selection: out });
      try {
        this.#partitions.append(keyed);
      } finally {
        keyed.release();
      }
    }
    if (rowCount === batch.rowCount || !this.#options.keepsKeyless) return;
    this.#keyless ??= this.#options.files.create();
    const count = this.#keys.rowsByKey(batch, keys, 0, out);
    this.#keyless.append(batch, out, count);
  }

  /** Ends all files. */
  finish(): SpilledSide {
    const keyless = this.#keyless?.finish() ?? null;
    const partitions = this.#partitions.finish();
    this.#closeKeys();
    const rowCount = partitions.reduce((sum, { run }) => sum + run.rowCount, 0);
    return { partitions, keyless, rowCount };
  }

  /** Gives all up but the files; instead of `finish`. */
  close(): void {
    this.#closeKeys();
    closeAll([this.#partitions, this.#keyless]);
  }

  #closeKeys(): void {
    this.#keys?.close();
    if (this.#rows !== 0) this.#context.scope.memory.release(this.#rows);
  }
}
