/**
 * The build side of a join: its rows, kept as they come, then a table over their keys.
 *
 *     append … ─▶ end: rows sealed ─▶ table cleared ─▶ keys put in, the last chunk first ─▶ find
 *
 * Each arrow from `end` on is a slice of its own. Who has to keep within a share asks `peakBytesWith` before
 * each batch, and takes the chunks of rows that do not fit from `rows` (engine/operators/spilled-join.ts).
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import type { ColumnAddress } from '../kernels/group-table.ts';
import { JoinTable, joinTableBytesOf } from '../kernels/join-table.ts';
import type { KeyForm } from '../kernels/key-layout.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { bitmapSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import { OwnedRows } from '../stream/owned-rows.ts';
import { JoinKeys } from './join-keys.ts';
import type { OperatorContext } from './operator.ts';

export interface JoinBuildOptions {
  readonly schema: Schema;
  /** Key columns of the build side; none for a join without equality. */
  readonly keys: readonly string[];
}

export class JoinBuild {
  readonly #context: OperatorContext;
  readonly #rows: OwnedRows;
  readonly #keys: JoinKeys | null;
  /** Texts of keys that are packed. */
  readonly #texts: BlockHandle[] = [];
  #textBytes = 0;
  #table: JoinTable | null = null;
  #isPrepared = false;
  /** Chunks whose keys are not in the table yet. */
  #chunksLeft = 0;

  constructor(context: OperatorContext, { schema, keys }: JoinBuildOptions) {
    const { scope, kernels } = context;
    this.#context = context;
    this.#rows = new OwnedRows({ scope, kernels, schema });
    try {
      this.#keys = keys.length === 0 ? null : new JoinKeys(scope, kernels, { schema, keys });
    } catch (error) {
      this.#rows.close();
      throw error;
    }
  }

  /** Null: no key. */
  get keyForm(): KeyForm | null {
    return this.#keys?.form ?? null;
  }

  get rows(): OwnedRows {
    return this.#rows;
  }

  /** The table, once `end` has answered true. */
  get table(): JoinTable {
    assert(
      this.#table !== null && this.#chunksLeft === 0,
      'a build side is complete when it is read',
    );
    return this.#table;
  }

  /** What it would hold in bytes when it is complete, with the rows of one more batch. */
  peakBytesWith(batch: Batch): number {
    const rowCount = this.#rows.rowCount + batch.rowCount;
    const texts = this.#textBytes + (this.#keys?.transientBytesOf(batch) ?? 0);
    const table = joinTableBytesOf({ keyForm: this.keyForm, rowCount });
    return this.#rows.sizeBytesWith(batch) + texts + table + bitmapSizeOf(rowCount);
  }

  append(batch: Batch): void {
    this.#textBytes += this.#keys?.transientBytesOf(batch) ?? 0;
    this.#rows.append(batch);
  }

  /** All rows are there: does a slice of making the table; true when it is made. */
  end(): boolean {
    const table = this.#table ?? this.#begin();
    if (!this.#isPrepared) {
      this.#isPrepared = table.prepare();
      return this.#isPrepared && this.#chunksLeft === 0;
    }
    if (this.#chunksLeft > 0) this.#insert(table, --this.#chunksLeft);
    return this.#chunksLeft === 0;
  }

  close(): void {
    const { memory } = this.#context.scope;
    this.#table?.close();
    this.#keys?.close();
    this.#rows.close();
    for (const block of this.#texts) memory.release(block);
  }

  #begin(): JoinTable {
    const { scope, kernels } = this.#context;
    this.#rows.seal();
    this.#chunksLeft = this.#keys === null ? 0 : this.#rows.chunkCount;
    const options = { keyForm: this.keyForm, rowCount: this.#rows.rowCount };
    this.#table = new JoinTable(scope, kernels, options);
    return this.#table;
  }

  #insert(table: JoinTable, chunk: number): void {
    const batch = this.#rows.chunk(chunk);
    const keys = this.#keys?.read(batch);
    assert(keys !== undefined, 'only rows with keys are put in');
    this.#ownTexts(keys, batch.rowCount);
    table.insert(keys, batch.rowCount, chunk * batchRowsMax);
  }

  /** Packed keys lie in scratch. */
  #ownTexts({ values }: ColumnAddress, count: number): void {
    if (this.#keys?.form !== 'view' || !this.#keys.areTransient) return;
    const { scope, kernels } = this.#context;
    const sizeBytes = kernels.longTextSizeOf(values, count);
    if (sizeBytes === 0) return;
    const block = scope.allocate(sizeBytes);
    this.#texts.push(block);
    kernels.copyLongTexts(values, count, addressOf(block));
  }
}
