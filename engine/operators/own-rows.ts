/**
 * Own rows: of the rows that a snapshot has of an operator's tasks those of the key groups of this task, by the hash that
 * exchanges send rows by.
 *
 *     part of task 0 ─┐
 *     part of task 1 ─┴─▶ key group of each row ─▶ within this task's: kept      else: another task's
 *
 * An operator without keys has one task, whose rows are all. Rows that were kept with other columns are adapted first.
 */
import type { Batch } from '../batch/batch.ts';
import type { SnapshotReader } from '../contracts/snapshot.ts';
import { keyGroupOf } from '../keys/key-group.ts';
import { KeyHasher } from '../keys/key-hasher.ts';
import { addressOf } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { selectedBatch } from '../stream/selected-batch.ts';
import { adaptedRows, isSameRows } from './adapted-rows.ts';
import type { OperatorContext } from './operator.ts';

export interface OwnRowsOptions {
  readonly part: string;
  readonly schema: Schema;
  /** The columns of the key, in the order in which exchanges hash them. */
  readonly keys: readonly string[];
  /** Whether all tasks had the same rows, so that those of one are enough. @defaultValue false */
  readonly isOfOne?: boolean;
}

export class OwnRows {
  readonly #context: OperatorContext;
  readonly #options: OwnRowsOptions;
  readonly #hasher: KeyHasher | null;

  constructor(context: OperatorContext, options: OwnRowsOptions) {
    const { scope, kernels } = context;
    const { schema, keys } = options;
    this.#context = context;
    this.#options = options;
    this.#hasher = keys.length === 0 ? null : new KeyHasher({ scope, kernels, schema }, keys);
  }

  /** The next rows, which the caller owns; null where a batch has none. */
  next(reader: SnapshotReader): Batch | null | 'end' {
    const { part, isOfOne = false } = this.#options;
    const read = isOfOne && reader.readOne ? reader.readOne(part) : reader.read(part);
    if (read === null) return 'end';
    const batch = this.#adapted(read);
    try {
      return this.#hasher === null ? batch.retain() : this.#ownOf(batch, reader, this.#hasher);
    } finally {
      batch.release();
    }
  }

  close(): void {
    this.#hasher?.close();
  }

  /** With the columns that the operator keeps; takes the batch over. */
  #adapted(read: Batch): Batch {
    const { schema } = this.#options;
    if (isSameRows(read.schema, schema)) return read;
    try {
      return adaptedRows(this.#context.scope, read, schema);
    } finally {
      read.release();
    }
  }

  #ownOf(batch: Batch, { keyGroups }: SnapshotReader, hasher: KeyHasher): Batch | null {
    const { scope } = this.#context;
    const { rowCount } = batch;
    const { start, end } = keyGroups;
    const hashes = hasher.hash(batch) >>> 2;
    const selection = scope.allocate(rowCount * 4);
    const { uint32 } = scope.memory;
    const kept = addressOf(selection) >>> 2;
    let count = 0;
    for (let row = 0; row < rowCount; row++) {
      const group = keyGroupOf(uint32[hashes + row] ?? 0);
      if (group >= start && group < end) uint32[kept + count++] = batch.storedRowOf(row);
    }
    return selectedBatch(this.#context, batch, { selection, rowCount: count });
  }
}
